"""A scatter of labelled points, placed so that it can be drawn, read and printed: no two labels lie on each other.

Pure geometry: x and y from 0 to 100, y upwards; everything placed is in units of the drawing, y downwards.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import cos, pi, sin

WIDTH, HEIGHT = 720, 460
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 14, 40
RADIUS = 11
LETTER, LINE = 7.0, 15  # of a label's type, a little wide
LONGEST = 26  # characters of a label
STEP = 7


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    def meets(self, other: "Box") -> bool:
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    @property
    def is_inside(self) -> bool:
        return (
            self.x >= LEFT and self.x + self.width <= WIDTH and self.y >= 0 and self.y + self.height <= HEIGHT - BOTTOM
        )


@dataclass(frozen=True)
class Point:
    """What is to be placed: `key` names it, `number` stands in its mark, `label` beside it where there is room.
    `is_marked`: it is to stand out."""

    key: str
    number: int
    label: str
    x: float
    y: float
    is_marked: bool = False


@dataclass(frozen=True)
class Mark:
    """Where a point came to lie. Without a `box` there was no room for its label: its number stands for it."""

    point: Point
    x: float
    y: float
    text: str = ""
    box: Box | None = None

    @property
    def baseline(self) -> float:
        return self.box.y + LINE - 4 if self.box else 0


@dataclass(frozen=True)
class Scatter:
    marks: Sequence[Mark]
    ticks: Sequence[int] = (0, 25, 50, 75, 100)
    lines: Sequence[tuple[str, float]] = field(default_factory=tuple)


def across(x: float) -> float:
    return LEFT + RADIUS + x / 100 * (WIDTH - LEFT - RIGHT - 2 * RADIUS)


def down(y: float) -> float:
    return TOP + RADIUS + (100 - y) / 100 * (HEIGHT - TOP - BOTTOM - 2 * RADIUS)


def scatter(points: Sequence[Point]) -> Scatter:
    """The same points give the same picture. Marks that would hide each other move apart; what stands first, stays."""
    placed: list[tuple[Point, float, float]] = []
    for point in points:
        x, y = free_place(across(point.x), down(point.y), [(px, py) for _, px, py in placed])
        placed.append((point, x, y))
    taken = [Box(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS) for _, x, y in placed]
    taken.append(Box(0, 0, WIDTH, TOP))  # the words above the drawing
    marks = []
    for point, x, y in placed:
        text = point.label if len(point.label) <= LONGEST else f"{point.label[: LONGEST - 1].rstrip()}…"
        box = next((box for box in beside(x, y, len(text) * LETTER) if is_free(box, taken)), None)
        if box:
            taken.append(box)
        marks.append(Mark(point, x, y, text if box else "", box))
    return Scatter(marks)


def free_place(x: float, y: float, others: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """As near as it gets to where it belongs, in a spiral, without lying on another by more than a little."""
    for px, py in spiral(x, y):
        if all((px - ox) ** 2 + (py - oy) ** 2 >= (2 * RADIUS) ** 2 for ox, oy in others):
            return px, py
    return x, y


def spiral(x: float, y: float) -> Iterator[tuple[float, float]]:
    yield x, y
    for ring in range(1, 40):
        for n in range(8):
            angle = n * pi / 4 + ring * 0.4
            px, py = x + cos(angle) * ring * STEP, y + sin(angle) * ring * STEP
            if LEFT + RADIUS <= px <= WIDTH - RIGHT - RADIUS and TOP + RADIUS <= py <= HEIGHT - BOTTOM - RADIUS:
                yield px, py


def beside(x: float, y: float, width: float) -> Iterator[Box]:
    """Right of it, left, above, below, then a little further."""
    for gap in (3, 12, 24):
        yield Box(x + RADIUS + gap, y - LINE / 2, width, LINE)
        yield Box(x - RADIUS - gap - width, y - LINE / 2, width, LINE)
        yield Box(x - width / 2, y - RADIUS - gap - LINE, width, LINE)
        yield Box(x - width / 2, y + RADIUS + gap, width, LINE)


def is_free(box: Box, taken: Sequence[Box]) -> bool:
    return box.is_inside and not any(box.meets(other) for other in taken)
