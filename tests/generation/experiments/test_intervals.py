"""How sure one can be: against known tables, and against chance itself."""

import random
from math import inf

import pytest

from generation.experiments import intervals
from generation.experiments.intervals import Estimate, Moments

SIMULATIONS = 1_000


@pytest.mark.parametrize(
    ("freedom", "wanted"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (10, 2.228), (30, 2.042), (100, 1.984), (1e6, 1.960)],
)
def test_students_quantile_is_that_of_the_tables(freedom: float, wanted: float) -> None:
    assert intervals.student(0.95, freedom) == pytest.approx(wanted, abs=0.001)


def test_nothing_is_sure_with_no_degree_of_freedom() -> None:
    assert intervals.student(0.95, 0) == inf


@pytest.mark.parametrize(("freedom", "at"), [(1, 3.841), (2, 5.991), (3, 7.815), (4, 9.488), (6, 12.592), (7, 14.067)])
def test_a_twentieth_of_chi_square_lies_above_the_tables_value(freedom: int, at: float) -> None:
    assert intervals.survival(at, freedom) == pytest.approx(0.05, abs=0.0001)


def test_two_units_are_the_fewest_that_tell_anything() -> None:
    moments = Moments()
    assert moments.estimate() is None
    moments.add(1, 2)
    assert moments.estimate() is None
    moments.add(0, 0)  # it was never asked
    assert moments.estimate() is None
    moments.add(1, 1)
    estimate = moments.estimate()
    assert estimate
    assert estimate.value == pytest.approx(2 / 3)
    assert estimate.n == 2


def test_a_unit_that_is_taken_out_leaves_no_trace() -> None:
    moments, without = Moments(), Moments()
    for y, x in ((1, 3), (2, 2), (0, 5)):
        moments.add(y, x)
        without.add(y, x)
    moments.add(4, 7)
    moments.add(4, 7, sign=-1)
    assert moments == without


def test_an_arm_that_always_fails_is_told_from_one_that_seldom_does() -> None:
    dead, well = Estimate(0.0, 0.0, 200), Estimate(0.95, 0.015, 200)
    found = intervals.difference(dead, well, is_share=True)
    assert found.is_certain
    assert found.low < -0.95 < found.high
    never = intervals.difference(Estimate(0.0, 0.0, 5), Estimate(0.2, 0.2, 5), is_share=True)
    assert not never.is_certain  # five units that did not fail prove nothing


def test_what_never_varied_is_what_it_is() -> None:
    assert intervals.difference(Estimate(150, 0.0, 50), Estimate(150, 0.0, 50)).is_certain is False
    assert intervals.difference(Estimate(151, 0.0, 50), Estimate(150, 0.0, 50)).is_certain
    both = intervals.difference(Estimate(0.0, 0.0, 50), Estimate(0.0, 0.0, 50), is_share=True)
    assert (both.value, both.is_certain) == (0, False)


def test_several_comparisons_share_one_confidence() -> None:
    assert intervals.shared(0.95, 1) == 0.95
    assert intervals.shared(0.95, 2) == pytest.approx(0.975)
    assert intervals.shared(0.95, 0) == 0.95


def units(chance: random.Random, count: int, rate: float) -> Moments:
    """Each with one to thirty calls that are like each other: some units fail far more often than others."""
    moments = Moments()
    for _ in range(count):
        own = chance.betavariate(8 * rate, 8 * (1 - rate))
        calls = chance.randint(1, 30)
        moments.add(sum(chance.random() < own for _ in range(calls)), calls)
    return moments


def finds(one: Moments, other: Moments) -> bool:
    estimates = one.estimate(), other.estimate()
    assert estimates[0]
    assert estimates[1]
    return intervals.difference(estimates[0], estimates[1], is_share=True).is_certain


def test_two_arms_that_are_alike_are_told_apart_in_at_most_six_of_a_hundred() -> None:
    alarms = 0
    for seed in range(SIMULATIONS):
        chance = random.Random(seed)
        alarms += finds(units(chance, 150, 0.12), units(chance, 150, 0.12))
    print(f"{alarms} false alarms in {SIMULATIONS}")
    assert 0.03 * SIMULATIONS <= alarms <= 0.06 * SIMULATIONS


def test_half_the_rate_is_found_at_the_planned_sample() -> None:
    planned = intervals.needed(0.12, 0.06)
    assert planned == 354
    found = 0
    for seed in range(300):
        chance = random.Random(seed)
        arms = [Moments(), Moments()]
        for moments, rate in zip(arms, (0.12, 0.06), strict=True):
            for _ in range(planned):
                moments.add(chance.random() < rate, 1)
        found += finds(arms[1], arms[0])
    assert 0.75 * 300 <= found <= 0.9 * 300  # planned: four in five


def test_the_interval_holds_the_truth_in_nineteen_of_twenty() -> None:
    held = 0
    for seed in range(300):
        estimate = units(random.Random(seed), 60, 0.3).estimate()
        assert estimate
        low, high = estimate.interval()
        held += low <= 0.3 <= high
    assert 0.91 * 300 <= held <= 0.98 * 300


def test_a_quantile_is_as_sure_as_its_rank_and_that_over_units() -> None:
    held = 0
    for seed in range(200):
        chance = random.Random(seed)
        values = []
        for unit in range(80):
            slow = chance.expovariate(1)
            values += [(slow + chance.expovariate(1), unit) for _ in range(chance.randint(1, 10))]
        estimate = intervals.quantile(sorted(values), 0.5)
        assert estimate
        assert estimate.n == 80
        low, high = estimate.interval()
        held += low <= 1.678 <= high  # the median of a sum of two such times
    assert 0.9 * 200 <= held <= 0.995 * 200


def test_no_values_have_no_quantile() -> None:
    assert intervals.quantile([], 0.5) is None
    assert intervals.quantile([(1.0, 1)], 0.5) is None


def test_the_edge_of_a_few_units_is_not_known() -> None:
    ten = [(float(n), n) for n in range(10)]
    assert intervals.quantile(ten, 0.5)
    assert intervals.quantile(ten, 0.95) is None
    assert intervals.quantile([(float(n), n) for n in range(200)], 0.95)


def test_arms_that_are_filled_as_planned_are_likely_and_others_are_not() -> None:
    assert intervals.mismatch([500, 510], [505, 505]) > 0.5
    assert intervals.mismatch([500, 600], [550, 550]) < 0.01
    assert intervals.mismatch([700, 200, 100], [700, 200, 100]) == pytest.approx(1)
    assert intervals.mismatch([0, 0], [0, 0]) == 1
