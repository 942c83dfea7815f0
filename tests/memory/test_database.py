"""The seam between the colours: what was begun is known to have ended."""

import asyncio
import time

import pytest

from memory.base.database import finished


async def test_who_is_stopped_twice_still_waits_for_what_was_begun() -> None:
    ended: list[float] = []

    def work() -> None:
        time.sleep(0.3)
        ended.append(time.monotonic())

    task = asyncio.create_task(finished(asyncio.ensure_future(asyncio.to_thread(work))))
    for _ in range(2):
        await asyncio.sleep(0.05)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(ended) == 1
