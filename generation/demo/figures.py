"""Numbers inside bounds. Fractions carry the arithmetic, so that a multiple of 0.1 is one."""

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, floor, gcd, lcm
from typing import Any

SPREAD = 19
FINEST = Fraction(1, 100)
WIDEST = 10**6


def number(schema: Mapping[str, Any], start: int, turn: int, *, integral: bool) -> float:
    """A number that the schema accepts; neighbouring turns differ as long as there are numbers left."""
    step = _step(schema, integral=integral)
    least, most = _ends(schema, step)
    if least > most:
        return _between(schema)
    room = min(most - least, WIDEST) + 1
    stride = next(n for n in range(max(1, round(room * 0.382)), room + 2) if gcd(n, room) == 1)
    for offset in range(room):
        value = (least + (start + (turn + offset) * stride) % room) * step
        if integral:
            return int(value)
        # Readers divide in floating point: 0.29 / 0.01 is not whole there, so another multiple is better.
        if "multipleOf" not in schema or (float(value) / schema["multipleOf"]).is_integer():
            return float(value)
    return float(least * step)


def has_any(schema: Mapping[str, Any], *, integral: bool) -> bool:
    """Whether a number of the schema's steps lies inside its bounds."""
    least, most = _ends(schema, _step(schema, integral=integral))
    return least <= most


def _step(schema: Mapping[str, Any], *, integral: bool) -> Fraction:
    if "multipleOf" not in schema:
        return Fraction(1) if integral else FINEST
    step = Fraction(str(schema["multipleOf"]))
    return Fraction(lcm(step.numerator, step.denominator), step.denominator) if integral else step


def _ends(schema: Mapping[str, Any], step: Fraction) -> tuple[int, int]:
    """The first and the last multiple of the step inside the bounds; where one is open, a few steps from the other."""
    low, low_open = _bound(schema, "minimum", "exclusiveMinimum", max)
    high, high_open = _bound(schema, "maximum", "exclusiveMaximum", min)
    least = None if low is None else floor(low / step) + 1 if low_open else ceil(low / step)
    most = None if high is None else ceil(high / step) - 1 if high_open else floor(high / step)
    if least is None:
        least = 1 if most is None else min(1, most) if most >= 0 else most - SPREAD
    return least, least + SPREAD if most is None else most


def _bound(schema: Mapping[str, Any], closed: str, opened: str, tighter: Any) -> tuple[Fraction | None, bool]:
    limit, strict = schema.get(closed), schema.get(opened)
    if isinstance(strict, bool):  # the way of draft 4
        return (None if limit is None else Fraction(limit)), strict
    if strict is None or (limit is not None and tighter(limit, strict) != strict):
        return (None if limit is None else Fraction(limit)), False
    return Fraction(strict), True


def _between(schema: Mapping[str, Any]) -> float:
    """For bounds closer together than the step: the middle."""
    ends = [schema[key] for key in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum") if key in schema]
    numbers = [end for end in ends if not isinstance(end, bool)]
    return float((max(numbers) + min(numbers)) / 2)
