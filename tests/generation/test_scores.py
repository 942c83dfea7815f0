"""Totals, ease and stars over the whole range: whatever is rated and weighted, nothing leaves its bounds."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.fields import cleaned
from generation.recipes.use_case.schema import UseCaseFields
from generation.recipes.use_case_list.schema import DEFAULT_AXES, default_axes
from generation.scores import (
    MOST_WEIGHT,
    RATINGS,
    THRESHOLDS,
    Standing,
    aggregates,
    ease,
    missing,
    standing,
    stars,
    total,
)
from memory.base.errors import InvalidInput

NAMES = st.sampled_from([f"axis-{n}" for n in range(8)])
WEIGHTS = st.one_of(
    st.just(0), st.just(MOST_WEIGHT), st.floats(0, MOST_WEIGHT), st.floats(0, 1e-300), st.integers(0, MOST_WEIGHT)
)
AXES = st.lists(st.fixed_dictionaries({"id": NAMES, "weight": WEIGHTS}), max_size=8, unique_by=lambda axis: axis["id"])
SCORES = st.lists(
    st.fixed_dictionaries({"id": NAMES, "rating": st.sampled_from([*RATINGS, None])}),
    max_size=8,
    unique_by=lambda score: score["id"],
)
Rows = list[dict[str, Any]]


def rated(scores: Rows, axes: Rows) -> dict[str, int]:
    known = {axis["id"] for axis in axes if axis["weight"]}
    return {each["id"]: each["rating"] for each in scores if each["rating"] is not None and each["id"] in known}


@given(SCORES, AXES)
def test_a_total_lies_between_the_ratings_it_is_made_of(scores: Rows, axes: Rows) -> None:
    counted = rated(scores, axes)
    found = total(scores, axes)
    if not counted:
        assert found is None
        assert (ease(found), stars(found)) == (None, None)
        return
    assert found is not None
    assert 0 <= min(counted.values()) <= found <= max(counted.values()) <= 100
    easy, lit = ease(found), stars(found)
    assert easy is not None
    assert 0 <= easy <= 100
    assert lit in range(1, 6)


@given(SCORES, AXES, NAMES, st.sampled_from(RATINGS))
def test_an_axis_of_no_weight_and_one_nobody_rated_change_nothing(
    scores: Rows, axes: Rows, name: str, rating: int
) -> None:
    others = [axis for axis in axes if axis["id"] != name]
    with_nothing = [*others, {"id": name, "weight": 0}]
    assert total([*[each for each in scores if each["id"] != name], {"id": name, "rating": rating}], with_nothing) == (
        total(scores, others)
    )
    assert total([each for each in scores if each["id"] != name], [*others, {"id": name, "weight": 5}]) == (
        total(scores, others)
    )


@given(SCORES, AXES, st.sampled_from([2, 4, 0.5]))
def test_only_the_share_of_a_weight_counts(scores: Rows, axes: Rows, times: float) -> None:
    axes = [axis for axis in axes if axis["weight"] >= 1e-100 or not axis["weight"]]
    scaled = [{**axis, "weight": axis["weight"] * times} for axis in axes]
    assert total(scores, scaled) == total(scores, axes)


@given(SCORES, AXES, NAMES)
def test_a_better_rating_never_lowers_a_total(scores: Rows, axes: Rows, name: str) -> None:
    before = None
    for rating in RATINGS:
        found = total([*[each for each in scores if each["id"] != name], {"id": name, "rating": rating}], axes)
        if before is not None and found is not None:
            assert found >= before
        before = found


def test_the_weighted_mean_by_hand() -> None:
    axes = [{"id": "a", "weight": 2}, {"id": "b", "weight": 1.5}, {"id": "c", "weight": 1.5}]
    scores = [{"id": "a", "rating": 55}, {"id": "b", "rating": 13}, {"id": "gone", "rating": 100}]
    assert total(scores, axes) == pytest.approx((55 * 2 + 13 * 1.5) / 3.5)
    assert missing(scores, axes) == ["c"]


@pytest.mark.parametrize(
    ("of", "lit"),
    [(0, 1), (1.99, 1), (2, 2), (7.9, 2), (8, 3), (33.999, 3), (34, 4), (99.999, 4), (100, 5)],
)
def test_stars_are_the_thresholds_reached(of: float, lit: int) -> None:
    assert stars(of) == lit
    assert THRESHOLDS == (0, 2, 8, 34, 100)


def test_a_portfolio_counts_what_it_knows() -> None:
    every = [Standing(10, 20), Standing(30, None), Standing(None, None)]
    found = aggregates(every)
    assert (found.count, found.mean_value, found.median_value, found.mean_complexity) == (3, 20, 20, 20)
    assert aggregates([]).median_value is None
    assert [each.is_top(10, 20) for each in every] == [True, False, False]
    assert [each.is_known for each in every] == [True, False, False]


def test_a_case_is_rated_by_the_axes_of_its_matrix() -> None:
    value, complexity = default_axes("fr")
    fields = {"value_scores": [{"id": "business_value", "rating": 34}]}
    found = standing(fields, value, complexity)
    assert (found.total_value, found.total_complexity, found.ease) == (34, None, None)
    assert [axis["weight"] for axis in (*value, *complexity)] == [2, 1.5, 1.5, 1, 1.5, 1, 1, 1]
    assert len(DEFAULT_AXES) == 2


@pytest.mark.parametrize("rating", [-1, 2, 50, 101])
def test_a_rating_is_one_of_the_scale(rating: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        cleaned(UseCaseFields, {"value_scores": [{"axis": "business_value", "rating": rating}]})
    assert refused.value.params["problems"][0]["path"] == "value_scores/0/rating"


def test_a_score_is_found_by_its_axis() -> None:
    kept = cleaned(UseCaseFields, {"value_scores": [{"axis": "business_value", "rating": 13, "justification": "So."}]})
    assert kept["value_scores"] == [
        {"id": "business_value", "axis": "business_value", "rating": 13, "justification": "So."}
    ]
