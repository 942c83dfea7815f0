"""Runs: what is recorded stands, what ended never moves again, and nobody but the owner writes."""

import asyncio
from typing import Any

import pytest

from generation import claims, pictures, runs, sweep
from generation.carrier import Carrier
from generation.events import Cursor, Draft, LostClaim, has_landed, record
from generation.models import Claim, Event, Queue, Run, RunState, Step
from generation.orders import Order
from generation.recipes.base import Recipe
from generation.replay import read
from memory.base.database import db as in_database
from memory.base.errors import Conflict, InvalidInput, LimitReached, NotFound, PermissionRefused, RunError
from memory.base.news import CARRIERS, bell
from tests import jobs
from tests.generation.conftest import Start, ended, reached, state_of
from tests.people import People

NOTHING = Recipe("test", "tests.jobs.three_steps")


async def steps_of(run: Run) -> dict[str, Step]:
    return await in_database(lambda: {step.key: step for step in Step.objects.filter(run=run)})


async def events_of(run: Run) -> list[Event]:
    return await in_database(lambda: list(Event.objects.filter(run=run).order_by("seq")))


async def error_of(run: Run) -> dict[str, Any]:
    row = await in_database(lambda: Run.objects.get(id=run.id))
    return dict(row.error or {})


async def test_every_step_is_recorded_and_told(carrier: Carrier, start: Start) -> None:
    run = await start("tests.jobs.three_steps")
    assert (await ended(run)).state == RunState.DONE
    steps = await steps_of(run)
    assert {key: step.result for key, step in steps.items()} == {"one": "one", "two": "two", "three": "three"}
    told = [(event.type, event.data.get("key"), event.data.get("state")) for event in await events_of(run)]
    assert told[0] == ("status", None, "queued")
    assert told[-1] == ("done", None, "done")
    assert [key for kind, key, state in told if state == "done" and kind == "step"] == ["one", "two", "three"]


async def test_progress_never_falls_and_is_100_only_at_the_end(carrier: Carrier, start: Start) -> None:
    run = await start("tests.jobs.three_steps")
    await ended(run)
    seen = [event.data["progress"] for event in await events_of(run) if "progress" in event.data]
    assert seen == sorted(seen)
    assert max(seen) < 100
    assert (await in_database(lambda: Run.objects.get(id=run.id))).progress == 100


async def test_a_taken_over_run_makes_only_what_was_not_recorded(start: Start, carrier: Carrier) -> None:
    run = await start("tests.jobs.slow_steps", queue=Queue.LOW)
    jobs.made.clear()
    first = await in_database(claims.take, "gone:1:x", run.id, True)
    cursor = first[0].cursor

    def write() -> None:
        Step.objects.create(run=run, key="part-1", attempts=1, state="done", result="part-1")

    told = [Draft.of("step", key="part-1", state="done", attempt=1)]
    await in_database(lambda: record(cursor, told, write, has_progressed=True, queue="web"))
    await in_database(sweep.release_dead, "gone:1:")
    assert (await ended(run)).state == RunState.DONE
    assert sorted(jobs.made) == ["part-0", "part-2"]


async def test_a_stale_owner_touches_nothing(start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    stale = (await in_database(claims.take, "first:1:x", run.id, True))[0].cursor
    await in_database(sweep.release_dead, "first:1:")
    with pytest.raises(LostClaim):
        await in_database(record, stale, [Draft.of("status", state="running")])
    newer = (await in_database(claims.take, "second:1:x", run.id, True))[0].cursor
    assert newer.epoch > stale.epoch
    with pytest.raises(LostClaim):
        await in_database(
            record, stale, [Draft.of("status", state="running")], lambda: Step.objects.create(run=run, key="x")
        )
    assert await steps_of(run) == {}
    assert newer.last_seq == (await state_of(run)).last_seq


async def test_a_claim_is_taken_once(start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    taken = await asyncio.gather(*(in_database(claims.take, f"c:{n}:x", run.id, True) for n in range(8)))
    assert sorted(map(len, taken)) == [0] * 7 + [1]


async def test_a_commit_whose_answer_was_lost_is_recognised(start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    cursor = (await in_database(claims.take, "c:1:x", run.id, True))[0].cursor
    before = Cursor(cursor.run_id, cursor.epoch, cursor.last_seq)
    batch, _ = await in_database(record, cursor, [Draft.of("status", state="running")])
    assert await in_database(has_landed, before, batch)


async def test_a_failed_step_fails_the_run_and_names_itself(carrier: Carrier, start: Start) -> None:
    run = await start("tests.jobs.failing_step")
    assert (await ended(run)).state == RunState.FAILED
    assert (await error_of(run))["error_code"] == "validation.nothing_works"
    assert (await steps_of(run))["bad"].state == "failed"
    assert [event.type for event in await events_of(run)][-2:] == ["error", "done"]


async def test_a_fallback_is_labelled_and_makes_the_run_partial(carrier: Carrier, start: Start) -> None:
    run = await start("tests.jobs.fallen_back")
    assert (await ended(run)).state == RunState.PARTIAL
    step = (await steps_of(run))["bad"]
    assert (step.is_fallback, step.text, step.attempts) == (True, "what was meant", 2)
    deltas = [event.data for event in await events_of(run) if event.type == "content_delta"]
    assert "".join(delta["text"] for delta in deltas if delta["attempt"] == 2) == "what was meant"


async def test_an_unforeseen_error_ends_the_run_typed(carrier: Carrier, start: Start) -> None:
    run = await start("tests.jobs.surprising")
    assert (await ended(run)).state == RunState.FAILED
    assert (await error_of(run))["error_code"] == "internal.ZeroDivisionError"


async def test_a_job_outside_the_allowed_paths_is_refused(carrier: Carrier, start: Start) -> None:
    run = await start("os.system")
    assert (await ended(run)).state == RunState.FAILED
    assert (await error_of(run))["error_code"] == "run.unknown_job"


async def test_cancelling_keeps_finished_steps_and_ends_once(carrier: Carrier, start: Start, house: People) -> None:
    run = await start("tests.jobs.endless")
    while len(await steps_of(run)) < 3:
        await asyncio.sleep(0.02)
    before = (await steps_of(run))["good"]
    await in_database(runs.cancel, run, house.teammate)
    assert (await ended(run)).state == RunState.CANCELLED
    await in_database(runs.cancel, run, house.owner)
    assert [event.type for event in await events_of(run)].count("done") == 1
    steps = await steps_of(run)
    kept = steps.pop("good")
    assert (kept.state, kept.result, kept.finished_at) == ("done", "good", before.finished_at)
    assert {key: step.state for key, step in steps.items()} == {"left": "cancelled", "right": "cancelled"}


@pytest.mark.parametrize("then", ["ask", "spread", "leave"])
async def test_what_was_cancelled_is_never_let_go_of(carrier: Carrier, start: Start, then: str) -> None:
    """Nobody carries a run that waits: it would wait, or go on, although it was cancelled."""
    run = await start("tests.jobs.unheard", options={"then": then, "part": "tests.jobs.endless"})
    claim = await ended(run)
    assert (claim.state, claim.epoch, claim.cancel_requested) == (RunState.CANCELLED, 1, False)
    parts = await in_database(lambda: list(Run.objects.filter(parent=run)))
    assert [(await ended(part)).state for part in parts] == [RunState.CANCELLED] * (3 if then == "spread" else 0)
    told = [event.data.get("state") for event in await events_of(run) if event.type in ("status", "done")]
    assert told == ["queued", "running", "cancelled"]


async def test_what_was_cancelled_before_its_carrier_knew_of_it_is_not_queued_again(start: Start) -> None:
    run = await start("tests.jobs.endless", queue=Queue.LOW)
    await in_database(claims.take, "here:1:x", run.id, True)
    await in_database(Claim.objects.filter(run=run).update, cancel_requested=True)
    await in_database(sweep.give_back, run.id, "here:1:x")
    assert (await state_of(run)).state == RunState.CANCELLED


async def test_rings_of_a_carrier_that_come_again_and_again_end_the_run_once(
    carrier: Carrier, start: Start, house: People
) -> None:
    run = await start("tests.jobs.endless")
    while len(await steps_of(run)) < 3:
        bell.ring(CARRIERS, wake=str(run.id))
        await asyncio.sleep(0.02)
    await in_database(runs.cancel, run, house.owner)
    while (await state_of(run)).state == RunState.RUNNING:
        bell.ring(CARRIERS, cancel=str(run.id))
        await asyncio.sleep(0)
    bell.ring(CARRIERS, wake=str(run.id))
    bell.ring(CARRIERS, cancel=str(run.id))
    assert (await ended(run)).state == RunState.CANCELLED
    assert [event.type for event in await events_of(run)].count("done") == 1
    assert (await state_of(run)).epoch == 1


async def test_what_nobody_works_on_is_cancelled_at_once(start: Start, house: People) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    await in_database(runs.cancel, run, house.owner)
    assert (await state_of(run)).state == RunState.CANCELLED


async def test_a_stranger_and_a_viewer_cannot_cancel(start: Start, house: People) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    with pytest.raises(NotFound):
        await in_database(runs.cancel, run, house.stranger)
    with pytest.raises(PermissionRefused):
        await in_database(runs.cancel, run, house.viewer)
    with pytest.raises(NotFound):
        await in_database(pictures.visible, house.stranger, run.id)


async def test_a_retry_is_a_new_run_that_keeps_the_good_steps(carrier: Carrier, start: Start, house: People) -> None:
    run = await start("tests.jobs.failing_step")
    await ended(run)
    jobs.made.clear()
    new, _ = await in_database(runs.retry, run, house.owner)
    await ended(new)
    assert jobs.made == []
    steps = await steps_of(new)
    assert steps["good"].copied_from == run.id
    assert (await state_of(run)).state == RunState.FAILED
    with pytest.raises(NotFound):
        await in_database(runs.retry, run, house.owner, ["no such step"])


async def test_an_open_run_cannot_be_retried(start: Start, house: People) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    with pytest.raises(RunError):
        await in_database(runs.retry, run, house.owner)


async def test_a_question_waits_without_being_carried_and_its_answer_goes_on(
    carrier: Carrier, start: Start, house: People
) -> None:
    run = await start("tests.jobs.asking")
    claim = await reached(run, RunState.WAITING)
    assert (claim.reason, claim.owner) == ("person", "")
    with pytest.raises(InvalidInput):
        await in_database(runs.answer, run, house.owner, "choice", {"colour": "red"})
    with pytest.raises(NotFound):
        await in_database(runs.answer, run, house.stranger, "choice", {"colour": "red", "number": 3})
    await in_database(runs.answer, run, house.owner, "choice", {"colour": "red", "number": 3})
    assert (await ended(run)).state == RunState.DONE
    assert (await steps_of(run))["after"].result == "red 3"
    with pytest.raises(RunError):
        await in_database(runs.answer, run, house.owner, "choice", {"colour": "red", "number": 3})


async def test_the_same_key_makes_one_run_also_when_sent_at_once(start: Start, house: People) -> None:
    order = Order("a brief")

    def begin() -> tuple[Run, bool]:
        return runs.start(NOTHING, order, user=house.owner, workspace=house.workspace, key="k1")

    started = await asyncio.gather(*(in_database(begin) for _ in range(6)))
    assert len({run.id for run, _ in started}) == 1
    assert sum(is_new for _, is_new in started) == 1
    with pytest.raises(Conflict):
        await in_database(
            lambda: runs.start(NOTHING, Order("other"), user=house.owner, workspace=house.workspace, key="k1")
        )


async def test_the_number_of_open_runs_is_capped(start: Start, settings: object) -> None:
    settings.RUNS_OPEN_PER_USER = 2  # type: ignore[attr-defined]
    await start("tests.jobs.three_steps", queue=Queue.LOW)
    await start("tests.jobs.three_steps", queue=Queue.LOW)
    with pytest.raises(LimitReached):
        await start("tests.jobs.three_steps", queue=Queue.LOW)


@pytest.mark.parametrize("brief", ["", "  \n", "x" * 50_001, "a\x00b", "half \ud83d"])
async def test_a_brief_that_cannot_be_kept_is_refused(start: Start, brief: str) -> None:
    with pytest.raises(InvalidInput):
        await start("tests.jobs.three_steps", brief=brief)
    assert await in_database(Run.objects.count) == 0


async def test_a_deadline_ends_the_run(carrier: Carrier, start: Start, settings: object) -> None:
    settings.RUN_DEADLINE_SECONDS = 0.3  # type: ignore[attr-defined]
    run = await start("tests.jobs.slow_steps", options={"seconds": 5})
    assert (await ended(run)).state == RunState.FAILED
    assert (await error_of(run))["error_code"] == "run.deadline"


async def test_three_crashes_without_progress_fail_the_run_and_name_the_step(start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    for n in range(3):
        taken = await in_database(claims.take, f"dead:{n}:x", run.id, True)
        await in_database(
            record,
            taken[0].cursor,
            [Draft.of("step", key="one", state="running", attempt=n + 1)],
            lambda: Step.objects.update_or_create(run=run, key="one", defaults={"state": "running"}),
        )
        if n:
            assert await in_database(claims.take_waiting, "other:1:x", ["low"], 5, 0) == []
        await in_database(sweep.release_dead, f"dead:{n}:")
    assert (await state_of(run)).state == RunState.FAILED
    error = await error_of(run)
    assert error["error_code"] == "run.crashed"
    assert error["params"]["steps"] == ["one"]


async def test_a_run_that_crashed_is_not_taken_by_a_carrier_with_others(start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    await in_database(claims.take, "dead:1:x", run.id, True)
    await in_database(sweep.release_dead, "dead:1:")
    assert await in_database(claims.take, "c:2:x", run.id, False) == []
    assert len(await in_database(claims.take, "c:2:x", run.id, True)) == 1


async def test_the_log_reads_as_ranges(carrier: Carrier, start: Start) -> None:
    run = await start("tests.jobs.three_steps")
    claim = await ended(run)
    whole = await in_database(read, run.id, 0)
    assert (whole.after, whole.upto, whole.state) == (0, claim.last_seq, "done")
    half = await in_database(read, run.id, 4)
    assert half.events == [event for event in whole.events if event["seq"] > 4]
    for wrong in (-1, claim.last_seq + 1):
        with pytest.raises(InvalidInput):
            await in_database(read, run.id, wrong)
