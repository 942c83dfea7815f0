"""Searching the web by the engine that is set up. What it answers was written by strangers like everything else."""

import asyncio
from typing import Any
from uuid import UUID

import orjson
import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from pydantic import BaseModel, TypeAdapter, ValidationError

from generation.llm.errors import retry_after
from generation.web import addresses, bodies, cache
from generation.web.engines import MOST_FOUND, MOST_QUERY, Backend, backend
from memory.base.errors import ToolFailed, ToolUnavailable
from memory.base.text import clean_text

log = structlog.get_logger()

SECONDS = 10
MOST_BYTES = 1024 * 1024
MOST_TITLE, MOST_EXCERPT = 300, 1_000


class Found(BaseModel):
    title: str
    url: str
    excerpt: str


FOUND = TypeAdapter(list[Found])


class Hit(BaseModel):
    """One result as both engines write it."""

    url: str
    title: str | None = ""
    content: str | None = ""


class Hits(BaseModel):
    """`unresponsive_engines`: those of SearXNG's that did not answer."""

    results: list[Hit]
    unresponsive_engines: list[Any] = []


async def search(workspace: UUID, query: str, language: str = "") -> list[Found]:
    """At most MOST_FOUND pages, the best first, each once; what the workspace has searched for within the hour is not
    asked again. A cancellation closes the connection. No connection to the database is needed.

    Raises `tool.search_not_configured`, `tool.search_refused` (with its status), `tool.search_malformed`; to be tried
    again: `tool.search_rate_limited` (with `retry_after` where the engine says so), `tool.search_too_slow`,
    `tool.search_unreachable`.
    """
    engine = backend()
    if engine is None:
        raise ToolFailed("search_not_configured")
    query = one_line(query)[:MOST_QUERY]
    question = f"{engine.name} {language} {query}"
    found = await cache.known(workspace, "search", question, FOUND)
    if found is None:
        found = chosen(await ask(engine, query, language))
        await cache.keep(workspace, "search", question, found, FOUND)
    return found


async def ask(engine: Backend, query: str, language: str) -> Hits:
    session = ClientSession(
        cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=None), trust_env=False, auto_decompress=False
    )
    headers = {"Accept": "application/json", **bodies.ASKED, **engine.headers}
    asked = engine.asked(query, language)
    try:
        # A redirect would carry the key to wherever it leads.
        request = session.request(engine.method, engine.url, headers=headers, allow_redirects=False, **asked)
        async with asyncio.timeout(SECONDS), session, request as response:
            return await read(engine, response)
    except TimeoutError:
        raise ToolUnavailable("search_too_slow", engine=engine.name, seconds=SECONDS) from None
    except (ClientError, OSError) as fault:
        log.warning("search_unreachable", engine=engine.name, fault=type(fault).__name__)
        raise ToolUnavailable("search_unreachable", engine=engine.name) from None


async def read(engine: Backend, response: ClientResponse) -> Hits:
    if response.status != 200:
        raise refusal(engine, response)
    try:
        hits = Hits.model_validate(orjson.loads(await bodies.read(response, MOST_BYTES)))
    except (bodies.TooLarge, bodies.BadEncoding, orjson.JSONDecodeError, ValidationError):
        raise ToolFailed("search_malformed", engine=engine.name) from None
    if not hits.results and hits.unresponsive_engines:  # nobody looked: that is not the same as nothing found
        raise ToolUnavailable("search_unreachable", engine=engine.name)
    return hits


def refusal(engine: Backend, response: ClientResponse) -> ToolFailed:
    log.warning("search_refused", engine=engine.name, status=response.status)
    if response.status == 429:
        return ToolUnavailable("search_rate_limited", engine=engine.name, retry_after=retry_after(response.headers))
    if response.status >= 500:
        return ToolUnavailable("search_unreachable", engine=engine.name)
    return ToolFailed("search_refused", engine=engine.name, status=response.status)


def chosen(hits: Hits) -> list[Found]:
    """The first of those whose address is one of the public web as text can tell, each address once."""
    found: dict[str, Found] = {}
    for hit in hits.results:
        try:
            url = str(addresses.parse(hit.url))
        except ToolFailed:
            continue
        title, excerpt = one_line(hit.title or "")[:MOST_TITLE], one_line(hit.content or "")[:MOST_EXCERPT]
        found.setdefault(url, Found(title=title or url, url=url, excerpt=excerpt))
    return list(found.values())[:MOST_FOUND]


def one_line(text: str) -> str:
    return " ".join(clean_text(text).split())
