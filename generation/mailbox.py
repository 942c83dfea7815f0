"""What waits to be sent to one reader. Its size is bounded: a reader that takes nothing is told to catch up by reading.

Daphne takes whatever it is given and never says that a socket is slow, so the reader pays with signs of life: past
CREDIT_BYTES since the last frame it sent, nothing more is handed out.
"""

import asyncio
from collections import deque

CREDIT_BYTES = 4_000_000
MOST_BYTES = 2_000_000


class Mailbox:
    def __init__(self) -> None:
        self.frames: deque[str] = deque()
        self.bytes = 0
        self.credit = CREDIT_BYTES
        self.filled = asyncio.Event()
        self.overflowed = False

    def put(self, frame: str) -> bool:
        """Add a frame; False when the box is full and what it held was thrown away."""
        if self.overflowed:
            return False
        self.frames.append(frame)
        self.bytes += len(frame)
        if self.bytes > MOST_BYTES:
            self.frames.clear()
            self.bytes = 0
            self.overflowed = True
        self.filled.set()
        return not self.overflowed

    async def take(self) -> str | None:
        """The next frame, once there is one and the reader has credit; None when frames were thrown away."""
        while not self.overflowed and (not self.frames or self.credit <= 0):
            self.filled.clear()
            await self.filled.wait()
        if self.overflowed:
            return None
        frame = self.frames.popleft()
        self.bytes -= len(frame)
        self.credit -= len(frame)
        return frame

    def alive(self) -> None:
        """The reader gave a sign of life."""
        self.credit = CREDIT_BYTES
        self.filled.set()
