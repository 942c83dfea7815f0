"""The hub: whoever follows, from wherever, by whatever holes, has the same text in the end."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest_asyncio

from generation.carrier import Carrier
from generation.flush import connect
from generation.hub import hub
from generation.mailbox import CREDIT_BYTES, MOST_BYTES, Mailbox
from generation.models import Claim, Event, Run, RunState, Step
from memory.base.database import db as in_database
from memory.base.news import RUNS, bell
from tests.generation.conftest import Demo, Start, ended
from tests.generation.test_log import fold
from tests.patience import PATIENCE_SECONDS


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
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(one.follow_to_the_end(n) for n, one in enumerate(readers)))
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
    await asyncio.wait_for(reader.follow_to_the_end(1), PATIENCE_SECONDS)
    assert fold(reader.events) == await recorded(run)


class BadPostman:
    """Brings every ring twice and late, and so in no order."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def hear(self, body: dict[str, Any]) -> None:
        for _ in range(2):
            asyncio.get_running_loop().call_later(self.chance.random() * 0.3, hub.on_ring, body)


async def test_rings_that_come_twice_late_and_out_of_order_change_no_text(
    listening: None, carrier: Carrier, start: Start, demo: Demo
) -> None:
    bell.forget(RUNS, hub.on_ring)
    postman = BadPostman(1)
    bell.listen(RUNS, postman.hear)
    demo.set(tokens_per_second=400, first_token_ms=20)
    run = await start()
    readers = [Reader(run) for _ in range(20)]
    steady = Reader(run)
    following = hub.follow(run.id, 0, steady.hear, wants_html=True)
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(one.follow_to_the_end(n) for n, one in enumerate(readers)))
        while not steady.events or steady.events[-1]["type"] != "done":
            await asyncio.sleep(0.01)
    hub.leave(following)
    bell.forget(RUNS, postman.hear)
    text = await recorded(run)
    assert all(fold(reader.events) == text for reader in [*readers, steady])
    told = [(block["step"], block["n"]) for block in steady.blocks]
    assert len(set(told)) == len(told) > 0
    assert not hub.followed


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


def fill(run: Run) -> None:
    """A log of several ranges, of a run that has ended."""
    text = {"step": "long", "attempt": 1, "text": "x" * 700_000}
    facts = [("content_delta", text), ("content_delta", text), ("content_delta", text), ("done", {"state": "done"})]
    Event.objects.bulk_create(
        Event(run_id=run.id, seq=seq, type=kind, data=data) for seq, (kind, data) in enumerate(facts, 2)
    )
    Claim.objects.filter(run_id=run.id).update(last_seq=5, state=RunState.DONE)


async def test_of_a_long_run_that_has_ended_the_end_is_heard(listening: None, start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue="low")
    await in_database(fill, run)
    reader = Reader(run)
    following = hub.follow(run.id, 0, reader.hear)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not reader.events or reader.events[-1]["type"] != "done":
            await asyncio.sleep(0.01)
    hub.leave(following)
    assert reader.position == 5


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


async def test_who_asks_at_one_place_at_one_time_shares_one_reading(listening: None, start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue="low")
    asked = [asyncio.ensure_future(hub.range(run.id, 0)) for _ in range(20)]
    await asyncio.sleep(0)
    assert len(hub.reads) == 1
    first, *others = await asyncio.gather(*asked)
    assert first.upto == 1
    assert all(other is first for other in others)
    assert not hub.reads


async def test_what_was_written_during_a_reading_is_read_by_who_asks_next(listening: None, start: Start) -> None:
    """Asked again in the very moment in which a reading ends, before anybody was told that it has."""
    run = await start("tests.jobs.three_steps", queue="low")
    reading = asyncio.ensure_future(hub.range(run.id, 1))
    await asyncio.sleep(0)
    task = hub.reads[run.id, 1]
    while not task.done():
        await asyncio.sleep(0)
    with connect("writer") as sql:
        sql.execute(
            "INSERT INTO generation_event (run_id, seq, type, data, at) VALUES (%s, 2, 'status', '{}', now())", [run.id]
        )
        sql.execute("UPDATE generation_claim SET last_seq = 2 WHERE run_id = %s", [run.id])
    assert (await hub.range(run.id, 1)).upto == 2
    assert (await reading).upto == 1
    await asyncio.sleep(0)
    assert not hub.reads
