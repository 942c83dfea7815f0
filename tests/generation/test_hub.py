"""The hub: whoever follows, from wherever, by whatever holes, has the same text in the end."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest_asyncio

from generation.carrier import Carrier
from generation.hub import hub
from generation.mailbox import CREDIT_BYTES, MOST_BYTES, Mailbox
from generation.models import Run, Step
from memory.base.database import db as in_database
from memory.base.news import bell
from tests.generation.conftest import Demo, Start, ended
from tests.generation.test_log import fold


@pytest_asyncio.fixture
async def listening() -> AsyncIterator[None]:
    await hub.open()
    yield
    await hub.close()


class Reader:
    """Follows a run, leaves and comes back; keeps what it was sent, in the order of its ranges."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.position = 0
        self.events: list[dict[str, Any]] = []
        self.state = ""
        self.blocks: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    def hear(self, frame: str) -> bool:
        data = orjson.loads(frame)
        if data["type"] == "events":
            assert data["after"] == self.position, "a hole or a double"
            self.position, self.state = data["upto"], data["state"]
            self.events += data["events"]
        else:
            (self.blocks if data["type"] == "block" else self.errors).append(data)
        return True

    async def follow_to_the_end(self, seed: int) -> None:
        chance = random.Random(seed)
        while self.state not in ("done", "partial", "failed", "cancelled"):
            following = hub.follow(self.run.id, self.position, self.hear, wants_html=chance.random() < 0.3)
            await asyncio.sleep(chance.random() * 0.4)
            hub.leave(following)
        # `done` may still be on its way when the state is known.
        following = hub.follow(self.run.id, self.position, self.hear)
        while not self.events or self.events[-1]["type"] != "done":
            await asyncio.sleep(0.01)
        hub.leave(following)


async def recorded(run: Run) -> dict[str, str]:
    return await in_database(lambda: dict(Step.objects.filter(run=run).values_list("key", "text")))


async def test_readers_that_come_and_go_all_have_the_recorded_text(
    listening: None, carrier: Carrier, start: Start, demo: Demo
) -> None:
    demo.set(tokens_per_second=400, first_token_ms=20)
    run = await start()
    readers = [Reader(run) for _ in range(60)]
    await asyncio.wait_for(asyncio.gather(*(one.follow_to_the_end(n) for n, one in enumerate(readers))), 40)
    text = await recorded(run)
    assert all(fold(reader.events) == text for reader in readers)
    assert not hub.followed


async def test_without_any_ring_the_text_still_comes(
    listening: None, carrier: Carrier, start: Start, demo: Demo
) -> None:
    bell.listeners.clear()  # nothing is heard: what is left is reading
    demo.set(tokens_per_second=400)
    run = await start()
    reader = Reader(run)
    await asyncio.wait_for(reader.follow_to_the_end(1), 30)
    assert fold(reader.events) == await recorded(run)


async def test_blocks_come_once_in_order_and_make_up_the_text(
    listening: None, carrier: Carrier, start: Start, demo: Demo
) -> None:
    demo.set(tokens_per_second=1000)
    run = await start()
    reader = Reader(run)
    following = hub.follow(run.id, 0, reader.hear, wants_html=True)
    await ended(run)
    while reader.state != "done":
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    hub.leave(following)
    numbers = [block["n"] for block in reader.blocks if block["step"] == "section-1"]
    assert numbers == list(range(len(numbers)))
    assert numbers
    assert all(block["html"].startswith("<") for block in reader.blocks)


async def test_a_number_the_run_has_not_reached_is_answered_by_an_error(listening: None, start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue="low")
    reader = Reader(run)
    hub.follow(run.id, 999, reader.hear)
    while not reader.errors:
        await asyncio.sleep(0.01)
    assert reader.errors[0]["error_code"] == "validation.since"
    assert not hub.followed


async def test_a_reader_that_takes_nothing_is_left_alone(listening: None) -> None:
    mailbox = Mailbox()
    frame = "x" * 100_000
    taken = [mailbox.put(frame) for _ in range(MOST_BYTES // len(frame) + 2)]
    assert taken[0]
    assert not taken[-1]
    assert mailbox.bytes == 0
    mailbox = Mailbox()
    mailbox.credit = 10
    mailbox.put("0123456789")
    mailbox.put("more")
    assert await mailbox.take() == "0123456789"
    waiting = asyncio.ensure_future(mailbox.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    mailbox.alive()
    assert await waiting == "more"
    assert mailbox.credit == CREDIT_BYTES - 4
