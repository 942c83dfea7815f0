"""The same rules whether the marks are kept in Redis or in this process."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from generation.llm.breaker import Breaker
from generation.llm.shared import SharedRedis
from generation.llm.values import ModelRef
from memory.base.errors import ModelRefused, ModelUnavailable
from tests.generation.llm.redis_server import RedisServer

FAILED = ModelUnavailable("server_error")
PAUSE = 0.25

Make = Callable[[], Breaker]


@pytest.fixture(params=["in Redis", "in this process"])
def make(request: pytest.FixtureRequest, redis: Redis) -> Make:
    shared = SharedRedis(redis if request.param == "in Redis" else None)
    return lambda: Breaker(shared, failures=3, window=60, pause=PAUSE)


async def fail(breaker: Breaker, model: ModelRef, times: int) -> None:
    for _ in range(times):
        await breaker.record(model, FAILED)


async def is_paused(breaker: Breaker, model: ModelRef) -> bool:
    try:
        await breaker.admit(model)
    except ModelUnavailable:
        return True
    return False


async def test_a_model_that_keeps_failing_is_paused(make: Make, model: ModelRef) -> None:
    breaker = make()
    await fail(breaker, model, 2)
    assert not await is_paused(breaker, model)
    await fail(breaker, model, 1)
    assert await is_paused(breaker, model)


async def test_a_pause_says_how_long_it_lasts(make: Make, model: ModelRef) -> None:
    breaker = make()
    await fail(breaker, model, 3)
    with pytest.raises(ModelUnavailable, match="paused") as caught:
        await breaker.admit(model)
    assert 0 < (caught.value.retry_after or 0) <= PAUSE


async def test_another_model_of_the_provider_is_not(make: Make, model: ModelRef) -> None:
    breaker = make()
    await fail(breaker, model, 3)
    assert not await is_paused(breaker, ModelRef(model.provider, "other"))


async def test_a_success_forgets_the_failures(make: Make, model: ModelRef) -> None:
    breaker = make()
    await fail(breaker, model, 2)
    await breaker.record(model, None)
    await fail(breaker, model, 2)
    assert not await is_paused(breaker, model)


async def test_a_refusal_is_no_failure(make: Make, model: ModelRef) -> None:
    breaker = make()
    for _ in range(5):
        await breaker.record(model, ModelRefused("content_filter"))
    assert not await is_paused(breaker, model)


async def test_failures_far_apart_do_not_count_together(redis: Redis, model: ModelRef) -> None:
    for shared in (SharedRedis(redis), SharedRedis(None)):
        breaker = Breaker(shared, failures=3, window=0.2, pause=PAUSE)
        for _ in range(3):
            await fail(breaker, model, 1)
            await asyncio.sleep(0.12)
        assert not await is_paused(breaker, model)


async def test_after_the_pause_one_call_is_let_through(make: Make, model: ModelRef) -> None:
    breaker = make()
    await fail(breaker, model, 3)
    await asyncio.sleep(PAUSE + 0.05)
    assert [await is_paused(breaker, model) for _ in range(3)] == [False, True, True]


async def test_a_trial_that_succeeds_ends_the_suspicion(make: Make, model: ModelRef) -> None:
    breaker = make()
    await fail(breaker, model, 3)
    await asyncio.sleep(PAUSE + 0.05)
    await breaker.admit(model)
    await breaker.record(model, None)
    assert [await is_paused(breaker, model) for _ in range(2)] == [False, False]


async def test_a_trial_that_fails_pauses_again_at_once(make: Make, model: ModelRef) -> None:
    breaker = make()
    await fail(breaker, model, 3)
    await asyncio.sleep(PAUSE + 0.05)
    await breaker.admit(model)
    await asyncio.sleep(PAUSE / 2)
    await fail(breaker, model, 1)
    await asyncio.sleep(PAUSE * 0.7)  # by now the trial itself is over
    assert await is_paused(breaker, model)


async def test_a_trial_that_never_reports_is_replaced(make: Make, model: ModelRef) -> None:
    breaker = make()
    await fail(breaker, model, 3)
    await asyncio.sleep(PAUSE + 0.05)
    await breaker.admit(model)
    await asyncio.sleep(PAUSE + 0.05)
    assert not await is_paused(breaker, model)


async def test_it_is_told_whenever_it_is_found_out_whether_a_model_rests(redis: Redis, model: ModelRef) -> None:
    heard: list[bool] = []
    breaker, other = (
        Breaker(SharedRedis(redis), failures=2, pause=PAUSE, tell=lambda _, rests: heard.append(rests))
        for _ in range(2)
    )
    await fail(breaker, model, 2)
    assert heard == [True]
    await is_paused(other, model)
    assert heard == [True, True]
    await asyncio.sleep(PAUSE + 0.05)
    await other.admit(model)
    assert heard == [True, True, False]
    await fail(other, model, 1)
    await other.record(model, None)
    assert heard == [True, True, False, True, False]


async def test_processes_share_the_pause_through_redis(redis: Redis, model: ModelRef) -> None:
    one, other = (Breaker(SharedRedis(redis), failures=3) for _ in range(2))
    await fail(one, model, 3)
    assert await is_paused(other, model)


async def test_only_one_of_many_gets_the_trial(redis: Redis, model: ModelRef) -> None:
    breakers = [Breaker(SharedRedis(redis), failures=1, pause=PAUSE) for _ in range(10)]
    await fail(breakers[0], model, 1)
    await asyncio.sleep(PAUSE + 0.05)
    waiting: list[Awaitable[bool]] = [is_paused(breaker, model) for breaker in breakers]
    assert sorted(await asyncio.gather(*waiting)) == [False] + [True] * 9


async def test_a_killed_redis_costs_no_call_and_the_process_goes_on_counting(
    own_redis: RedisServer, model: ModelRef
) -> None:
    async with Redis.from_url(own_redis.url) as redis:
        breaker = Breaker(SharedRedis(redis), failures=3)
        await breaker.admit(model)
        own_redis.stop()
        await fail(breaker, model, 3)
        assert await is_paused(breaker, model)
