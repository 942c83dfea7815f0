"""Redis is never the truth: away, frozen, restarted or emptied it costs a delay, and streams do not even notice."""

import asyncio
import os
import signal
from uuid import UUID

import pytest

from tests.chaos import recovery
from tests.chaos.followers import TRANSPORTS, Followers, following
from tests.chaos.invariants import check, recorded_texts, states, until_settled
from tests.chaos.keeper import Keeper, wait_until
from tests.chaos.stack import Stack

AWAY_SECONDS = float(os.environ.get("CHAOS_REDIS_AWAY", "8"))


def begin(stack: Stack, followers: Followers) -> list[UUID]:
    """A note on each queue, with followers on all transports."""
    runs = [stack.begin(queue) for queue in ("default", "web")]
    for run in runs:
        for by in TRANSPORTS:
            followers.follow(run, by, stack.secrets["owner"])
    return runs


def holds(stack: Stack, followers: Followers, runs: list[UUID]) -> None:
    with stack.sql() as sql:
        until_settled(sql, runs)
        assert check(sql, runs, stack.stats()["log"]) == []
        assert followers.violations(recorded_texts(sql, runs)) == []
        assert states(sql, runs) == {"done": len(runs)}


async def test_runs_begin_stream_and_end_while_redis_is_away(stack: Stack) -> None:
    async with following(stack.url) as followers:
        runs = begin(stack, followers)
        await asyncio.to_thread(wait_until, lambda: all(map(stack.is_running, runs)), "the runs to be carried")
        redis = stack.keepers["redis"]
        await asyncio.to_thread(redis.hold)
        away_until = asyncio.get_running_loop().time() + AWAY_SECONDS
        runs += begin(stack, followers)
        try:
            await followers.until_all_ended()
            await asyncio.sleep(away_until - asyncio.get_running_loop().time())
        finally:
            redis.release()
        runs += begin(stack, followers)  # and the house nudges again when it is back
        await followers.until_all_ended()
    holds(stack, followers, runs)


async def test_a_redis_that_does_not_answer_holds_nobody_up_for_long(stack: Stack) -> None:
    async with following(stack.url) as followers:
        runs = begin(stack, followers)
        await asyncio.to_thread(wait_until, lambda: all(map(stack.is_running, runs)), "the runs to be carried")
        await asyncio.to_thread(paused, stack.keepers["redis"], 5.0)
        await followers.until_all_ended()
    holds(stack, followers, runs)


def paused(keeper: Keeper, seconds: float) -> None:
    keeper.send(signal.SIGSTOP)
    try:
        keeper.ending.wait(seconds)
    finally:
        keeper.send(signal.SIGCONT)


@pytest.mark.parametrize("emptied", [False, True], ids=["restarted", "flushed"])
async def test_a_redis_that_forgot_everything_interrupts_no_stream(stack: Stack, emptied: bool) -> None:
    async with following(stack.url) as followers:
        runs = begin(stack, followers)
        for _ in range(3):
            await asyncio.to_thread(stack.flush_redis if emptied else stack.restart_redis)
            runs += begin(stack, followers)
        await followers.until_all_ended()
    holds(stack, followers, runs)


def test_what_redis_forgot_is_nudged_again_long_before_its_turn(stack: Stack) -> None:
    with stack.living_by(RENUDGE_SECONDS="3600"):
        assert recovery.nudge_flushed(stack)
