import asyncio

import pytest
from redis.asyncio import Redis

from generation.llm.shared import RedisAway, SharedRedis
from tests.generation.llm.redis_server import RedisServer
from tests.patience import PATIENCE_SECONDS


async def ping(redis: Redis) -> bool:
    return bool(await redis.ping())


async def test_it_asks_redis_while_redis_answers(redis: Redis) -> None:
    assert await SharedRedis(redis).ask(ping)


async def test_without_redis_it_says_so() -> None:
    with pytest.raises(RedisAway):
        await SharedRedis(None).ask(ping)


async def test_a_redis_seen_away_is_left_alone_and_asked_again_later(own_redis: RedisServer) -> None:
    async with Redis.from_url(own_redis.url) as redis:
        shared = SharedRedis(redis, rest=0.2)
        own_redis.stop()
        for _ in range(2):
            with pytest.raises(RedisAway):
                await shared.ask(ping)
        own_redis.start()
        with pytest.raises(RedisAway) as resting:
            await shared.ask(ping)
        assert resting.value.__cause__ is None
        await asyncio.sleep(0.25)
        assert await shared.ask(ping)


async def test_a_redis_that_does_not_answer_is_not_waited_for() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with Redis(port=server.sockets[0].getsockname()[1]) as redis, asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(RedisAway):
            await SharedRedis(redis, timeout=0.05).ask(ping)
    server.close()


@pytest.mark.parametrize("end", [None, ConnectionError("reset")], ids=["an answer", "a failure"])
async def test_a_cancellation_that_meets_the_end_of_a_write_is_not_lost(redis: Redis, end: Exception | None) -> None:
    """As the client writes: by `asyncio.wait_for`, which in Python 3.11 hands out what came and says no word of it."""
    written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def write(_: Redis) -> None:
        await asyncio.wait_for(written, PATIENCE_SECONDS)

    asking = asyncio.create_task(SharedRedis(redis, timeout=PATIENCE_SECONDS).ask(write))
    await asyncio.sleep(0)
    written.set_exception(end) if end else written.set_result(None)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_a_caller_that_was_cancelled_before_is_answered(redis: Redis) -> None:
    """One that tidies up after its own cancellation, say: it is not cancelled once more."""

    async def tidy() -> bool:
        try:
            await asyncio.sleep(PATIENCE_SECONDS)
        except asyncio.CancelledError:
            return await SharedRedis(redis).ask(ping)
        return False

    tidying = asyncio.create_task(tidy())
    await asyncio.sleep(0)
    tidying.cancel()
    assert await tidying
