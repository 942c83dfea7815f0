"""Lines: runs that are carried one after another, whoever joins or leaves at the same moment."""

import asyncio
from uuid import UUID

import pytest
from django.db import transaction

from generation import endings, lines, runs
from generation.claims import lock
from generation.models import Claim, Queue, Run, RunState
from generation.recipes.base import Recipe
from memory.base.database import db as in_database
from memory.base.ids import new_id
from tests.jobs import AnyOptions
from tests.people import People

ERRAND = Recipe("test", "tests.jobs.three_steps", options=AnyOptions, queue=Queue.LOW)
ROUNDS = 15


@pytest.fixture
def line() -> UUID:
    return new_id()


def join(house: People, line: UUID) -> Run:
    with transaction.atomic():
        return runs.begin(ERRAND, user=house.owner, workspace=house.workspace, options={}, line=line)


def end(run: Run) -> None:
    """As a carrier or a person would."""
    with transaction.atomic():
        claim = lock(run.id)
        endings.end_unclaimed(run, claim, RunState.CANCELLED)


def states(line: UUID) -> list[str]:
    return list(Claim.objects.filter(run__line=line).order_by("run_id").values_list("state", flat=True))


def test_one_goes_at_a_time_in_the_order_of_joining(people_committed: People, line: UUID) -> None:
    first, second, third = (join(people_committed, line) for _ in range(3))
    assert states(line) == ["queued", "waiting", "waiting"]
    end(first)
    assert states(line) == ["cancelled", "queued", "waiting"]
    end(third)
    assert states(line) == ["cancelled", "queued", "cancelled"]
    end(second)
    fourth = join(people_committed, line)
    assert Claim.objects.get(run=fourth).state == RunState.QUEUED


def test_another_line_goes_by_itself(people_committed: People, line: UUID) -> None:
    join(people_committed, line)
    assert states(other := new_id()) == []
    join(people_committed, other)
    assert states(other) == ["queued"]


async def test_of_many_that_join_and_leave_at_once_one_goes(people_committed: People, line: UUID) -> None:
    """Whatever the order, one is queued as long as any is open, and never two."""
    await in_database(join, people_committed, line)
    for _ in range(ROUNDS):
        going = await in_database(lambda: Run.objects.get(line=line, claim__state=RunState.QUEUED))
        await asyncio.gather(in_database(end, going), *(in_database(join, people_committed, line) for _ in range(3)))
        assert (await in_database(states, line)).count("queued") == 1


async def test_two_that_end_at_once_do_not_wait_for_each_other(people_committed: People, line: UUID) -> None:
    for _ in range(ROUNDS):
        first, second, third = [await in_database(join, people_committed, line) for _ in range(3)]
        await asyncio.gather(in_database(end, first), in_database(end, second))
        await in_database(lines.advance_left_standing)
        assert (await in_database(states, line))[-1] == "queued"
        await in_database(end, third)
