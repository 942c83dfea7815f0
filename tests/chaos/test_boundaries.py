"""A process dies, or its connection breaks, exactly before or after each thing the engine commits."""

import signal
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


async def holds(stack: Stack, run: UUID, within: float = 40, end: str = "done") -> None:
    """The run goes on to its end before three followers, and every invariant holds."""
    async with following(stack.url) as followers:
        for by in TRANSPORTS:
            followers.follow(run, by, stack.secrets["owner"])
        await followers.until_all_ended(within)
    with stack.sql() as sql:
        until_settled(sql, [run], 20)
        assert check(sql, [run], stack.stats()["log"]) == []
        assert followers.violations(recorded_texts(sql, [run])) == []
        assert states(sql, [run]) == {end: 1}


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("point", "n"), [("claim", 1), ("start", 1), ("begin", 2), ("call", 3), ("flush", 7), ("step", 2), ("end", 1)]
)
async def test_a_death_at_a_boundary_costs_nothing_that_was_recorded(
    stack: Stack, point: str, n: int, side: str, queue: str
) -> None:
    arm(stack.armed, point, side, n)
    run = stack.begin(queue)
    wait_until(lambda: not stack.armed.exists(), f"a process to die {side} {point}")
    await holds(stack, run)


@pytest.mark.parametrize("side", SIDES)
async def test_a_parent_that_dies_while_it_releases_its_horses_runs_leaves_them_to_the_sweep(
    stack: Stack, side: str
) -> None:
    run = stack.begin()
    wait_until(lambda: stack.is_running(run), "the run to be carried")
    arm(stack.armed, "release", side)
    kill(next(iter(stack.horses())))
    wait_until(lambda: not stack.armed.exists(), f"a process to die {side} the release")
    await holds(stack, run)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("side", SIDES)
async def test_a_death_while_letting_go_leaves_the_run_to_the_next(stack: Stack, side: str, queue: str) -> None:
    run = stack.begin(queue)
    wait_until(lambda: stack.is_running(run), "the run to be carried")
    arm(stack.armed, "let_go", side)
    for keeper in stack.workers() if queue == "default" else [stack.keepers["web"]]:
        keeper.send(signal.SIGTERM)
    wait_until(lambda: not stack.armed.exists(), f"a process to die {side} letting go")
    await holds(stack, run)


@pytest.mark.parametrize("queue", QUEUES)
async def test_a_death_after_the_text_of_a_fallback_leaves_none_of_it_in_what_comes_instead(
    stack: Stack, queue: str
) -> None:
    arm(stack.armed, "flush", "after")
    run = stack.begin(queue, job="tests.chaos.jobs.late_fallback")
    wait_until(lambda: not stack.armed.exists() or not stack.open_runs(), f"run {run} to be hit")
    died = not stack.armed.exists()  # text that never leaves without its record cannot be hit
    await holds(stack, run, end="done" if died else "partial")


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("landed", [True, False], ids=["answer", "commit"])
@pytest.mark.parametrize("name", sorted(COMMITS))
async def test_a_connection_lost_during_a_commit_is_no_event(stack: Stack, name: str, landed: bool, queue: str) -> None:
    trap = stack.proxy.arm(Trap(COMMITS[name], landed))
    run = stack.begin(queue)
    wait_until(trap.fired.is_set, f"a {name} to be committed")
    await holds(stack, run)
    assert stack.made_twice([run]) == []
