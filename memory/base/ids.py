"""Time-ordered identifiers (UUID version 7, RFC 9562): rows land at the end of their index, ids sort by age."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A UUIDv7, strictly increasing within this process even when the clock stands still or steps back."""
    global _last
    with _lock:
        # 48 bits of milliseconds and 12 bits of fraction, as RFC 9562 section 6.2 method 3 allows.
        stamp = max(time.time_ns() * 4096 // 1_000_000, _last + 1)
        _last = stamp
    random = int.from_bytes(os.urandom(8), "big") & (2**62 - 1)
    return UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random)
