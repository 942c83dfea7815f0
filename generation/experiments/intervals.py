"""How sure one can be: intervals over units, whether the arms were filled as planned, how many units a question takes.

A unit's calls are like each other, so that units are counted and never calls: a rate is a ratio of two sums over units,
its variance that of the linearised ratio (the delta method; Deng, Knoblich, Lu: "Applying the Delta Method in Metric
Analytics", KDD 2018), the interval Welch's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, erfc, exp, expm1, inf, pi, sqrt, tan
from statistics import NormalDist

CONFIDENCE = 0.95
POWER = 0.8
NORMAL = NormalDist()


@dataclass
class Moments:
    """Sums over units of x (the denominators), y (the numerators) and their products: all that a ratio needs."""

    n: int = 0
    x: float = 0
    y: float = 0
    xx: float = 0
    yy: float = 0
    xy: float = 0

    def add(self, y: float, x: float, sign: int = 1) -> None:
        """One unit more (or less); one that was never asked tells nothing."""
        if x:
            self.n += sign
            self.x += sign * x
            self.y += sign * y
            self.xx += sign * x * x
            self.yy += sign * y * y
            self.xy += sign * x * y

    def estimate(self) -> Estimate | None:
        """None before two units were asked."""
        if self.n < 2 or not self.x:
            return None
        ratio = self.y / self.x
        spread = max(0.0, self.yy - 2 * ratio * self.xy + ratio * ratio * self.xx) / (self.n - 1)
        return Estimate(ratio, sqrt(spread * self.n) / self.x, self.n)


@dataclass(frozen=True)
class Estimate:
    """A value, its standard error, and over how many units."""

    value: float
    error: float
    n: int

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        half = student(confidence, self.n - 1) * self.error
        return self.value - half, self.value + half


@dataclass(frozen=True)
class Difference:
    """Between an arm and the control: it lies in `low` to `high` with the confidence that was asked for."""

    value: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        return not self.low <= 0 <= self.high


def difference(
    arm: Estimate, control: Estimate, confidence: float = CONFIDENCE, *, is_share: bool = False
) -> Difference:
    """Where neither has varied it is exactly what it is; a share that has not is as sure as its units are many."""
    errors = [floored(each) if is_share else each.error for each in (arm, control)]
    squares = errors[0] ** 2, errors[1] ** 2
    value = arm.value - control.value
    if not any(squares):
        return Difference(value, value, value)
    freedom = sum(squares) ** 2 / (squares[0] ** 2 / (arm.n - 1) + squares[1] ** 2 / (control.n - 1))
    half = student(confidence, freedom) * sqrt(sum(squares))
    return Difference(value, value - half, value + half)


def floored(known: Estimate) -> float:
    """The error of a share that was the same for all units: as if four more had come, two of either kind (Agresti and
    Coull 1998)."""
    if known.error:
        return known.error
    share = (known.value * known.n + 2) / (known.n + 4)
    return sqrt(share * (1 - share) / (known.n + 4))


def shared(confidence: float, comparisons: int) -> float:
    """The confidence of each so that all hold together with this one (Bonferroni)."""
    return 1 - (1 - confidence) / max(1, comparisons)


def student(confidence: float, freedom: float) -> float:
    """The two-sided quantile of Student's t, for whole and broken degrees from 1 on (Hill 1970, algorithm 396)."""
    if freedom < 1:
        return inf
    tail = 1 - confidence
    if freedom == 1:
        return 1 / tan(tail * pi / 2)
    if freedom == 2:
        return sqrt(2 / (tail * (2 - tail)) - 2)
    a = 1 / (freedom - 0.5)
    b = 48 / a**2
    c = ((20_700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * sqrt(a * pi / 2) * freedom
    y = (d * tail) ** (2 / freedom)
    if y <= a + 0.05:
        y = 1 / (((freedom + 6) / (freedom * y) - 0.089 * d - 0.822) * (freedom + 2) * 3) + 0.5 / (freedom + 4)
        y = (y * (d * tail) ** (2 / freedom) - 1) * (freedom + 1) / (freedom + 2) + 1 / (d * tail) ** (2 / freedom)
        return sqrt(freedom * y)
    x = NORMAL.inv_cdf(tail / 2)
    y = x * x
    c += 0.3 * (freedom - 4.5) * (x + 0.6) if freedom < 5 else 0
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
    return sqrt(freedom * expm1(a * y * y))


def quantile(values: Sequence[tuple[float, object]], at: float) -> Estimate | None:
    """Of values that are tagged with their unit: the value, and its standard error from how sure its rank is.

    `values` in ascending order. The rank of the quantile is a ratio over units, too (Deng and others, as above). None
    where so few units came that the rank could lie past either end.
    """
    if not values:
        return None
    value = values[rank(at, len(values))][0]
    by_unit: dict[object, list[int]] = {}
    for each, unit in values:
        counted = by_unit.setdefault(unit, [0, 0])
        counted[0] += each <= value
        counted[1] += 1
    moments = Moments()
    for below, all_of_it in by_unit.values():
        moments.add(below, all_of_it)
    share = moments.estimate()
    if share is None:
        return None
    z = NORMAL.inv_cdf(0.5 + CONFIDENCE / 2)
    if not share.error or not 0 < at - z * share.error < at + z * share.error < 1:
        return None
    low, high = (values[rank(at + sign * z * share.error, len(values))][0] for sign in (-1, 1))
    return Estimate(value, (high - low) / (2 * z), moments.n)


def rank(at: float, count: int) -> int:
    return min(count - 1, max(0, ceil(at * count) - 1))


def mismatch(counted: Sequence[int], expected: Sequence[float]) -> float:
    """How likely arms would be filled so unevenly by chance (chi-square, up to four arms); 1 before anybody came."""
    filled = [(seen, wanted) for seen, wanted in zip(counted, expected, strict=True) if wanted]
    if not filled:
        return 1.0
    return survival(sum((seen - wanted) ** 2 / wanted for seen, wanted in filled), len(filled) - 1)


def survival(chi_square: float, freedom: int) -> float:
    """The share of chi-square's distribution that lies above, in closed form: by steps of two degrees of freedom."""
    if freedom <= 0:
        return 1.0
    half, odd = chi_square / 2, freedom % 2
    share, term = (erfc(sqrt(half)), 2 * sqrt(half / pi)) if odd else (exp(-half), half)
    for step in range(1, (freedom + odd) // 2):
        share += term * exp(-half)
        term *= half / (step + (0.5 if odd else 1))
    return share


def needed(share: float, wanted: float, power: float = POWER) -> int:
    """Units of each arm so that a change of a share from one to the other is found with this power, if each unit is
    asked once."""
    z = NORMAL.inv_cdf(0.5 + CONFIDENCE / 2) + NORMAL.inv_cdf(power)
    spread = share * (1 - share) + wanted * (1 - wanted)
    return max(2, ceil(z * z * spread / (share - wanted) ** 2))


def found_by(known: Estimate, units: int, power: float = POWER) -> float:
    """The difference that two arms of so many units find with this power, where units vary as they are known to."""
    z = NORMAL.inv_cdf(0.5 + CONFIDENCE / 2) + NORMAL.inv_cdf(power)
    return z * known.error * sqrt(known.n) * sqrt(2 / units)
