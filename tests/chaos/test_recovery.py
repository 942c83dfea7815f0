"""Work goes on after a blow, and for the right reason. How soon is `bench_recovery`'s to measure."""

from collections.abc import Callable

import pytest

from tests.chaos import recovery
from tests.chaos.stack import Stack

Measure = Callable[[Stack], list[float]]

REASONS = "SELECT data->>'reason', count(*) FROM generation_event WHERE type = 'status' GROUP BY 1"


def reasons(stack: Stack) -> dict[str, int]:
    """Why runs were queued again, so far."""
    with stack.sql() as sql:
        return {str(reason): int(count) for reason, count in sql.execute(REASONS).fetchall()}


def missed_horses(stack: Stack) -> int:
    return sum((stack.logs / f"{keeper.name}.log").read_text().count("horse_died") for keeper in stack.workers())


def test_a_dead_horse_is_missed_by_its_parent_and_not_by_its_lease(stack: Stack) -> None:
    before = missed_horses(stack)
    assert recovery.horse_killed(stack)
    assert missed_horses(stack) > before


@pytest.mark.parametrize(
    "measure",
    [recovery.horse_stopped, recovery.worker_stopped, recovery.web_stopped],
    ids=lambda measure: measure.__name__,
)
def test_what_is_told_to_end_gives_its_runs_back(stack: Stack, measure: Measure) -> None:
    before = reasons(stack)
    assert measure(stack)
    after = reasons(stack)
    assert after.get("let_go", 0) > before.get("let_go", 0)
    assert after.get("crashed", 0) == before.get("crashed", 0)


@pytest.mark.parametrize("measure", [recovery.machine_lost, recovery.web_killed], ids=lambda measure: measure.__name__)
def test_what_died_unseen_is_carried_on_after_its_lease(stack: Stack, measure: Measure) -> None:
    before = reasons(stack)
    assert measure(stack)
    assert reasons(stack).get("crashed", 0) > before.get("crashed", 0)


@pytest.mark.parametrize("queue", ["default", "web"])
def test_a_cancelled_run_is_paid_for_no_longer(stack: Stack, queue: str) -> None:
    """The provider is left long before the text would have ended by itself."""
    stack.model(tokens_per_second=1)
    assert max(recovery.cancelled(stack, queue)) < 120
