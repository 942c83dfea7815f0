"""PostgreSQL goes down in the middle of streams, at once and without a word to its sessions."""

import asyncio
import signal
from datetime import UTC, datetime

import pytest

from tests.chaos.followers import following
from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack
from tests.chaos.test_redis import begin, holds

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize("times", [3])
async def test_immediate_restarts_in_the_middle_of_streams_lose_no_word(stack: Stack, times: int) -> None:
    async with following(stack.url) as followers:
        runs = begin(stack, followers)
        for _ in range(times):
            await asyncio.to_thread(wait_until, lambda: stack.streaming(LONG_AGO), "a stream")
            heard = max(reader.upto for reader in followers.readers)
            await asyncio.to_thread(stack.restart_postgresql)
            assert stack.last_seq(runs) >= heard, "followers were told what the log has lost"
            runs += begin(stack, followers)
        await followers.until_all_ended()
    holds(stack, followers, runs)


async def test_five_seconds_without_a_database_are_five_seconds_of_delay(stack: Stack) -> None:
    async with following(stack.url) as followers:
        runs = begin(stack, followers)
        await asyncio.to_thread(wait_until, lambda: stack.streaming(LONG_AGO) >= 2, "both to stream")
        postgresql = stack.keepers["postgresql"]
        await asyncio.to_thread(postgresql.hold, signal.SIGQUIT)
        await asyncio.sleep(5)
        postgresql.release()
        await asyncio.to_thread(wait_until, stack.postgresql.ready, "PostgreSQL")
        await followers.until_all_ended()
    holds(stack, followers, runs)
    assert stack.made_twice(runs) == 0, "owners lost their runs, although they live"
