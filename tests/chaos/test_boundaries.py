"""A process dies, or its connection breaks, exactly before or after each thing the engine commits; on a worker's queue
and on the web's, one after the other."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from tests.chaos.faults import arm
from tests.chaos.followers import TRANSPORTS, following
from tests.chaos.invariants import check, check_documents, recorded_texts, states, until_settled
from tests.chaos.keeper import wait_until
from tests.chaos.proxy import Trap
from tests.chaos.stack import Stack, kill
from tests.chaos.storm import COMMITS

QUEUES = ("default", "web")
SIDES = ("before", "after")
Follow = Callable[[UUID], None]


@pytest.fixture(autouse=True)
def fast(stack: Stack) -> None:
    stack.model(tokens_per_second=400, first_token_ms=20)


@asynccontextmanager
async def watched(stack: Stack, ends: Sequence[str] = ("done",)) -> AsyncIterator[Follow]:
    """What happens within happens before three followers of each run, who have read all of it at the end: then all
    runs have ended as they should, and every invariant holds."""
    runs: list[UUID] = []
    async with following(stack.url) as followers:

        def follow(run: UUID) -> None:
            runs.append(run)
            for by in TRANSPORTS:
                followers.follow(run, by, stack.secrets["owner"])

        yield follow
        await followers.until_all_ended()
    with stack.sql() as sql:
        until_settled(sql, runs)
        assert check(sql, runs, stack.stats()["log"]) == []
        assert check_documents(sql, runs) == []
        assert followers.violations(recorded_texts(sql, runs)) == []
        assert set(states(sql, runs)) <= set(ends)


async def strike_each_queue(
    stack: Stack, follow: Follow, hit: Callable[[], Callable[[], bool]], kind: str = "note"
) -> list[UUID]:
    """A text on each queue; `hit` prepares the blow and gives what tells that it has fallen."""
    runs = []
    for queue in QUEUES:
        fallen = hit()
        runs.append(await asyncio.to_thread(stack.begin, queue, kind=kind))
        follow(runs[-1])
        await asyncio.to_thread(wait_until, fallen, f"the blow on {queue}")
    return runs


def death(stack: Stack, point: str, side: str, n: int = 1) -> Callable[[], bool]:
    arm(stack.armed, point, side, n)
    return lambda: not stack.armed.exists()


async def begin(stack: Stack, follow: Follow, queue: str = "default") -> UUID:
    run = await asyncio.to_thread(stack.begin, queue)
    follow(run)
    await asyncio.to_thread(wait_until, lambda: stack.is_running(run), "the run to be carried")
    return run


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("point", "n"), [("claim", 1), ("start", 1), ("begin", 2), ("call", 3), ("flush", 7), ("step", 2), ("end", 1)]
)
async def test_a_death_at_a_boundary_costs_nothing_that_was_recorded(
    stack: Stack, point: str, n: int, side: str
) -> None:
    async with watched(stack) as follow:
        await strike_each_queue(stack, follow, lambda: death(stack, point, side, n))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("point", "n"), [("step", 4)])
async def test_a_death_at_a_boundary_of_a_course_costs_no_part_of_it(
    stack: Stack, point: str, n: int, side: str
) -> None:
    stack.model(tokens_per_second=4_000, first_token_ms=5)
    async with watched(stack) as follow:
        await strike_each_queue(stack, follow, lambda: death(stack, point, side, n), kind="course")


@pytest.mark.parametrize("side", SIDES)
async def test_a_parent_that_dies_while_it_releases_its_horses_runs_leaves_them_to_the_sweep(
    stack: Stack, side: str
) -> None:
    async with watched(stack) as follow:
        await begin(stack, follow)
        fallen = death(stack, "release", side)
        kill(*stack.horses())
        await asyncio.to_thread(wait_until, fallen, f"a process to die {side} the release")


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("side", SIDES)
async def test_a_death_while_letting_go_leaves_the_run_to_the_next(stack: Stack, side: str, queue: str) -> None:
    async with watched(stack) as follow:
        await begin(stack, follow, queue)
        fallen = death(stack, "let_go", side)
        for keeper in set(stack.horses().values()) if queue == "default" else [stack.keepers["web"]]:
            keeper.send(signal.SIGTERM)
        await asyncio.to_thread(wait_until, fallen, f"a process to die {side} letting go")


@pytest.mark.parametrize("queue", QUEUES)
async def test_a_death_after_the_text_of_a_fallback_leaves_none_of_it_in_what_comes_instead(
    stack: Stack, queue: str
) -> None:
    async with watched(stack, ends=("done", "partial")) as follow:
        fallen = death(stack, "flush", "after")
        run = await asyncio.to_thread(stack.begin, queue, job="tests.chaos.jobs.late_fallback")
        follow(run)
    # Text that never leaves without its attempt cannot be hit.
    with stack.sql() as sql:
        assert states(sql, [run]) == {"done" if fallen() else "partial": 1}


@pytest.mark.parametrize("landed", [True, False], ids=["answer", "commit"])
@pytest.mark.parametrize("name", sorted(COMMITS))
async def test_a_connection_lost_during_a_commit_is_no_event(stack: Stack, name: str, landed: bool) -> None:
    async with watched(stack) as follow:
        runs = await strike_each_queue(stack, follow, lambda: stack.proxy.arm(Trap(COMMITS[name], landed)).fired.is_set)
    assert stack.made_twice(runs) == 0
    if name != "claim":  # what was claimed without being told is given back, and claimed again
        assert [stack.owners(run) for run in runs] == [1, 1], "an owner took its run for lost"
