"""Two people's versions of what both began from, as one: what only one of them changed is taken, and where both changed
the same words, both stand, one after the other. Nothing that anybody wrote is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from generation.diffs import TOKEN
from memory.base import paths

MOST_TOKENS = 20_000  # past it, texts are merged by lines


@dataclass(frozen=True)
class Merged:
    """`clashes`: both changed the same place differently, and somebody should look at it."""

    value: Any
    clashes: bool = False


@dataclass(frozen=True)
class Edit:
    """These tokens of the base are replaced."""

    start: int
    end: int
    text: str


def merge(base: Any, theirs: Any, mine: Any) -> Merged:
    if paths.same(mine, base) or paths.same(mine, theirs):
        return Merged(theirs)
    if paths.same(theirs, base):
        return Merged(mine)
    if isinstance(theirs, str) and isinstance(mine, str):
        return merge_texts(base if isinstance(base, str) else "", theirs, mine)
    if is_items(theirs) and is_items(mine):
        return merge_items(base if is_items(base) else [], theirs, mine)
    if isinstance(theirs, Mapping) and isinstance(mine, Mapping):
        return merge_fields(base if isinstance(base, Mapping) else {}, theirs, mine)
    return Merged(theirs if mine is None else mine, True)


def merge_fields(base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> Merged:
    merged = {name: merge(base.get(name), theirs.get(name), mine.get(name)) for name in {**theirs, **mine}}
    values = {name: each.value for name, each in merged.items() if each.value is not None}
    return Merged(values, any(each.clashes for each in merged.values()))


def merge_items(base: Sequence[Any], theirs: Sequence[Any], mine: Sequence[Any]) -> Merged:
    """By their ids, in my order; theirs that I do not have come after what they follow. What one removed and the other
    changed stays."""
    old, other, own = by_id(base), by_id(theirs), by_id(mine)
    order = list(own)
    for n, key in enumerate(other):
        if key not in own:
            before = [each for each in list(other)[:n] if each in order]
            order.insert(order.index(before[-1]) + 1 if before else 0, key)
    merged = [(merge(old.get(key), other.get(key), own.get(key))) for key in order]
    return Merged([each.value for each in merged if each.value is not None], any(each.clashes for each in merged))


def by_id(items: Sequence[Any]) -> dict[str, Any]:
    return {str(item.get("id")): item for item in items}


def is_items(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, Mapping) for each in value)


def merge_texts(base: str, theirs: str, mine: str) -> Merged:
    tokens = tokens_of(base, theirs, mine)
    old = tokens(base)
    other, own = edits(old, tokens(theirs)), edits(old, tokens(mine))
    parts, at, clashes = [], 0, False
    while other or own:
        start, end, near = next_place(other, own)
        one, two = applied(old, start, end, near[0]), applied(old, start, end, near[1])
        parts.append("".join(old[at:start]))
        if not near[0] or not near[1] or one == two:
            parts.append(one if near[0] else two)
        else:
            clashes = True
            parts.append(both(one, two))
        at = end
        other, own = other[len(near[0]) :], own[len(near[1]) :]
    return Merged("".join([*parts, *old[at:]]), clashes)


def tokens_of(*texts: str) -> Any:
    if sum(map(len, texts)) > MOST_TOKENS * 5:
        return lambda text: text.splitlines(keepends=True)
    return TOKEN.findall


def edits(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    steps = SequenceMatcher(str.isspace, old, new).get_opcodes()
    return [Edit(i, j, "".join(new[k:m])) for tag, i, j, k, m in steps if tag != "equal"]


def next_place(other: Sequence[Edit], own: Sequence[Edit]) -> tuple[int, int, tuple[list[Edit], list[Edit]]]:
    """The next place of the base that somebody changed, as wide as the edits there reach into each other."""
    first = min([*other[:1], *own[:1]], key=lambda edit: edit.start)
    start, end = first.start, first.end
    near: tuple[list[Edit], list[Edit]] = ([], [])
    grows = True
    while grows:
        grows = False
        for edits, found in ((other, near[0]), (own, near[1])):
            for edit in edits[len(found) :]:
                if edit.start > start and edit.start >= end:
                    break
                found.append(edit)
                end = max(end, edit.end)
                grows = True
    return start, end, near


def applied(old: Sequence[str], start: int, end: int, edits: Sequence[Edit]) -> str:
    parts, at = [], start
    for edit in edits:
        parts += ["".join(old[at : edit.start]), edit.text]
        at = edit.end
    return "".join([*parts, *old[at:end]])


def both(one: str, two: str) -> str:
    """One after the other, with a blank between words."""
    if not one or not two or one[-1].isspace() or two[0].isspace():
        return one + two
    return f"{one} {two}"
