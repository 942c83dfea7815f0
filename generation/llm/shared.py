"""State that processes share in Redis while Redis answers; its trouble costs a call a moment once, never the call."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
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
        """The answer to `question`; raises RedisAway. A cancellation of the caller is never lost."""
        if self._redis is None or monotonic() < self._away_until:
            raise RedisAway
        try:
            with cancellations_kept():
                async with asyncio.timeout(self._timeout):
                    return await question(self._redis)
        except (RedisError, OSError, TimeoutError) as trouble:
            self._away_until = monotonic() + self._rest
            raise RedisAway from trouble


@contextmanager
def cancellations_kept() -> Iterator[None]:
    """Before Python 3.12 `asyncio.wait_for`, by which the client writes, swallows a cancellation that meets the end of
    what it waits for: who is cancelled in here is cancelled when it is left."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError
