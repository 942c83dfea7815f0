"""What one carried run has to tell and has not told yet: events in order, text gathered per step between two ticks."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from generation.events import Cursor, Draft
from memory.base.text import DeltaGate

DEFER_SECONDS = 0.015

Stream = tuple[str, str, int, int]  # kind of delta, step, attempt, and which call of a tool it is; -1 for text
TEXT = -1


class Outbox:
    """One queue per run: events leave in the order they were told. `lock` is held by whoever is writing."""

    def __init__(self, cursor: Cursor, ring_bell: Callable[[], None]) -> None:
        self.cursor = cursor
        self.lock = asyncio.Lock()
        self.ring_bell = ring_bell
        self.entries: list[Draft | Stream] = []
        self.writes: list[Callable[[], object]] = []
        self.writes_due = 0.0
        self.texts: dict[Stream, list[str]] = {}
        self.gates: dict[Stream, DeltaGate] = {}

    def tell(self, type: str, **data: Any) -> None:
        self.add(Draft.of(type, **data))

    def add(self, draft: Draft) -> None:
        self.entries.append(draft)
        self.ring_bell()

    def defer(self, draft: Draft, write: Callable[[], object]) -> None:
        """Tell the draft, and make the write in the very transaction that carries it.

        That is the next one the run makes anyway, or one of its own DEFER_SECONDS from now.
        """
        if not self.writes:
            self.writes_due = time.monotonic() + DEFER_SECONDS
            asyncio.get_running_loop().call_later(DEFER_SECONDS, self.ring_bell)
        self.writes.append(write)
        self.entries.append(draft)

    def can_be_flushed(self) -> bool:
        """Whether there are events that need no write, and nobody is writing."""
        return bool(self.entries) and not self.writes and not self.lock.locked()

    def is_due(self) -> bool:
        return bool(self.writes) and not self.lock.locked() and time.monotonic() >= self.writes_due

    def take_writes(self) -> list[Callable[[], object]]:
        writes, self.writes = self.writes, []
        return writes

    def delta(self, kind: str, step: str, attempt: int, text: str, index: int = TEXT) -> str:
        """Add streamed text; returns it as it will be stored (cleaned, halves of a character held back)."""
        stream = (kind, step, attempt, index)
        gate = self.gates.get(stream)
        if gate is None:
            gate = self.gates[stream] = DeltaGate()
        text = gate.clean(text)
        if text:
            self.gather(stream, text)
        return text

    def close(self, kind: str, step: str, attempt: int, index: int = TEXT) -> str:
        """The stream ends: what its gate still held is told too, and returned."""
        stream = (kind, step, attempt, index)
        gate = self.gates.pop(stream, None)
        text = gate.close() if gate else ""
        if text:
            self.gather(stream, text)
        return text

    def gather(self, stream: Stream, text: str) -> None:
        pieces = self.texts.get(stream)
        if pieces is None:
            self.texts[stream] = [text]
            self.entries.append(stream)
            self.ring_bell()
        else:
            pieces.append(text)

    def take(self) -> list[Draft]:
        """Everything told so far, as drafts; the next text of a stream begins a new delta."""
        entries, self.entries = self.entries, []
        texts, self.texts = self.texts, {}
        return [entry if isinstance(entry, Draft) else delta_draft(entry, "".join(texts[entry])) for entry in entries]

    def put_back(self, drafts: list[Draft], writes: Sequence[Callable[[], object]] = ()) -> None:
        """What could not be written stays first in the queue."""
        self.entries[:0] = drafts
        self.writes[:0] = writes
        if drafts:
            self.ring_bell()


def delta_draft(stream: Stream, text: str) -> Draft:
    # The text passed its gate already, and this is the path of every token.
    kind, step, attempt, index = stream
    which = {} if index == TEXT else {"index": index}
    return Draft(kind, orjson.dumps({"step": step, "attempt": attempt, **which, "text": text}).decode())
