"""What changed between two texts, word by word, for people to read: words that stay, that went, that came.

Two texts of a page are compared line by line, and only what differs word by word: the work stays near to linear.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

SAME, WENT, CAME, GAP = "same", "del", "ins", "gap"
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
MOST_TOKENS = 4_000  # of one place that differs: past it, the place is shown as gone and come, whole
FEW_TOKENS = 800  # up to here words that come again and again are compared, too
LEAST_LIKE = 0.3  # of two texts that share less than this, both are shown whole instead of in crumbs
AROUND = 80  # characters that stay beside a change
LONGEST = 400  # characters of one span in a glimpse
MOST = 1_000  # characters of a glimpse
WINDOW = 6_000  # characters that a glimpse compares


@dataclass(frozen=True)
class Span:
    kind: str
    text: str = ""


@dataclass(frozen=True)
class Diff:
    spans: tuple[Span, ...]
    is_shortened: bool = False


def diff(before: str, after: str) -> Diff:
    return Diff(tuple(joined(by_lines(before, after))))


def glimpse(before: str, after: str) -> Diff:
    """The beginning of what changed, with a few words around it: quick, whatever the length."""
    start = shared_start(before, after)
    end = shared_start(before[start:][::-1], after[start:][::-1])
    start, end = word_before(before, start - AROUND), word_before(before[::-1], end - AROUND)
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    cut = max(len(old), len(new)) > WINDOW
    spans = shortened(joined(by_lines(old[:WINDOW], new[:WINDOW])))
    ends = (Span(GAP),) * bool(start), (Span(GAP),) * bool(end or cut)
    shown = tuple(joined(first(MOST, [*ends[0], *spans, *ends[1]])))
    return Diff(shown, any(span.kind == GAP for span in shown))


def word_before(text: str, at: int) -> int:
    """The end of a word at or not far before this place: no text is cut in the middle of one."""
    if at <= 0:
        return 0
    blank = text.rfind(" ", max(0, at - AROUND // 2), at)
    return blank if blank >= 0 else at


def first(most: int, spans: Iterable[Span]) -> Iterator[Span]:
    for span in spans:
        if most <= 0:
            yield Span(GAP)
            return
        most -= len(span.text)
        yield span


def shared_start(one: str, other: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


def by_lines(before: str, after: str) -> Iterator[Span]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=len(old) + len(new) > 2_000).get_opcodes():
        if tag == "equal":
            yield Span(SAME, "".join(old[i:j]))
        else:
            yield from by_words("".join(old[i:j]), "".join(new[k:m]))


def by_words(before: str, after: str) -> Iterator[Span]:
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if max(len(old), len(new)) > MOST_TOKENS:
        return iter((Span(WENT, before), Span(CAME, after)))
    steps = SequenceMatcher(str.isspace, old, new, autojunk=max(len(old), len(new)) > FEW_TOKENS).get_opcodes()
    same = sum(len("".join(old[i:j]).strip()) for tag, i, j, _, _ in steps if tag == "equal")
    if same < LEAST_LIKE * min(len(before), len(after)):
        return iter((Span(WENT, before), Span(CAME, after)))
    return spans_of(steps, old, new)


def spans_of(steps: Sequence[tuple[str, int, int, int, int]], old: Sequence[str], new: Sequence[str]) -> Iterator[Span]:
    """Blanks between two changes belong to them: a phrase goes as a phrase, not word for word."""
    went = came = ""
    for n, (tag, i, j, k, m) in enumerate(steps):
        text = "".join(old[i:j])
        if tag == "equal" and not (text.isspace() and 0 < n < len(steps) - 1):
            yield from (Span(WENT, went), Span(CAME, came), Span(SAME, text))
            went = came = ""
        else:
            went, came = went + text, came + "".join(new[k:m])
    yield from (Span(WENT, went), Span(CAME, came))


def joined(spans: Iterable[Span]) -> list[Span]:
    """Neighbours of one kind as one span, none of them empty."""
    kept: list[Span] = []
    for span in spans:
        if span.kind != GAP and not span.text:
            continue
        before = kept.pop().text if kept and kept[-1].kind == span.kind else ""
        kept.append(Span(span.kind, before + span.text))
    return kept


def shortened(spans: Sequence[Span]) -> Iterator[Span]:
    """What stays is cut to what is near a change, what went or came to its beginning."""
    for n, span in enumerate(spans):
        most = AROUND * 2 if span.kind == SAME else LONGEST
        if len(span.text) <= most + AROUND:
            yield span
        elif span.kind != SAME:
            yield from (Span(span.kind, span.text[: word_before(span.text, most)]), Span(GAP))
        else:
            head, tail = word_before(span.text, AROUND), word_before(span.text[::-1], AROUND)
            yield Span(SAME, span.text[:head] if n else "")
            yield from (Span(GAP), Span(SAME, span.text[-tail:] if tail and n < len(spans) - 1 else ""))
