"""Deals out tokens against a clock: token k is due at start + k / rate, however late the one before it was.

The rate is asked for with each token, so that a new one holds for the streams that are under way, too.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
BURST = 64


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds until the first token, then tokens per second; a rate of 0 is as fast as possible."""

    first_token: float = 0.3
    rate: float = 50.0


class Clock:
    """One stream's timetable, started when the request arrived."""

    def __init__(self, pace: Callable[[], Pace]) -> None:
        self._pace = pace
        self._rate = pace().rate
        self._now = asyncio.get_running_loop().time
        self._start = self._now() + pace().first_token
        self._sent = 0

    async def deal(self, pieces: Sequence[T]) -> AsyncIterator[Sequence[T]]:
        """The pieces in order, in slices of what is due; after a late wake-up a slice holds more than one."""
        done = 0
        while done < len(pieces):
            ready = min(await self._due(), len(pieces) - done)
            self._sent += ready
            yield pieces[done : done + ready]
            done += ready

    async def wait_for(self, count: int) -> None:
        """Returns when the last of `count` pieces would have been due."""
        self._sent += max(0, count - 1)
        await self._due()

    async def _due(self) -> int:
        """How many pieces are due and not sent, at least one: sleeps until then."""
        if (rate := self._pace().rate) != self._rate:
            self._change(rate)
        if not self._rate:
            await asyncio.sleep(max(0.0, self._start - self._now()))
            return BURST
        await asyncio.sleep(max(0.0, self._start + self._sent / self._rate - self._now()))
        return max(1, int((self._now() - self._start) * self._rate) + 1 - self._sent)

    def _change(self, rate: float) -> None:
        """The next piece is due now, or with the first one; those after it follow at the new rate."""
        self._start = max(self._start, self._now()) - (self._sent / rate if rate else 0)
        self._rate = rate
