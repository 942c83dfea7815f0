"""The scatter of a portfolio: wherever the points lie, no mark hides another and no label lies on anything."""

from hypothesis import given
from hypothesis import strategies as st

from generation.scatter import BOTTOM, HEIGHT, LEFT, RADIUS, WIDTH, Box, Point, across, down, scatter

PLACES = st.sampled_from([0, 0.5, 33, 34, 50, 99, 100])
POINTS = st.lists(st.tuples(PLACES, PLACES, st.text("abcdé ", max_size=40)), max_size=25).map(
    lambda rows: [Point(str(n), n, label, x, y) for n, (x, y, label) in enumerate(rows, 1)]
)


@given(POINTS)
def test_nothing_lies_on_anything(points: list[Point]) -> None:
    drawn = scatter(points)
    assert [mark.point for mark in drawn.marks] == points
    marks = [Box(mark.x - RADIUS, mark.y - RADIUS, 2 * RADIUS, 2 * RADIUS) for mark in drawn.marks]
    labels = [mark.box for mark in drawn.marks if mark.box]
    for n, label in enumerate(labels):
        assert label.is_inside
        assert not any(label.meets(other) for other in [*marks, *labels[n + 1 :]])
    for n, mark in enumerate(drawn.marks):
        assert LEFT <= mark.x <= WIDTH
        assert 0 <= mark.y <= HEIGHT - BOTTOM
        assert all((mark.x - o.x) ** 2 + (mark.y - o.y) ** 2 >= (2 * RADIUS) ** 2 - 1e-6 for o in drawn.marks[n + 1 :])


def test_a_point_alone_lies_where_it_belongs_and_is_named() -> None:
    (mark,) = scatter([Point("a", 1, "Plan the rounds", 60, 40)]).marks
    assert (mark.x, mark.y, mark.text) == (across(60), down(40), "Plan the rounds")
    assert across(0) < across(100)
    assert down(100) < down(0)


def test_a_long_name_is_cut() -> None:
    (mark,) = scatter([Point("a", 1, "x" * 60, 50, 50)]).marks
    assert mark.text == "x" * 25 + "…"


def overlaps(boxes: list[list[float]], others: list[list[float]]) -> list[tuple[list[float], list[float]]]:
    """Pairs that lie on each other by more than a pixel, as a browser has drawn them: x, y, width, height."""
    return [
        (one, other)
        for one in boxes
        for other in others
        if one is not other
        and min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0]) > 1
        and min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1]) > 1
    ]
