"""How many requests a provider gets at once, over all processes: leases, which expire with a dead holder."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from generation.llm.shared import RedisAway, SharedRedis

NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
# KEYS: the provider's sorted set of leases by their end. ARGV: milliseconds, limit, lease.
TAKE = (
    NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
"""
)
# A lease that Redis forgot (FLUSHALL, restart) is entered again. ARGV: milliseconds, leases.
RENEW = (
    NOW
    + """
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
"""
)


@dataclass(slots=True)
class Seats:
    """What this process holds of one provider, and its own queue for more."""

    held: set[str] = field(default_factory=set)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    freed: asyncio.Event = field(default_factory=asyncio.Event)


class Leases:
    """For one event loop. While Redis is away, the limit holds for this process alone."""

    def __init__(self, shared: SharedRedis, *, seconds: float = 30, poll: float = 0.2) -> None:
        self._shared = shared
        self._milliseconds = round(seconds * 1000)
        self._poll = poll
        self._seats: defaultdict[str, Seats] = defaultdict(Seats)
        self._renewing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def hold(self, provider: str, limit: int) -> AsyncIterator[None]:
        """Waits until fewer than `limit` leases are held, then holds one; first come, first served in a process."""
        seats, lease = self._seats[provider], token_hex(8)
        # Only the first in line asks Redis: a crowd costs no more questions than one.
        async with seats.turn:
            while not await self._take(provider, limit, lease):
                await self._pause(seats)
        try:
            yield
        finally:
            await self._release(provider, lease)

    async def _take(self, provider: str, limit: int, lease: str) -> bool:
        held = self._seats[provider].held
        try:
            taken = bool(await self._eval(TAKE, provider, limit, lease))
        except RedisAway:
            taken = len(held) < limit
        if taken:
            held.add(lease)
            self._keep_renewing()
        return taken

    async def _pause(self, seats: Seats) -> None:
        """Until this process frees a lease, or for a moment: another process may have freed one."""
        seats.freed.clear()
        try:
            async with asyncio.timeout(self._poll):
                await seats.freed.wait()
        except TimeoutError:
            return

    async def _release(self, provider: str, lease: str) -> None:
        seats = self._seats[provider]
        seats.held.discard(lease)
        try:
            await self._shared.ask(lambda redis: redis.zrem(_key(provider), lease))
        except RedisAway:
            return  # Redis will let it expire.
        finally:
            seats.freed.set()

    def _keep_renewing(self) -> None:
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        """Renews all leases of this process together, until it holds none."""
        while any(seats.held for seats in self._seats.values()):
            await asyncio.sleep(self._milliseconds / 3000)
            for provider, seats in list(self._seats.items()):
                try:
                    if seats.held:
                        await self._eval(RENEW, provider, *seats.held)
                except RedisAway:
                    continue

    async def _eval(self, script: str, provider: str, *args: Any) -> Any:
        return await self._shared.ask(lambda redis: redis.eval(script, 1, _key(provider), self._milliseconds, *args))


def _key(provider: str) -> str:
    return f"llm:leases:{provider}"
