"""The web as tests know it: hosts below `.test`, by plain HTTP, and a search engine as SearXNG and Tavily are.

In a test, the fixture `web`; as a process, `python -m tests.web --port N`, furnished over HTTP by POST /control. The
settings of the tests let the product reach it, and nothing else: its port is in TEST_WEB_PORT.
"""

import argparse
import asyncio
import os
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from pytest_django.fixtures import Settings

PUBLIC = "93.184.215.14"  # what every name below .test means; nobody connects to it
PORT = "TEST_WEB_PORT"
TEXT = "Acme makes valves for dairies. " * 20
KEY = "tvly-CANARY"


class Pretended:
    """The network of the tests' settings: a name below .test is a host of the public web, and served from here."""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        if host.endswith(".test"):
            return [PUBLIC]
        return [str(ip_address(host))] if is_literal(host) else nowhere(host)

    def way(self, address: str, port: int) -> tuple[str, int]:
        return "127.0.0.1", int(os.environ[PORT])


def is_literal(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def nowhere(host: str) -> Sequence[str]:
    raise OSError(f"{host} is no host of the tests")


@dataclass
class Page:
    """`how`: empty, or `hang` (never answers), `drip` (a byte now and then), `endless`, `bomb` (small, and huge when
    unpacked), `cut` (breaks off)."""

    body: str = ""
    type: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    how: str = ""


def article(title: str, text: str = TEXT) -> Page:
    head = f"<!doctype html><html><head><title>{title}</title></head>"
    menu = "<nav><a href='/'>Home</a> <a href='/shop'>Shop</a></nav>"
    return Page(f"{head}<body>{menu}<article><h1>{title}</h1><p>{text}</p></article></body></html>")


def moved(to: str, status: int = 302) -> Page:
    return Page(status=status, headers={"Location": to})


@dataclass
class Asked:
    """A request as it came; `host` is what its Host header says."""

    host: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None


@dataclass
class Web:
    """`pages` by host and path; `found` is what the engine finds, whatever is looked for. `engine` is how it answers,
    if not well: a status, `hang`, `html`, `empty` (no engine behind it answers), `large`, or `moved`."""

    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    found: list[dict[str, Any]] = field(default_factory=list)
    engine: str = ""
    asked: list[Asked] = field(default_factory=list)
    open: int = 0  # requests that are being answered

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def furnish(self) -> None:
        """A company with a site of three pages, all of which are found."""
        texts = {"": TEXT, "about": "Founded in 1911 in Lyon, Acme employs 300 people. " * 12, "products": TEXT}
        self.pages = {f"acme.test/{name}": article(f"Acme {name}".strip(), text) for name, text in texts.items()}
        self.found = [
            {"url": f"http://acme.test/{name}", "title": f"Acme {name}".strip(), "content": text[:120]}
            for name, text in texts.items()
        ]

    def hits(self) -> list[Asked]:
        """Requests for pages."""
        return [each for each in self.asked if each.host.endswith(".test")]

    def searches(self) -> list[Asked]:
        return [each for each in self.asked if each.path == "/search"]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        host = request.host.lower()
        own = not host.partition(":")[0].endswith(".test")
        if own and request.path == "/control":
            return await self.control(request)
        body = await request.json() if request.method == "POST" else None
        self.asked.append(Asked(host, request.path, dict(request.query), dict(request.headers), body))
        self.open += 1
        try:
            if own and request.path == "/search":
                return await self.search(request)
            page = self.pages.get(f"{host}{request.path}", Page("Not found", status=404))
            return await deliver(page, request)
        finally:
            self.open -= 1

    async def control(self, request: web.Request) -> web.StreamResponse:
        """POST sets `pages`, `found`, `engine`; GET tells what was asked."""
        if request.method == "POST":
            wanted = await request.json()
            if "pages" in wanted:
                self.pages = {place: Page(**page) for place, page in wanted["pages"].items()}
            self.found = wanted.get("found", self.found)
            self.engine = wanted.get("engine", self.engine)
        return web.json_response({"asked": [{"host": each.host, "path": each.path} for each in self.asked]})

    async def search(self, request: web.Request) -> web.StreamResponse:
        if self.engine.isdigit():
            return web.Response(status=int(self.engine), headers={"Retry-After": "7"})
        if self.engine == "hang":
            await asyncio.sleep(60)
        if self.engine == "html":
            return web.Response(text="<html>Too many requests</html>", content_type="text/html")
        if self.engine == "large":
            return web.Response(body=b'{"results": ["' + b"x" * 3_000_000 + b'"]}', content_type="application/json")
        if self.engine == "moved":
            return web.Response(status=302, headers={"Location": f"{self.url}/elsewhere"})
        results = [] if self.engine == "empty" else self.found
        return web.json_response({"results": results, "unresponsive_engines": [["google", "CAPTCHA"]]})


async def deliver(page: Page, request: web.Request) -> web.StreamResponse:
    headers = {"Content-Type": page.type, **page.headers} if page.type else dict(page.headers)
    if page.how == "bomb":
        headers["Content-Encoding"] = "gzip"
    response = web.StreamResponse(status=page.status, headers=headers)
    await HOW[page.how](page, request, response)
    return response


async def whole(page: Page, request: web.Request, response: web.StreamResponse) -> None:
    await response.prepare(request)
    await response.write(page.body.encode(errors="surrogateescape"))


async def hang(page: Page, request: web.Request, response: web.StreamResponse) -> None:
    await asyncio.sleep(60)


async def drip(page: Page, request: web.Request, response: web.StreamResponse) -> None:
    await response.prepare(request)
    while True:
        await response.write(b"x")
        await asyncio.sleep(0.2)


async def endless(page: Page, request: web.Request, response: web.StreamResponse) -> None:
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65_536)


async def bomb(page: Page, request: web.Request, response: web.StreamResponse) -> None:
    await response.prepare(request)
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for _ in range(400):
        await response.write(packer.compress(b"0" * 1_000_000))


async def cut(page: Page, request: web.Request, response: web.StreamResponse) -> None:
    await whole(page, request, response)
    if request.transport:
        request.transport.abort()


HOW = {"": whole, "hang": hang, "drip": drip, "endless": endless, "bomb": bomb, "cut": cut}


async def serve(site: Web, host: str, port: int) -> web.AppRunner:
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    site.port = runner.addresses[0][1]
    return runner


@contextmanager
def serving() -> Iterator[Web]:
    """In a thread with a loop of its own: who asks it may be sync or async."""
    site, loop = Web(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="web of the tests")
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(serve(site, "127.0.0.1", 0), loop).result()
    try:
        yield site
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def web_of_tests(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Furnished, and searched by its SearXNG."""
    with serving() as site:
        site.furnish()
        monkeypatch.setenv(PORT, str(site.port))
        settings.WEB_SEARCH, settings.SEARXNG_URL = "searxng", site.url
        yield site


async def run(port: int) -> None:
    site = Web()
    site.furnish()
    runner = await serve(site, "127.0.0.1", port)
    print(f"The web of the tests listens on {site.url}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.web", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port")
    asyncio.run(run(parser.parse_args().port))
