"""A ring that speaks of the end of a range is no reason to forget its beginning."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest_asyncio

from generation import claims
from generation.events import Batch, Draft, record
from generation.hub import hub
from generation.models import Queue
from generation.rings import frames
from memory.base.database import db as in_database
from tests.generation.conftest import Start
from tests.patience import PATIENCE_SECONDS


@pytest_asyncio.fixture
async def listening() -> AsyncIterator[None]:
    await hub.open()
    yield
    await hub.close()


def ring_of(batch: Batch) -> dict[str, Any]:
    return {"batches": [[str(batch.run_id), batch.after, batch.upto, frames(batch), batch.state]]}


async def test_what_was_rung_past_a_hole_comes_after_what_is_in_it(listening: None, start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    cursor = (await in_database(claims.take, "owner:1:x", run.id, True))[0].cursor
    heard: list[dict[str, Any]] = []

    def hear(frame: str) -> bool:
        heard.append(orjson.loads(frame))
        return True

    following = hub.follow(run.id, 0, hear)
    await until(lambda: following.position == cursor.last_seq)
    for n in range(3):
        draft = Draft.of("content_delta", step="s", attempt=1, text=str(n))
        batch, _ = await in_database(record, cursor, [draft])
    hub.on_ring(ring_of(batch))
    await until(lambda: following.position == cursor.last_seq)
    hub.leave(following)
    positions = [0, *(frame["upto"] for frame in heard)]
    assert [frame["after"] for frame in heard] == positions[:-1]
    deltas = [event for frame in heard for event in frame["events"] if event["type"] == "content_delta"]
    assert "".join(event["data"]["text"] for event in deltas) == "012"


async def until(seen: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not seen():
            await asyncio.sleep(0.01)
