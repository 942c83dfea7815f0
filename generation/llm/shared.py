"""State that processes share in Redis while Redis answers; its trouble costs a call a moment once, never the call."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

T = TypeVar("T")


class RedisAway(Exception):
    """Redis did not answer, or is not asked again yet: use what this process knows."""


class SharedRedis:
    """Asks Redis with a short timeout; once seen away, it is left alone for `rest` seconds."""

    def __init__(self, redis: Redis | None, *, timeout: float = 0.25, rest: float = 5) -> None:
        self._redis = redis
        self._timeout = timeout
        self._rest = rest
        self._away_until = 0.0

    async def ask(self, question: Callable[[Redis], Awaitable[T]]) -> T:
        """The answer to `question`; raises RedisAway."""
        if self._redis is None or monotonic() < self._away_until:
            raise RedisAway
        try:
            async with asyncio.timeout(self._timeout):
                return await question(self._redis)
        except (RedisError, OSError, TimeoutError) as trouble:
            self._away_until = monotonic() + self._rest
            raise RedisAway from trouble
