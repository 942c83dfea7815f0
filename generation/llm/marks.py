"""Marks that fade: the few facts a breaker keeps, in Redis for all processes or in memory for this one."""

from collections import defaultdict, deque
from time import monotonic
from typing import Protocol

from redis.asyncio import Redis


class Marks(Protocol):
    async def left(self, *names: str) -> list[float]:
        """The seconds that each mark still stands, 0 when it does not."""
        ...

    async def set(self, name: str, seconds: float) -> None: ...

    async def claim(self, name: str, seconds: float) -> bool:
        """Sets a mark that does not stand; true for the one caller who set it."""
        ...

    async def burst(self, name: str, times: int, seconds: float) -> bool:
        """Notes one more hit; true when the last `times` hits fell within `seconds`."""
        ...

    async def forget(self, *names: str) -> None: ...


class LocalMarks:
    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        self._hits: defaultdict[str, deque[float]] = defaultdict(deque)

    async def left(self, *names: str) -> list[float]:
        now = monotonic()
        return [max(0.0, self._ends.get(name, now) - now) or float(name in self._hits) for name in names]

    async def set(self, name: str, seconds: float) -> None:
        self._ends[name] = monotonic() + seconds

    async def claim(self, name: str, seconds: float) -> bool:
        (left,) = await self.left(name)
        if not left:
            await self.set(name, seconds)
        return not left

    async def burst(self, name: str, times: int, seconds: float) -> bool:
        hits = self._hits[name]
        hits.append(monotonic())
        while len(hits) > times:
            hits.popleft()
        return len(hits) == times and hits[-1] - hits[0] <= seconds

    async def forget(self, *names: str) -> None:
        for name in names:
            self._ends.pop(name, None)
            self._hits.pop(name, None)


# Redis's clock, because those of the processes differ.
BURST = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local times, window = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('RPUSH', KEYS[1], now)
redis.call('LTRIM', KEYS[1], -times, -1)
redis.call('PEXPIRE', KEYS[1], window)
return redis.call('LLEN', KEYS[1]) == times and now - redis.call('LINDEX', KEYS[1], 0) <= window
"""


class RedisMarks:
    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def left(self, *names: str) -> list[float]:
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.pttl(name)
        return [max(0.0, milliseconds / 1000) for milliseconds in await pipeline.execute()]

    async def set(self, name: str, seconds: float) -> None:
        await self._redis.set(name, 1, px=_milliseconds(seconds))

    async def claim(self, name: str, seconds: float) -> bool:
        return bool(await self._redis.set(name, 1, px=_milliseconds(seconds), nx=True))

    async def burst(self, name: str, times: int, seconds: float) -> bool:
        return bool(await self._redis.eval(BURST, 1, name, times, _milliseconds(seconds)))

    async def forget(self, *names: str) -> None:
        await self._redis.delete(*names)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
