"""Markdown blocks of the steps that are being written, rendered once each, when they close. Nothing of it is stored."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from generation.models import StepState
from memory.base.markdown import BlockCutter, render


@dataclass(frozen=True, slots=True)
class Block:
    """Block `n` (from 0) of an attempt's text. Told twice, it is the same block."""

    step: str
    attempt: int
    n: int
    html: str

    def frame(self, run_id: UUID) -> dict[str, Any]:
        place = {"step": self.step, "attempt": self.attempt, "n": self.n}
        return {"type": "block", "run": str(run_id), **place, "html": self.html}


@dataclass
class Writing:
    """One step's current attempt, as far as it is known."""

    attempt: int
    cutter: BlockCutter = field(default_factory=BlockCutter)
    blocks: list[Block] = field(default_factory=list)


class Renderer:
    """Fed with a run's events in order, it gives the blocks they close, and keeps those of open steps."""

    def __init__(self) -> None:
        self.writing: dict[str, Writing] = {}

    def feed(self, events: list[dict[str, Any]]) -> list[Block]:
        return [block for event in events for block in self.closed_by(event)]

    def open_blocks(self) -> list[Block]:
        """The closed blocks of the steps that are being written."""
        return [block for writing in self.writing.values() for block in writing.blocks]

    def closed_by(self, event: dict[str, Any]) -> list[Block]:
        data = event["data"]
        if event["type"] == "content_delta":
            writing = self.attempt_of(data["step"], data["attempt"])
            return self.add(data["step"], writing, list(writing.cutter.feed(data["text"])))
        if event["type"] == "step" and data["state"] != StepState.RUNNING:
            return self.end(data["key"])
        if event["type"] == "done":
            self.writing.clear()
        return []

    def attempt_of(self, step: str, attempt: int) -> Writing:
        """A new attempt drops the text of the one before."""
        writing = self.writing.get(step)
        if writing is None or writing.attempt != attempt:
            writing = self.writing[step] = Writing(attempt)
        return writing

    def end(self, step: str) -> list[Block]:
        writing = self.writing.pop(step, None)
        return self.add(step, writing, list(writing.cutter.finish())) if writing else []

    def add(self, step: str, writing: Writing, texts: list[str]) -> list[Block]:
        first = len(writing.blocks)
        new = [Block(step, writing.attempt, n, render(text)) for n, text in enumerate(texts, first)]
        writing.blocks += new
        return new
