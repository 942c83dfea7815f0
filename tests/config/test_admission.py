"""A process works on so many requests at once; who stands in line is begun in turn, or never once they have left."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
import pytest

from config.admission import Admission
from config.requests import Message, Receive, Send
from memory.base.admitted import wait_outside

AT_ONCE, MOST_IN_LINE = 2, 3
WAITS_OUTSIDE = "/export"
PATHS = {"http": "/api/v1/runs", "websocket": "/ws/"}


class Visitor:
    """One client of the door: `asks` with what it has to say, `hears` what was sent, and may `leave`."""

    def __init__(self, type: str = "http", path: str = "") -> None:
        self.type = type
        self.path = path or PATHS[type]
        self.says: asyncio.Queue[Message] = asyncio.Queue()
        first = {"type": "http.request", "body": b""} if type == "http" else {"type": "websocket.connect"}
        self.says.put_nowait(first)
        self.hears: list[Message] = []

    def leave(self) -> None:
        self.says.put_nowait({"type": f"{self.type}.disconnect"})

    async def send(self, message: Message) -> None:
        self.hears.append(message)

    @property
    def scope(self) -> dict[str, Any]:
        return {
            "type": self.type,
            "method": "GET",
            "path": self.path,
            "query_string": b"",
            "headers": [(b"host", b"localhost"), (b"accept", b"application/json")],
        }


class House:
    """Behind the door: it answers whom it is told to, and knows whom it has begun with."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.heard: list[str] = []
        self.may_answer: dict[str, asyncio.Event] = {}
        self.may_end = asyncio.Event()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        self.begun.append(scope["path"])
        self.heard.append((await receive())["type"])
        if scope["path"] == WAITS_OUTSIDE:
            wait_outside()
        await self.may_answer.setdefault(scope["path"], asyncio.Event()).wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b""})

    def answer(self, path: str) -> None:
        self.may_answer.setdefault(path, asyncio.Event()).set()


@asynccontextmanager
async def door(house: House) -> AsyncIterator[Callable[[Visitor], "asyncio.Task[None]"]]:
    """Let visitors in by `come`; whoever is still there at the end is sent away."""
    admission = Admission(house, AT_ONCE, MOST_IN_LINE)
    tasks: list[asyncio.Task[None]] = []

    def come(visitor: Visitor) -> "asyncio.Task[None]":
        tasks.append(asyncio.create_task(admission(visitor.scope, visitor.says.get, visitor.send)))
        return tasks[-1]

    yield come
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert admission.in_line == 0
    assert not admission.places.locked(), "a place was kept by nobody"


async def turns(count: int = 20) -> None:
    """Whatever can go on without anybody from outside has gone on; or as far as it comes in so many turns."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_so_many_are_worked_on_at_once_and_the_next_in_turn() -> None:
    house = House()
    async with door(house) as come:
        for n in range(4):
            come(Visitor(path=f"/{n}"))
        await turns()
        assert house.begun == ["/0", "/1"]
        house.answer("/1")
        await turns()
        assert house.begun == ["/0", "/1", "/2"], "whose answer has begun works no more: its place is free"
        house.answer("/0")
        await turns()
        assert house.begun == ["/0", "/1", "/2", "/3"]
        assert house.heard == ["http.request"] * 4, "what was said in line is not lost"


async def test_who_leaves_the_line_is_never_begun() -> None:
    house = House()
    async with door(house) as come:
        visitors = [Visitor(path=f"/{n}") for n in range(4)]
        tasks = [come(visitor) for visitor in visitors]
        await turns()
        visitors[2].leave()
        await turns()
        assert tasks[2].done()
        house.answer("/0")
        house.answer("/1")
        await turns()
        assert house.begun == ["/0", "/1", "/3"]


@pytest.mark.parametrize("late", range(8))
async def test_who_is_sent_away_while_its_place_comes_gives_it_back(late: int) -> None:
    house = House()
    async with door(house) as come:
        tasks = [come(Visitor(path=f"/{n}")) for n in range(4)]
        await turns()
        house.answer("/0")
        await turns(late)
        tasks[2].cancel()
        with suppress(asyncio.CancelledError):
            await tasks[2]
        await turns()
        assert "/3" in house.begun


async def test_who_waits_for_other_processes_lets_the_next_one_in() -> None:
    house = House()
    async with door(house) as come:
        for path in (WAITS_OUTSIDE, "/1", "/2", "/3"):
            come(Visitor(path=path))
        await turns()
        assert house.begun == [WAITS_OUTSIDE, "/1", "/2"]
        house.answer(WAITS_OUTSIDE)  # and has no second place to give
        await turns()
        assert house.begun == [WAITS_OUTSIDE, "/1", "/2"]


async def test_a_socket_stands_in_line_too_until_it_is_open() -> None:
    house = House()
    async with door(house) as come:
        for visitor in [Visitor(path="/0"), Visitor("websocket"), Visitor(path="/2")]:
            come(visitor)
        await turns()
        assert house.begun == ["/0", "/ws/"]
        house.answer("/ws/")
        await turns()
        assert house.begun == ["/0", "/ws/", "/2"]


@pytest.mark.parametrize("type", PATHS)
async def test_a_full_line_says_so_at_once(type: str) -> None:
    house = House()
    async with door(house) as come:
        for n in range(AT_ONCE + MOST_IN_LINE):
            come(Visitor(path=f"/{n}"))
        await turns()
        late = Visitor(type)
        refused = come(late)
        await turns()
        assert refused.done()
        assert late.path not in house.begun
        if type == "websocket":
            assert late.hears == [{"type": "websocket.close"}]
            return
        start, body = late.hears
        headers = dict(start["headers"])
        assert start["status"] == 503
        assert headers[b"retry-after"] == b"2"
        assert orjson.loads(body["body"])["error_code"] == "service.busy"


async def test_who_asks_whether_we_live_stands_in_no_line() -> None:
    house = House()
    async with door(house) as come:
        for n in range(AT_ONCE + MOST_IN_LINE):
            come(Visitor(path=f"/{n}"))
        await turns()
        come(Visitor(path="/health/live"))
        await turns()
        assert house.begun[-1] == "/health/live"
