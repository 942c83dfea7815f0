"""A demo model on a real port in the test's own loop, asked by the official client and by plain HTTP."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from openai import AsyncOpenAI

from generation.demo.control import Demo
from generation.demo.pace import Pace
from generation.demo.server import build, runner
from tests.patience import PATIENCE_SECONDS

BRIEF = (
    "Un cours standard sur les boucles en Python pour des élèves de première NSI.\n"
    "Quatre parties : pourquoi répéter, la boucle for, la boucle while, les erreurs fréquentes."
)


@dataclass
class Seen:
    """What a plain HTTP client saw of one stream."""

    status: int = 0
    raw: bytes = b""
    error: str = ""
    chunks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def events(self) -> list[bytes]:
        return [event.removeprefix(b"data: ") for event in self.raw.split(b"\n\n") if event.startswith(b"data: ")]

    def deltas(self, kind: str = "content") -> list[Any]:
        """What the deltas carry under one name, in order; broken events are passed over."""
        found: list[Any] = []
        for event in self.events:
            try:
                choices = json.loads(event).get("choices")
            except ValueError:
                continue
            found += [each["delta"][kind] for each in choices or () if each["delta"] and each["delta"].get(kind)]
        return found

    def calls(self) -> list[dict[str, Any]]:
        """The pieces of tool calls, in order."""
        return [call for delta in self.deltas("tool_calls") for call in delta]

    @property
    def finish(self) -> str | None:
        ends = [event for event in self.events if b'"finish_reason":"' in event]
        return json.loads(ends[-1])["choices"][0]["finish_reason"] if ends else None

    @property
    def done(self) -> bool:
        return self.raw.endswith(b"data: [DONE]\n\n")


class Door:
    """Plain HTTP to the demo model."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def stream(
        self,
        text: str = BRIEF,
        *,
        model: str = "demo",
        fault: str = "",
        silence: float = PATIENCE_SECONDS,
        patience: float = PATIENCE_SECONDS,
        **fields: Any,
    ) -> Seen:
        """Reads one stream to its end, however it ends; gives up after so many seconds of silence, or in all."""
        seen = Seen()
        body = {"model": model, "stream": True, "messages": [{"role": "user", "content": text}], **fields}
        timeout = aiohttp.ClientTimeout(total=patience, sock_read=silence)
        headers = {"X-Demo-Fault": fault} if fault else {}
        try:
            async with self.session.post(
                f"{self.url}/v1/chat/completions", json=body, headers=headers, timeout=timeout
            ) as response:
                seen.status = response.status
                async for data in response.content.iter_any():
                    seen.raw += data
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            seen.error = type(error).__name__
        return seen

    async def post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        async with self.session.post(self.url + path, json=body) as response:
            return response.status, await response.json()

    async def stats(self, log: int = 1) -> dict[str, Any]:
        async with self.session.get(f"{self.url}/stats?log={log}") as response:
            found: dict[str, Any] = await response.json()
            return found


@pytest.fixture
async def url() -> AsyncIterator[str]:
    running = runner(build(Demo(Pace(first_token=0.0, rate=0.0))))
    await running.setup()
    await web.TCPSite(running, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{running.addresses[0][1]}"
    await running.cleanup()


@pytest.fixture
async def door(url: str) -> AsyncIterator[Door]:
    async with aiohttp.ClientSession() as session:
        yield Door(session, url)


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        yield client


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]
