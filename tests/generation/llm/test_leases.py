import asyncio
import subprocess
import sys

import pytest
from redis.asyncio import Redis

from generation.llm.leases import Leases
from generation.llm.shared import SharedRedis
from generation.llm.values import ModelRef
from tests.generation.llm.redis_server import RedisServer
from tests.patience import PATIENCE_SECONDS

HOLDER = """
import asyncio, sys
from redis.asyncio import Redis
from generation.llm.leases import Leases
from generation.llm.shared import SharedRedis

async def hold():
    async with Leases(SharedRedis(Redis.from_url(sys.argv[1])), seconds=1).hold(sys.argv[2], 1):
        print("held", flush=True)
        await asyncio.sleep(60)

asyncio.run(hold())
"""


class Crowd:
    """Many who want a lease at once; knows how many held one together at most."""

    def __init__(self, provider: str, limit: int) -> None:
        self.provider = provider
        self.limit = limit
        self.inside = 0
        self.most = 0

    async def enter(self, leases: Leases) -> None:
        async with leases.hold(self.provider, self.limit):
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0.01)
            self.inside -= 1


@pytest.mark.parametrize("away", [False, True], ids=["in Redis", "in this process"])
async def test_no_more_than_the_limit_hold_a_lease_and_all_get_one(redis: Redis, model: ModelRef, away: bool) -> None:
    leases = Leases(SharedRedis(None if away else redis))
    crowd = Crowd(model.provider, limit=3)
    await asyncio.gather(*(crowd.enter(leases) for _ in range(20)))
    assert crowd.most == 3


async def test_a_waiting_crowd_asks_redis_no_more_than_one_would(redis: Redis, model: ModelRef) -> None:
    leases = Leases(SharedRedis(redis), poll=0.05)
    crowd = Crowd(model.provider, limit=1)
    async with leases.hold(model.provider, 1):
        before = await questions(redis)
        waiting = asyncio.gather(*(crowd.enter(leases) for _ in range(50)))
        await asyncio.sleep(0.5)
        assert await questions(redis) - before < 20
    await waiting


async def questions(redis: Redis) -> int:
    return int((await redis.info("commandstats"))["cmdstat_eval"]["calls"])


async def test_the_limit_holds_over_processes(redis: Redis, model: ModelRef) -> None:
    processes = [Leases(SharedRedis(redis), poll=0.01) for _ in range(4)]
    crowd = Crowd(model.provider, limit=3)
    await asyncio.gather(*(crowd.enter(processes[number % 4]) for number in range(20)))
    assert crowd.most == 3


async def test_a_lease_of_a_killed_process_expires(redis: Redis, redis_url: str, model: ModelRef) -> None:
    command = (sys.executable, "-c", HOLDER, redis_url, model.provider)
    holder = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    await holder.stdout.readline()
    holder.kill()
    living = Leases(SharedRedis(redis), seconds=1, poll=0.05)
    async with asyncio.timeout(PATIENCE_SECONDS), living.hold(model.provider, 2):
        assert await redis.zcard(f"llm:leases:{model.provider}") == 2
        async with living.hold(model.provider, 2):
            await holder.wait()


async def test_a_held_lease_is_renewed(redis: Redis, model: ModelRef) -> None:
    async with Leases(SharedRedis(redis), seconds=0.15).hold(model.provider, 1):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4), Leases(SharedRedis(redis), poll=0.05).hold(model.provider, 1):
                pass


async def test_a_forgotten_lease_is_entered_again(redis: Redis, model: ModelRef) -> None:
    key = f"llm:leases:{model.provider}"
    async with Leases(SharedRedis(redis), seconds=0.15).hold(model.provider, 1):
        await redis.delete(key)
        await asyncio.sleep(0.1)
        assert await redis.zcard(key) == 1
    assert await redis.zcard(key) == 0


async def test_one_who_gives_up_waiting_leaves_the_line(redis: Redis, model: ModelRef) -> None:
    leases = Leases(SharedRedis(redis))
    async with leases.hold(model.provider, 1):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), leases.hold(model.provider, 1):
                pass
    async with asyncio.timeout(PATIENCE_SECONDS), leases.hold(model.provider, 1):
        pass


async def test_a_killed_redis_costs_no_call_and_the_limit_holds_for_the_process(
    own_redis: RedisServer, model: ModelRef
) -> None:
    async with Redis.from_url(own_redis.url) as redis:
        leases = Leases(SharedRedis(redis), poll=0.01)
        crowd = Crowd(model.provider, limit=2)
        async with asyncio.timeout(PATIENCE_SECONDS), leases.hold(model.provider, 2):
            own_redis.stop()
            await asyncio.gather(*(crowd.enter(leases) for _ in range(5)))
        assert crowd.most == 1
