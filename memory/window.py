"""What of many texts fits into a window of tokens, and what was decided about each.

Higher priorities are served first; where one had to be cut, nothing is left for those below. Texts of one priority
share fairly: small ones stay whole, large ones are cut to the same size. Values only: the caller says how to count.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

MARK = "\n\n[…]"  # stands where a text was cut
SENTENCE_END = re.compile(r"[.!?…]['\"»”’)\]]*\s|[。！？]|\n")
FIRST_TRY = 1_024

Count = Callable[[str], int]


class Decision(StrEnum):
    KEPT = "kept"
    SHORTENED = "shortened"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Block:
    name: str
    text: str
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A block after the decision; `text` is empty when it was dropped."""

    name: str
    text: str
    decision: Decision
    tokens_before: int
    tokens_after: int


def fit(blocks: Sequence[Block], limit: int, count: Count) -> list[Fitted]:
    """A decision for each block, in their order; the tokens after add up to `limit` at most.

    `count` must give 0 for no text and never less for a longer one.
    """
    sizes = [count(block.text) for block in blocks]
    fitted: dict[int, Fitted] = {}
    left = limit
    by_priority = sorted(range(len(blocks)), key=lambda n: (-blocks[n].priority, sizes[n]))
    for _, group in groupby(by_priority, key=lambda n: blocks[n].priority):
        level = list(group)
        size_for_all = None  # once one was cut: what that leaves over makes no larger one whole
        for place, n in enumerate(level):
            share = left // (len(level) - place) if size_for_all is None else min(left, size_for_all)
            one = fit_one(blocks[n], sizes[n], share, count)
            if one.decision == Decision.DROPPED and size_for_all is None:
                one = fit_one(blocks[n], sizes[n], left, count)  # no share holds a text: better one than none
            if one.decision == Decision.SHORTENED:
                size_for_all = share
            fitted[n] = one
            left -= one.tokens_after
        if any(fitted[n].decision != Decision.KEPT for n in level):
            left = 0
    return [fitted[n] for n in range(len(blocks))]


def fit_one(block: Block, size: int, share: int, count: Count) -> Fitted:
    if size <= share:
        return Fitted(block.name, block.text, Decision.KEPT, size, size)
    text = shorten(block.text, share, count)
    return Fitted(block.name, text, Decision.SHORTENED if text else Decision.DROPPED, size, count(text))


def shorten(text: str, limit: int, count: Count) -> str:
    """The beginning of the text with MARK behind it, cut where a thought ends; empty when not even that fits."""
    reach = FIRST_TRY  # grows to what is needed: a long text is not counted again and again
    while reach < len(text) and count(text[:reach] + MARK) <= limit:
        reach *= 2
    room = bisect_right(range(min(reach, len(text)) + 1), limit, key=lambda n: count(text[:n] + MARK)) - 1
    kept = text[: border(text, room)].rstrip() if room > 0 else ""
    return kept + MARK if kept else ""


def border(text: str, room: int) -> int:
    """The best place to cut in the second half of the room: after a paragraph, a sentence, a word, or anywhere."""
    half = room // 2
    paragraph = text.rfind("\n\n", half, room)
    if paragraph > 0:
        return paragraph
    sentences = [match.end() for match in SENTENCE_END.finditer(text, half, room)]
    return sentences[-1] if sentences else max(text.rfind(" ", half, room), 0) or room
