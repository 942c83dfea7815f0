"""Time-ordered identifiers (UUID version 7, RFC 9562): rows land at the end of their index, ids sort by age."""

import os
import threading
import time
from datetime import datetime
from uuid import UUID


class Clock:
    """48 bits of milliseconds and 12 bits of fraction (RFC 9562 section 6.2, method 3), never the same twice."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.last = 0

    def tick(self) -> int:
        with self.lock:
            self.last = max(time.time_ns() * 4096 // 1_000_000, self.last + 1)
            return self.last


clock = Clock()


def new_id() -> UUID:
    """A UUIDv7, strictly increasing within this process even when the clock stands still or steps back."""
    stamp = clock.tick()
    random = int.from_bytes(os.urandom(8), "big") & (2**62 - 1)
    return UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random)


def least_id(at: datetime) -> UUID:
    """No id that was made then or later is below it: rows by age, without an index of their age."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)
