"""How long a stream may keep its reader waiting: for the first content, between two pieces of it, and in all."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from generation.llm.values import Timeouts
from memory.base.errors import ModelTimeout

T = TypeVar("T")
Pause = Callable[[], Awaitable[None]]


async def at_once() -> None:
    """The reader's pause between two pieces of a stream, for one that reads on as soon as something comes."""


class StreamClock:
    """Only content moves the deadline, so that a trickle of keep-alive comments cannot hold a stream open.

    One timer for the whole stream, which goes on sleeping when the deadline has moved meanwhile: to set and take back
    one for each piece is dear where hundreds stream. Only waiting for the provider is timed, not what the reader does.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle = timeouts.idle
        self._end = self._loop.time() + timeouts.total
        self._stage = "first_token"
        self._deadline = self._loop.time() + timeouts.first_token
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._expired = False

    def content(self) -> None:
        self._stage = "idle"
        self._deadline = self._loop.time() + self._idle

    def linger(self, seconds: float) -> None:
        """The text is complete: what may still follow has this long, whatever it is."""
        self._end = min(self._end, self._loop.time() + seconds)

    async def wait(self, step: Awaitable[T]) -> T:
        """The result of `step`; ModelTimeout named after what did not come: first_token, idle or total."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("Only a task can be told that its time is up.")
        others = task.cancelling()
        self._expired = False
        self._waiting = task
        self._set(min(self._deadline, self._end))
        try:
            try:
                return await step
            finally:
                self._waiting = None
                if self._expired:
                    task.uncancel()
        except asyncio.CancelledError:
            if not self._expired or task.cancelling() > others:
                raise  # by whoever gave up the whole stream
            raise ModelTimeout("total" if self._end <= self._deadline else self._stage) from None

    def stop(self) -> None:
        """The stream is over."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _set(self, due: float) -> None:
        if self._timer is None or due < self._timer.when():
            self.stop()
            self._timer = self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._waiting is None:
            return  # set again by the next wait
        due = min(self._deadline, self._end)
        if self._loop.time() < due:
            self._set(due)
        else:
            self._expired = True
            self._waiting.cancel()
