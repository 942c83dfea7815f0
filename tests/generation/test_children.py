"""Runs spread over children: they are waited for, they are found again, and none outlives its parent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
import pytest_asyncio
from django.db import transaction

from generation import claims, endings, runs, sweep
from generation.carrier import Carrier
from generation.models import Claim, Event, Queue, Run, RunState, Step
from memory.base.database import db as in_database
from tests.generation.conftest import Start, ended, reached, state_of
from tests.people import People
from tests.races import overtaken

ELSEWHERE = "elsewhere:1:x"
ENDLESS = {"part": "tests.jobs.endless"}


@pytest_asyncio.fixture
async def parents_only(house: People, ringing: None) -> AsyncIterator[Carrier]:
    """A carrier that leaves children where they wait."""
    one = Carrier([Queue.WEB], 100, waited=0)
    await one.open()
    claiming = asyncio.create_task(one.claim_for_ever())
    yield one
    one.claiming = False
    await claiming
    await one.close()


async def children_of(run: Run) -> list[Run]:
    return await in_database(lambda: list(Run.objects.filter(parent_id=run.id).select_related("claim").order_by("id")))


async def until_begotten(run: Run, count: int = 3) -> list[Run]:
    while len(children := await children_of(run)) < count:
        await asyncio.sleep(0.02)
    return children


async def told_by(run: Run) -> list[str]:
    """What the parent said of its children once it went on."""
    step = await in_database(lambda: Step.objects.get(run=run, key="told"))
    return list(step.result or [])


async def begun_elsewhere(child: Run) -> None:
    assert len(await in_database(claims.take, ELSEWHERE, child.id, True)) == 1


def fates(children: list[Run]) -> list[tuple[str, bool]]:
    return [(child.claim.state, child.claim.cancel_requested) for child in children]


HALTED = [("running", True), ("cancelled", False), ("cancelled", False)]


async def test_a_spread_waits_for_its_children_and_goes_on(carrier: Carrier, start: Start) -> None:
    run = await start("tests.jobs.spreading")
    assert (await ended(run)).state == RunState.DONE
    children = await children_of(run)
    assert await told_by(run) == [f"{child.id} done" for child in children]
    assert len(children) == 3


async def test_a_child_that_fails_is_handed_to_its_parent_like_the_others(carrier: Carrier, start: Start) -> None:
    run = await start("tests.jobs.spreading", options={"part": "tests.jobs.failing_step"})
    assert (await ended(run)).state == RunState.DONE
    assert await told_by(run) == [f"{child.id} failed" for child in await children_of(run)]


async def test_a_retry_finds_the_children_of_the_run_it_copied(carrier: Carrier, start: Start, house: People) -> None:
    run = await start("tests.jobs.spreading")
    await ended(run)
    again, _ = await in_database(runs.retry, run, house.owner, ["told"])
    assert (await ended(again)).state == RunState.DONE
    assert await children_of(again) == []
    assert await told_by(again) == await told_by(run) != []


async def test_cancelling_walks_down_to_children_and_theirs(carrier: Carrier, start: Start, house: People) -> None:
    run = await start("tests.jobs.spreading", options={"part": "tests.jobs.spreading", "options": ENDLESS})
    family = await until_begotten(run)
    for child in list(family):
        family += await until_begotten(child)
    await in_database(runs.cancel, run, house.teammate)  # some are about to wait for their parts, some do already
    assert {(await ended(one)).state for one in [run, *family]} == {RunState.CANCELLED}
    assert len(family) == 12


async def test_cancelling_reaches_children_at_work_and_those_that_wait(
    parents_only: Carrier, start: Start, house: People
) -> None:
    run = await start("tests.jobs.spreading")
    first, *_ = await until_begotten(run)
    await reached(run, RunState.WAITING)
    await begun_elsewhere(first)
    await in_database(runs.cancel, run, house.owner)
    assert (await state_of(run)).state == RunState.CANCELLED
    assert fates(await children_of(run)) == HALTED


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        (transaction.atomic(endings.halt), RunState.RUNNING),
        (lambda child: sweep.give_back(child.id, ELSEWHERE), RunState.CANCELLED),
        (lambda child: sweep.release(child.id, ELSEWHERE), RunState.CANCELLED),
    ],
    ids=["halt", "give_back", "release"],
)
async def test_who_ends_a_child_locks_its_parent_first(
    parents_only: Carrier, start: Start, verb: Callable[[Run], object], state: RunState
) -> None:
    """Else it would wait for the parent with the child in its hand, and who ends the parent the other way round."""
    run = await start("tests.jobs.spreading")
    child, *_ = await until_begotten(run)
    await reached(run, RunState.WAITING)
    await begun_elsewhere(child)
    await in_database(Claim.objects.filter(run=child).update, cancel_requested=True)
    child_is_free = partial(Claim.objects.select_for_update(nowait=True).get, run=child)
    await in_database(overtaken, lambda: claims.lock(run.id), lambda: verb(child), child_is_free)
    assert (await state_of(child)).state == state


async def test_a_run_that_fails_leaves_no_child_at_work(parents_only: Carrier, start: Start) -> None:
    run = await start("tests.jobs.forsaking")
    first, *_ = await until_begotten(run)
    await begun_elsewhere(first)
    assert (await ended(run)).state == RunState.FAILED
    assert fates(await children_of(run)) == HALTED


async def test_children_begun_after_a_cancel_looked_for_them_end_with_their_parent(
    parents_only: Carrier, start: Start, house: People
) -> None:
    run = await start("tests.jobs.begetting")
    while not await in_database(Step.objects.filter(run=run, state="done").exists):
        await asyncio.sleep(0.02)
    await in_database(runs.cancel, run, house.owner)
    assert (await ended(run)).state == RunState.CANCELLED
    assert fates(await children_of(run)) == [("cancelled", False)] * 3


async def test_children_of_a_run_that_crashed_too_often_end_with_it(parents_only: Carrier, start: Start) -> None:
    run = await start("tests.jobs.spreading")
    first, *_ = await until_begotten(run)
    await reached(run, RunState.WAITING)
    await begun_elsewhere(first)
    await in_database(Claim.objects.filter(run=run).update, state="running", owner="dead:1:x", crashes=2)
    await in_database(sweep.release_dead, "dead:1:")
    assert (await state_of(run)).state == RunState.FAILED
    assert fates(await children_of(run)) == HALTED


async def test_an_end_with_children_is_told_once(parents_only: Carrier, start: Start, house: People) -> None:
    run = await start("tests.jobs.spreading")
    await until_begotten(run)
    await reached(run, RunState.WAITING)
    await in_database(runs.cancel, run, house.owner)
    told = await in_database(lambda: list(Event.objects.filter(run=run).order_by("seq").values_list("type", flat=True)))
    assert told.count("done") == 1
    assert told[-1] == "done"


async def test_a_parent_whose_children_ended_unheard_is_found_by_the_sweep(parents_only: Carrier, start: Start) -> None:
    run = await start("tests.jobs.spreading")
    children = await until_begotten(run)
    await reached(run, RunState.WAITING)
    await in_database(sweep.resume_parents)
    assert (await state_of(run)).state == RunState.WAITING
    await in_database(Claim.objects.filter(run__in=children).update, state="done")
    await in_database(sweep.resume_parents)
    assert (await ended(run)).state == RunState.DONE
    assert await told_by(run) == [f"{child.id} done" for child in children]
