"""What one carried run has to tell and has not told yet: events in order, text gathered per step between two ticks."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from generation.events import Cursor, Draft
from memory.base.text import DeltaGate

Stream = tuple[str, str, int]  # kind of delta, step, attempt


class Outbox:
    """One queue per run: events leave in the order they were told. `lock` is held by whoever is writing."""

    def __init__(self, cursor: Cursor, ring_bell: Callable[[], None]) -> None:
        self.cursor = cursor
        self.lock = asyncio.Lock()
        self.ring_bell = ring_bell
        self.entries: list[Draft | Stream] = []
        self.texts: dict[Stream, list[str]] = {}
        self.gates: dict[Stream, DeltaGate] = {}

    def tell(self, type: str, **data: Any) -> None:
        self.add(Draft.of(type, **data))

    def add(self, draft: Draft) -> None:
        self.entries.append(draft)
        self.ring_bell()

    def delta(self, kind: str, step: str, attempt: int, text: str) -> str:
        """Add streamed text; returns it as it will be stored (cleaned, halves of a character held back)."""
        stream = (kind, step, attempt)
        gate = self.gates.get(stream)
        if gate is None:
            gate = self.gates[stream] = DeltaGate()
        text = gate.clean(text)
        if text:
            self.gather(stream, text)
        return text

    def close(self, kind: str, step: str, attempt: int) -> str:
        """The stream ends: what its gate still held is told too, and returned."""
        gate = self.gates.pop((kind, step, attempt), None)
        text = gate.close() if gate else ""
        if text:
            self.gather((kind, step, attempt), text)
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

    def put_back(self, drafts: list[Draft]) -> None:
        """What could not be written stays first in the queue."""
        self.entries[:0] = drafts
        if drafts:
            self.ring_bell()


def delta_draft(stream: Stream, text: str) -> Draft:
    # The text passed its gate already, and this is the path of every token.
    kind, step, attempt = stream
    return Draft(kind, orjson.dumps({"step": step, "attempt": attempt, "text": text}).decode())
