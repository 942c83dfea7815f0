"""Counts what the demo model served: every request is counted once, and in flight until its handler has ended."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

LOG_LENGTH = 50_000


@dataclass(slots=True)
class Served:
    """One request in the log; its numbers grow while it runs."""

    id: str
    model: str
    fault: str | None
    tokens_in: int
    state: str = "running"
    tokens_out: int = 0
    started: float = field(default_factory=time.time)
    ended: float | None = None


class Stats:
    """Sums and a bounded log; a request that has left the log still counts in the sums."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Starts from zero; requests still running are counted nowhere any more."""
        self._log: deque[Served] = deque(maxlen=LOG_LENGTH)
        self._states: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._tokens_in = self._tokens_out = 0
        self._running: dict[int, Served] = {}

    @contextmanager
    def serving(self, served: Served) -> Iterator[Served]:
        """Counts one request; a cancelled handler or a dead connection means that the client has gone."""
        self._enter(served)
        state = "failed"
        try:
            yield served
            state = "completed"
        except (asyncio.CancelledError, ConnectionError):
            state = "cut_by_client"
            raise
        finally:
            self._leave(served, state)

    def report(self, *, log: bool = True) -> dict[str, Any]:
        """All counts as JSON values."""
        running = self._running.values()
        return {
            "requests": len(running) + self._states.total(),
            "in_flight": len(running),
            "completed": self._states["completed"],
            "failed": self._states["failed"],
            "cut_by_client": self._states["cut_by_client"],
            "by_model": dict(self._models),
            "by_fault": dict(self._faults),
            "tokens_in": self._tokens_in,
            "tokens_out": self._tokens_out + sum(served.tokens_out for served in running),
            "log": [asdict(served) for served in self._log] if log else [],
        }

    def _enter(self, served: Served) -> None:
        self._log.append(served)
        self._running[id(served)] = served
        self._models[served.model] += 1
        self._tokens_in += served.tokens_in
        if served.fault:
            self._faults[served.fault] += 1

    def _leave(self, served: Served, state: str) -> None:
        served.ended = time.time()
        # A fault that has ended the answer itself says so; the cancellation it may cause is not the client's doing.
        if served.state == "running":
            served.state = state
        if self._running.pop(id(served), None):
            self._states[served.state] += 1
            self._tokens_out += served.tokens_out
