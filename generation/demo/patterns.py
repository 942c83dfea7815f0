"""Text that matches a regular expression, for the simple expressions that schemas use."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

# The parser of `re` is private, and the only one that reads expressions exactly as `re` does.
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

SAMPLES = "abcdefgABCDEFG0123456789 -_.é"
CATEGORIES: Mapping[Any, Callable[[str], bool]] = {
    ops.CATEGORY_DIGIT: str.isdigit,
    ops.CATEGORY_NOT_DIGIT: lambda char: not char.isdigit(),
    ops.CATEGORY_SPACE: str.isspace,
    ops.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    ops.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    ops.CATEGORY_NOT_WORD: lambda char: not (char.isalnum() or char == "_"),
}


def matching(pattern: str, least: int, most: int, turn: int = 0) -> str | None:
    """Text of a length in bounds in which the pattern is found; None when this module cannot make one."""
    try:
        parsed, found = _parser.parse(pattern), re.compile(pattern)
    except re.error:
        return None
    for extra in (*range(9), least, least // 2):
        text = "".join(_text(node, extra, turn) for node in parsed)
        for candidate in (text, text.ljust(least, "a")):
            if least <= len(candidate) <= most and found.search(candidate):
                return candidate
    return None


def _text(node: tuple[Any, Any], extra: int, turn: int) -> str:
    kind, detail = node
    make = NODES.get(kind)
    return make(detail, extra, turn) if make else ""


def _all(nodes: Iterable[tuple[Any, Any]], extra: int, turn: int) -> str:
    return "".join(_text(node, extra, turn) for node in nodes)


def _repeat(detail: tuple[int, int, Any], extra: int, turn: int) -> str:
    least, most, body = detail
    times = min(most, least + extra)
    return "".join(_all(body, extra=0, turn=turn + time) for time in range(times))


def _one_of(members: Sequence[tuple[Any, Any]], extra: int, turn: int) -> str:
    if members[0][0] is ops.NEGATE:
        return _sample(lambda char: not any(_holds(each, char) for each in members[1:]), turn)
    kind, detail = members[turn % len(members)]
    if kind is ops.LITERAL:
        return chr(detail)
    if kind is ops.RANGE:
        return chr(detail[0] + turn % (detail[1] - detail[0] + 1))
    return _sample(CATEGORIES[detail], turn)


def _sample(fits: Callable[[str], bool], turn: int) -> str:
    fitting = [char for char in SAMPLES if fits(char)]
    return fitting[turn % len(fitting)] if fitting else ""


def _holds(member: tuple[Any, Any], char: str) -> bool:
    kind, detail = member
    if kind is ops.LITERAL:
        return chr(detail) == char
    if kind is ops.RANGE:
        return bool(detail[0] <= ord(char) <= detail[1])
    return bool(CATEGORIES[detail](char))


NODES: Mapping[Any, Callable[[Any, int, int], str]] = {
    ops.LITERAL: lambda detail, extra, turn: chr(detail),
    ops.NOT_LITERAL: lambda detail, extra, turn: _sample(lambda char: ord(char) != detail, turn),
    ops.ANY: lambda detail, extra, turn: _sample(str.isalpha, turn),
    ops.IN: _one_of,
    ops.BRANCH: lambda detail, extra, turn: _all(detail[1][turn % len(detail[1])], extra, turn),
    ops.SUBPATTERN: lambda detail, extra, turn: _all(detail[3], extra, turn),
    ops.MAX_REPEAT: _repeat,
    ops.MIN_REPEAT: _repeat,
}
