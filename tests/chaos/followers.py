"""Followers of a run over socket, SSE and polling, that come back by themselves with the last number they saw.

What each of them saw is checked as it comes (I2: ranges follow on each other, attempts replace each other), and its
text per step can be compared with what was recorded.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import aiohttp
import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from tests.patience import PATIENCE_SECONDS

ENDED = ("done", "partial", "failed", "cancelled")
LOST = (OSError, TimeoutError, aiohttp.ClientError, WebSocketException, InvalidHandshake, asyncio.IncompleteReadError)
REST_SECONDS = 0.1
POLL_SECONDS = 0.15
PING_EVERY = 1_000_000  # characters: a reader shows signs of life, or is handed nothing more


@dataclass
class Reader:
    """What one follower has seen of a run, applied as a page does it."""

    run: UUID
    upto: int = 0
    writing: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    dones: int = 0
    seen: int = 0
    connections: int = 0

    @property
    def ended(self) -> bool:
        return self.dones > 0

    def texts(self) -> dict[str, str]:
        return {step: "".join(pieces) for step, (_, pieces) in self.writing.items()}

    def take(self, frame: dict[str, Any]) -> None:
        """A range of events, from whichever door."""
        if frame.get("reset") or frame["after"] != self.upto:
            self.violations.append(f"run {self.run}: after {self.upto} came ({frame['after']}, {frame['upto']}]")
        for event in frame["events"]:
            if not self.seen < event["seq"] <= frame["upto"]:
                self.violations.append(f"run {self.run}: event {event['seq']} came after {self.seen}")
            self.seen = event["seq"]
            self.apply(event["type"], event["data"])
        self.upto = self.seen = frame["upto"]

    def apply(self, type: str, data: dict[str, Any]) -> None:
        if self.dones:
            self.violations.append(f"run {self.run}: {type} came after its end")
        if type == "done":
            self.dones += 1
        step, attempt = data.get("step") or data.get("key"), data.get("attempt")
        if step is None or attempt is None:
            return
        latest, pieces = self.writing.get(step, (0, []))
        if attempt > latest:
            pieces = []
        elif attempt < latest and type.endswith("_delta"):
            self.violations.append(f"run {self.run}: text of attempt {attempt} of {step} came after attempt {latest}")
            return
        if type == "content_delta":
            pieces.append(data["text"])
        self.writing[step] = (max(latest, attempt), pieces)


Follow = Callable[["Followers", Reader, str], Awaitable[None]]


class Followers:
    """Readers on their way; all of one test share one HTTP session. `patience`: seconds until one leaves by itself."""

    def __init__(
        self, url: str, http: aiohttp.ClientSession, patience: float | None = None, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self.url = url
        self.http = http
        self.patience = patience
        self.poll_seconds = poll_seconds
        self.tasks: list[asyncio.Task[None]] = []
        self.readers: list[Reader] = []

    def follow(self, run: UUID, by: "Follow", secret: str, seed: int = 0) -> Reader:
        reader = Reader(run)
        self.readers.append(reader)
        self.tasks.append(asyncio.create_task(self.keep_following(reader, by, secret, random.Random(seed))))
        return reader

    async def keep_following(self, reader: Reader, by: "Follow", secret: str, chance: random.Random) -> None:
        patience = self.patience
        while not reader.ended:
            reader.connections += 1
            upto = reader.upto
            try:
                async with asyncio.timeout(patience and chance.uniform(0.1, 2 * patience)):
                    await by(self, reader, secret)
            except LOST:
                await asyncio.sleep(REST_SECONDS * (1 + chance.random()))
            if patience and reader.upto == upto:
                patience *= 2  # came in vain: a busy machine needs longer to answer

    async def until_all_ended(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(*self.tasks)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def violations(self, recorded: dict[tuple[UUID, str], str]) -> list[str]:
        """What they saw out of order, and where their text is not what was recorded."""
        found = [violation for reader in self.readers for violation in reader.violations]
        for reader in self.readers:
            texts = reader.texts()
            for (run, step), text in recorded.items():
                if run == reader.run and texts.get(step, "") != text:
                    seen = len(texts.get(step, ""))
                    found.append(f"run {run}: a follower has {seen} characters of {step}, recorded are {len(text)}")
        return found


@asynccontextmanager
async def following(
    url: str, patience: float | None = None, poll_seconds: float = POLL_SECONDS
) -> AsyncIterator[Followers]:
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as http:
        followers = Followers(url, http, patience, poll_seconds)
        try:
            yield followers
        finally:
            for task in followers.tasks:
                task.cancel()
            await asyncio.gather(*followers.tasks, return_exceptions=True)


async def by_socket(followers: Followers, reader: Reader, secret: str) -> None:
    address = followers.url.replace("http", "ws", 1) + "/ws/"
    async with connect(address, open_timeout=5, close_timeout=0.2, max_size=None, compression=None) as socket:
        await socket.send(orjson.dumps({"type": "token", "token": secret}).decode())
        await socket.send(orjson.dumps({"type": "follow", "run": str(reader.run), "since": reader.upto}).decode())
        taken = 0
        async for text in socket:
            frame = orjson.loads(text)
            if frame["type"] == "events":
                reader.take(frame)
            elif frame["type"] == "error":
                raise ConnectionError(frame)
            taken += len(text)
            if taken > PING_EVERY:
                taken = 0
                await socket.send('{"type":"ping"}')
            if reader.ended:
                return


async def by_stream(followers: Followers, reader: Reader, secret: str) -> None:
    headers = {"Accept": "text/event-stream", **bearer(secret)}
    if reader.upto:
        headers["Last-Event-ID"] = str(reader.upto)
    address = f"{followers.url}/api/v1/runs/{reader.run}/events"
    async with followers.http.get(address, headers=headers) as response:
        response.raise_for_status()
        async for line in lines(response):
            if line.startswith(b"data: "):
                frame = orjson.loads(line[6:])
                if frame["type"] == "error":
                    raise ConnectionError(frame)
                reader.take(frame)


async def by_polling(followers: Followers, reader: Reader, secret: str) -> None:
    address = f"{followers.url}/api/v1/runs/{reader.run}/events"
    while not reader.ended:
        async with followers.http.get(address, params={"since": reader.upto}, headers=bearer(secret)) as response:
            response.raise_for_status()
            frame = orjson.loads(await response.read())
        reader.take(frame)
        if not frame["events"]:
            await asyncio.sleep(followers.poll_seconds)


TRANSPORTS: tuple[Follow, ...] = (by_socket, by_stream, by_polling)


async def lines(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """Lines of any length (aiohttp's own reader has a limit)."""
    rest = b""
    async for chunk in response.content.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
