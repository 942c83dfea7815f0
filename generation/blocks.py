"""Markdown blocks of the steps that are being written, cut when they close, rendered once each, when first sent.

Nothing of it is stored.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from generation.models import StepState
from generation.replay import OpenText
from memory.base import rendered
from memory.base.markdown import BlockCutter, render

KEPT = 256  # blocks that all readers have, for the next who comes


@dataclass(frozen=True)
class Block:
    """Block `n` (from 0) of an attempt's text, closed by the event `seq`. Told twice, it is the same block.

    `end`: where it ends in the text, counted as browsers count (UTF-16), so that they know what is still open.
    """

    step: str
    attempt: int
    n: int
    text: str
    end: int
    seq: int

    @cached_property
    def html(self) -> str:
        return render(self.text)

    def frame(self, run_id: UUID) -> dict[str, Any]:
        place = {"step": self.step, "attempt": self.attempt, "n": self.n, "end": self.end}
        return {"type": "block", "run": str(run_id), **place, "html": self.html}


@dataclass
class Writing:
    """One step's current attempt: how much of it is closed."""

    attempt: int
    cutter: BlockCutter = field(default_factory=BlockCutter)
    count: int = 0
    end: int = 0


class Renderer:
    """Fed with a run's single events in order, it gives the blocks they close, and keeps the last of them."""

    def __init__(self, begun: Iterable[OpenText] = ()) -> None:
        """`begun`: what the open steps had written before the first event that is fed."""
        self.writing: dict[str, Writing] = {}
        self.blocks: deque[Block] = deque()
        for text in begun:
            writing = self.attempt_of(text.step, text.attempt)
            for block in writing.cutter.feed(text.content):
                writing.count += 1
                writing.end += length(block)

    def feed(self, events: list[dict[str, Any]]) -> list[Block]:
        return [block for event in events for block in self.closed_by(event)]

    def closed_in(self, after: int, upto: int) -> list[Block]:
        """The blocks that closed in this range, of those that are kept."""
        return [block for block in self.blocks if after < block.seq <= upto]

    def forget(self, upto: int) -> int:
        """Keep no more than some of the blocks up to this number; the number of the last that is gone, or 0."""
        gone = 0
        while len(self.blocks) > KEPT and self.blocks[0].seq <= upto:
            gone = self.blocks.popleft().seq
        return gone

    def closed_by(self, event: dict[str, Any]) -> list[Block]:
        data = event["data"]
        if event["type"] == "content_delta":
            writing = self.attempt_of(data["step"], data["attempt"])
            return self.add(data["step"], writing, list(writing.cutter.feed(data["text"])), event["seq"])
        if event["type"] == "step" and data["state"] != StepState.RUNNING:
            return self.end(data["key"], event["seq"])
        if event["type"] == "done":
            self.writing.clear()
        return []

    def attempt_of(self, step: str, attempt: int) -> Writing:
        """A new attempt drops the text of the one before."""
        writing = self.writing.get(step)
        if writing is None or writing.attempt != attempt:
            writing = self.writing[step] = Writing(attempt)
        return writing

    def end(self, step: str, seq: int) -> list[Block]:
        writing = self.writing.pop(step, None)
        return self.add(step, writing, list(writing.cutter.finish()), seq) if writing else []

    def add(self, step: str, writing: Writing, texts: list[str], seq: int) -> list[Block]:
        new = []
        for text in texts:
            writing.end += length(text)
            new.append(Block(step, writing.attempt, writing.count, text, writing.end, seq))
            writing.count += 1
        self.blocks += new
        return new


def length(text: str) -> int:
    """As browsers count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Cut:
    """A text that is being written, as far as it has come: blocks as HTML up to `end`, then what is still open."""

    blocks: list[str]
    end: int
    rest: str


def cut(text: str) -> Cut:
    cutter = BlockCutter()
    closed = list(cutter.feed(text))
    done = sum(map(len, closed))
    return Cut([rendered.of(block) for block in closed], length(text[:done]), text[done:])
