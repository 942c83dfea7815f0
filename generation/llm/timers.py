"""How long a stream may keep its reader waiting: for the first content, between two pieces of it, and in all."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from generation.llm.values import Timeouts
from memory.base.errors import ModelTimeout

T = TypeVar("T")


class StreamClock:
    """Only content moves the deadline, so that a trickle of keep-alive comments cannot hold a stream open."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._now = asyncio.get_running_loop().time
        self._idle = timeouts.idle
        self._end = self._now() + timeouts.total
        self._stage = "first_token"
        self._deadline = self._now() + timeouts.first_token

    def content(self) -> None:
        self._stage = "idle"
        self._deadline = self._now() + self._idle

    def linger(self, seconds: float) -> None:
        """The text is complete: what may still follow has this long, whatever it is."""
        self._end = min(self._end, self._now() + seconds)

    async def wait(self, step: Awaitable[T]) -> T:
        """The result of `step`; ModelTimeout named after what did not come: first_token, idle or total."""
        try:
            async with asyncio.timeout_at(min(self._deadline, self._end)) as scope:
                return await step
        except TimeoutError:
            if not scope.expired():
                raise
            raise ModelTimeout("total" if self._end <= self._deadline else self._stage) from None
