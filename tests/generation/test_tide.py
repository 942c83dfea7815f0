"""Streams are read in step with the flush: together, never late, and never held up by a database that is away."""

import asyncio

import pytest
from django.db import connections

from generation.flusher import Flusher
from generation.ledger import Ledger
from generation.outbox import Outbox
from generation.tide import Tide
from tests.generation.conftest import Start, taken
from tests.patience import PATIENCE_SECONDS

SOME = 100  # turns of the loop


async def settled() -> None:
    """Whoever can go on has gone on."""
    for _ in range(SOME):
        await asyncio.sleep(0)


class Reader:
    """Reads whatever has come, and pauses."""

    def __init__(self, tide: Tide) -> None:
        self.tide = tide
        self.readings = 0
        self.task = asyncio.ensure_future(self.read())

    async def read(self) -> None:
        while True:
            self.readings += 1
            await self.tide.pause()
            await asyncio.sleep(0)


async def test_nobody_pauses_while_nothing_is_being_written() -> None:
    tide = Tide()
    for _ in range(3):
        await tide.pause()
    tide.hold()
    tide.rest()
    await tide.pause()


async def test_each_pauses_again_and_who_gives_up_takes_nobody_along() -> None:
    tide = Tide()
    tide.hold()
    readers = [Reader(tide) for _ in range(3)]
    await settled()
    assert [reader.readings for reader in readers] == [1, 1, 1]
    readers[0].task.cancel()
    await tide.turn()
    await settled()
    assert [reader.readings for reader in readers] == [1, 2, 2]
    for reader in readers:
        reader.task.cancel()


async def test_a_turn_waits_until_they_have_read() -> None:
    tide, seen = Tide(), list[str]()

    async def read() -> None:
        await tide.pause()
        seen.append("read")

    tide.hold()
    reading = [asyncio.ensure_future(read()) for _ in range(3)]
    await settled()
    await tide.turn()
    seen.append("flush")
    await asyncio.gather(*reading)
    assert seen == ["read", "read", "read", "flush"]


async def test_a_provider_is_read_while_the_database_is_away(
    ringing: None, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, cursor = await taken(start)
    flusher = Flusher(lambda run_id: None, lambda run_id: None)
    outbox = Outbox(cursor, flusher.wake)
    flusher.add(Ledger(run, cursor, outbox, {}, flusher.tide))
    flushing = asyncio.ensure_future(flusher.run())
    with monkeypatch.context() as away:
        away.setitem(connections["default"].settings_dict, "HOST", "/nowhere")
        outbox.tell("status", state="running")
        while flusher.tide.turning is None:
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await flusher.tide.pause()  # and not until it is back
    while cursor.last_seq == 0:
        await asyncio.sleep(0.01)
    flushing.cancel()
    await flusher.close()
