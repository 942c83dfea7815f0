"""A process dies, or its connection breaks, exactly before or after each thing the engine commits; on a worker's queue
and on the web's, one after the other."""

import signal
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest

from tests.chaos.faults import arm
from tests.chaos.followers import TRANSPORTS, following
from tests.chaos.invariants import check, recorded_texts, states, until_settled
from tests.chaos.keeper import wait_until
from tests.chaos.proxy import Trap
from tests.chaos.stack import Stack, kill
from tests.chaos.storm import COMMITS

QUEUES = ("default", "web")
SIDES = ("before", "after")


@pytest.fixture(autouse=True)
def fast(stack: Stack) -> None:
    stack.model(tokens_per_second=400, first_token_ms=20)


async def holds(stack: Stack, *runs: UUID, within: float = 40, end: str = "done") -> None:
    """The runs go on to their end before three followers each, and every invariant holds."""
    async with following(stack.url) as followers:
        for run in runs:
            for by in TRANSPORTS:
                followers.follow(run, by, stack.secrets["owner"])
        await followers.until_all_ended(within)
    with stack.sql() as sql:
        until_settled(sql, runs, 20)
        assert check(sql, runs, stack.stats()["log"]) == []
        assert followers.violations(recorded_texts(sql, runs)) == []
        assert states(sql, runs) == Counter({end: len(runs)})


def hit_on_each_queue(stack: Stack, hit: Callable[[], Callable[[], bool]]) -> list[UUID]:
    """A note on each queue; `hit` prepares the blow and gives what tells that it has fallen."""
    runs = []
    for queue in QUEUES:
        fallen = hit()
        runs.append(stack.begin(queue))
        wait_until(fallen, f"the blow on {queue}")
    return runs


def death(stack: Stack, point: str, side: str, n: int = 1) -> Callable[[], bool]:
    arm(stack.armed, point, side, n)
    return lambda: not stack.armed.exists()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("point", "n"), [("claim", 1), ("start", 1), ("begin", 2), ("call", 3), ("flush", 7), ("step", 2), ("end", 1)]
)
async def test_a_death_at_a_boundary_costs_nothing_that_was_recorded(
    stack: Stack, point: str, n: int, side: str
) -> None:
    await holds(stack, *hit_on_each_queue(stack, lambda: death(stack, point, side, n)))


@pytest.mark.parametrize("side", SIDES)
async def test_a_parent_that_dies_while_it_releases_its_horses_runs_leaves_them_to_the_sweep(
    stack: Stack, side: str
) -> None:
    run = stack.begin()
    wait_until(lambda: stack.is_running(run), "the run to be carried")
    fallen = death(stack, "release", side)
    kill(*stack.horses())
    wait_until(fallen, f"a process to die {side} the release")
    await holds(stack, run)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("side", SIDES)
async def test_a_death_while_letting_go_leaves_the_run_to_the_next(stack: Stack, side: str, queue: str) -> None:
    run = stack.begin(queue)
    wait_until(lambda: stack.is_running(run), "the run to be carried")
    fallen = death(stack, "let_go", side)
    for keeper in set(stack.horses().values()) if queue == "default" else [stack.keepers["web"]]:
        keeper.send(signal.SIGTERM)
    wait_until(fallen, f"a process to die {side} letting go")
    await holds(stack, run)


@pytest.mark.parametrize("queue", QUEUES)
async def test_a_death_after_the_text_of_a_fallback_leaves_none_of_it_in_what_comes_instead(
    stack: Stack, queue: str
) -> None:
    fallen = death(stack, "flush", "after")
    run = stack.begin(queue, job="tests.chaos.jobs.late_fallback")
    wait_until(lambda: fallen() or not stack.open_runs(), f"run {run} to be hit")
    # Text that never leaves without its attempt cannot be hit.
    await holds(stack, run, end="done" if fallen() else "partial")


@pytest.mark.parametrize("landed", [True, False], ids=["answer", "commit"])
@pytest.mark.parametrize("name", sorted(COMMITS))
async def test_a_connection_lost_during_a_commit_is_no_event(stack: Stack, name: str, landed: bool) -> None:
    runs = hit_on_each_queue(stack, lambda: stack.proxy.arm(Trap(COMMITS[name], landed)).fired.is_set)
    await holds(stack, *runs)
    assert stack.made_twice(runs) == 0
    if name != "claim":  # what was claimed without being told is given back, and claimed again
        assert [stack.owners(run) for run in runs] == [1, 1], "an owner took its run for lost"
