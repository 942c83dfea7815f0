"""A metric over time as a picture: one line and one band for each arm, drawn by the server as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor, log10
from uuid import UUID

from generation.experiments import wording
from generation.experiments.evidence import Point
from generation.experiments.metrics import Metric
from generation.models import Arm

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 8, 10, 24
TICKS = 4


@dataclass(frozen=True)
class Line:
    """`points` and `band` as SVG writes them; `said` is what is known at the end."""

    arm: Arm
    index: int
    points: str
    band: str
    end: tuple[float, float]
    said: str


@dataclass(frozen=True)
class Tick:
    y: float
    said: str


@dataclass(frozen=True)
class Plot:
    metric: Metric
    lines: Sequence[Line]
    ticks: Sequence[Tick]
    begin: datetime
    end: datetime
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def plot(metric: Metric, arms: Sequence[Arm], known: Mapping[UUID, Sequence[Point]], begin: datetime) -> Plot | None:
    """None before there is anything to draw."""
    points = [point for arm in arms for point in known.get(arm.id, ())]
    if not points:
        return None
    end = max(point.at for point in points)
    low, high = bounds(metric, points)
    scale = Scale(begin, end, low, high)
    lines = [line(scale, metric, arm, index, known[arm.id]) for index, arm in enumerate(arms) if known.get(arm.id)]
    return Plot(metric, lines, ticks(scale, metric), begin, end)


@dataclass(frozen=True)
class Scale:
    begin: datetime
    end: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        all_of_it = (self.end - self.begin).total_seconds() or 1.0
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (at - self.begin).total_seconds() / all_of_it, 1)

    def y(self, value: float) -> float:
        inside = min(self.high, max(self.low, value))
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (inside - self.low) / (self.high - self.low), 1)


def bounds(metric: Metric, points: Sequence[Point]) -> tuple[float, float]:
    """Around the values and what is known of them at the end; the width of the first, wide intervals is cut."""
    values = [point.estimate.value for point in points]
    last = points[len(points) // 2 :]
    spans = [point.estimate.interval() for point in last]
    low = max(0.0, min([*values, *(span[0] for span in spans)]))
    high = max([*values, *(span[1] for span in spans)])
    if metric.form == "share":
        high = min(1.0, high)
    room = (high - low) * 0.05 or high * 0.1 or 1.0
    return max(0.0, low - room), high + room


def line(scale: Scale, metric: Metric, arm: Arm, index: int, points: Sequence[Point]) -> Line:
    middle = [(scale.x(point.at), scale.y(point.estimate.value)) for point in points]
    spans = [(scale.x(point.at), *point.estimate.interval()) for point in points]
    upper = [(x, scale.y(high)) for x, _low, high in spans]
    lower = [(x, scale.y(low)) for x, low, _high in reversed(spans)]
    said = wording.value(metric, points[-1].estimate.value)
    return Line(arm, index, written(middle), written([*upper, *lower]), middle[-1], said)


def written(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def ticks(scale: Scale, metric: Metric) -> list[Tick]:
    """At round values, as many as can be read."""
    step = round_step((scale.high - scale.low) / TICKS)
    first = floor(scale.low / step) + 1
    values = [step * n for n in range(first, first + 2 * TICKS + 2) if step * n <= scale.high]
    return [Tick(scale.y(value), wording.tick(metric, value)) for value in values]


def round_step(least: float) -> float:
    power = 10.0 ** floor(log10(least))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= least)
