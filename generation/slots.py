"""How many steps of a run are made at once, and when none is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class LetGo(BaseException):
    """The carrier gives the run back; another will go on after the last recorded step."""


class Slots:
    def __init__(self, count: int) -> None:
        self.leaving = False
        self.active = 0
        self.free = asyncio.Semaphore(count)
        self.idle = asyncio.Event()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """A place among the parallel steps. Once the carrier is leaving none is given: LetGo, when all others ended."""
        async with self.free:
            if self.leaving:
                await self.until_idle()
                raise LetGo
            self.active += 1
            self.idle.clear()
            try:
                yield
            finally:
                self.active -= 1
                if self.active == 0:
                    self.idle.set()

    async def until_idle(self) -> None:
        while self.active:
            await self.idle.wait()
