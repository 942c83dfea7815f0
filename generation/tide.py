"""Streams are read in step with the flush: what came between two flushes is read at once, just before the next.

Read piece by piece, hundreds of streams wake their readers for every token, and waking costs more than reading.
"""

import asyncio


class Tide:
    """Readers `pause` between two pieces of their streams; who writes in ticks says when they go on.

    A first word is never kept waiting: while nothing is being written, nobody pauses.
    """

    def __init__(self) -> None:
        self.turning: asyncio.Event | None = None

    async def pause(self) -> None:
        """Until the next flush is due; no time at all while there is none."""
        if self.turning:
            await self.turning.wait()

    def hold(self) -> None:
        """A flush has begun: who pauses from now on waits for the next."""
        self.turning = self.turning or asyncio.Event()

    async def turn(self) -> None:
        """Have all who pause read what has come, before it goes on; each pauses again when it has read."""
        self.rest()
        self.hold()
        await asyncio.sleep(0)  # each of them is woken before this goes on

    def rest(self) -> None:
        """There is no next flush: all read on at their own pace."""
        turning, self.turning = self.turning, None
        if turning:
            turning.set()
