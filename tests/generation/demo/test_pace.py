"""Tokens come when they are due, and a late one does not delay the next."""

import asyncio
import time

from generation.demo.pace import Clock, Pace
from tests.generation.demo.conftest import Door
from tests.patience import PATIENCE_SECONDS


async def test_tokens_come_at_the_rate_that_is_set(door: Door) -> None:
    await door.post("/control", {"first_token_ms": 200, "tokens_per_second": 100})
    started = time.monotonic()
    seen = await door.stream(max_tokens=51)
    assert 0.69 <= time.monotonic() - started < PATIENCE_SECONDS
    assert len(seen.deltas()) == 51


async def test_an_unstreamed_answer_takes_as_long_as_a_streamed_one(door: Door) -> None:
    await door.post("/control", {"first_token_ms": 100, "tokens_per_second": 100})
    started = time.monotonic()
    await door.stream(max_tokens=21, stream=False)
    assert 0.29 <= time.monotonic() - started < PATIENCE_SECONDS


async def test_a_late_wake_up_brings_all_that_is_due() -> None:
    clock = Clock(lambda: Pace(first_token=0.0, rate=100.0))
    sizes = []
    async for batch in clock.deal(range(20)):
        sizes.append(len(batch))
        if len(sizes) == 1:
            # The loop stands still, as under load.
            time.sleep(0.1)  # noqa: ASYNC251
    assert sum(sizes) == 20
    assert max(sizes) >= 9


async def test_a_rate_of_zero_is_as_fast_as_possible() -> None:
    clock = Clock(lambda: Pace(first_token=0.0, rate=0.0))
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert [each async for batch in clock.deal(range(1000)) for each in batch] == list(range(1000))


async def test_a_new_rate_holds_for_what_is_under_way(door: Door) -> None:
    await door.post("/control", {"first_token_ms": 0, "tokens_per_second": 1})
    slow = asyncio.create_task(door.stream(max_tokens=300))
    await asyncio.sleep(0.5)
    assert not slow.done()
    await door.post("/control", {"tokens_per_second": 1_000})
    async with asyncio.timeout(150):  # at the old rate it would be five minutes
        assert len((await slow).deltas()) > 200


async def test_a_hundred_streams_at_once_keep_their_time(door: Door) -> None:
    await door.post("/control", {"tokens_per_second": 50})
    started = time.monotonic()
    all_seen = await asyncio.gather(*(door.stream(f"Phare {n}", max_tokens=26) for n in range(100)))
    assert time.monotonic() - started < PATIENCE_SECONDS
    assert all(len(seen.deltas()) == 26 for seen in all_seen)
