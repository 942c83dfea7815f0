"""Work goes on soon after a blow. The bounds are wide, the house is shared; the figures are `bench_recovery`'s."""

from collections.abc import Callable

import pytest

from tests.chaos import recovery
from tests.chaos.stack import Stack

Measure = Callable[[Stack], list[float]]


@pytest.mark.parametrize(
    "measure", [recovery.horse_killed, recovery.horse_stopped], ids=lambda measure: measure.__name__
)
def test_a_horse_that_ends_is_missed_at_once(stack: Stack, measure: Measure) -> None:
    """The best of three, because it must be sooner than its lease of 2 s could tell."""
    assert min(min(measure(stack)) for _ in range(3)) < 1.4


@pytest.mark.parametrize(
    "measure", [recovery.worker_stopped, recovery.web_stopped], ids=lambda measure: measure.__name__
)
def test_what_is_told_to_end_gives_its_runs_back(stack: Stack, measure: Measure) -> None:
    assert max(measure(stack)) < 6


@pytest.mark.parametrize("measure", [recovery.machine_lost, recovery.web_killed], ids=lambda measure: measure.__name__)
def test_what_died_unseen_is_carried_on_after_its_lease(stack: Stack, measure: Measure) -> None:
    assert max(measure(stack)) < 12


@pytest.mark.parametrize("queue", ["default", "web"])
def test_a_cancelled_run_is_paid_for_no_longer(stack: Stack, queue: str) -> None:
    stack.model(tokens_per_second=30)
    assert max(recovery.cancelled(stack, queue)) < 2
