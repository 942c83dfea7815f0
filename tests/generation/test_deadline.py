"""The deadline of a run counts the time it is worked on, and no other."""

from generation import runs, sweep
from generation.carrier import Carrier
from generation.models import Claim, Run, RunState
from memory.base.database import db as in_database
from tests.generation.conftest import Start, ended, reached
from tests.generation.test_children import parents_only, until_begotten
from tests.people import People
from tests.work import pass_hours

__all__ = ["parents_only"]

BLUE = {"colour": "blue", "number": 3}
BRIEFLY, TOO_LONG = {"hours": 0.1}, {"hours": 2.1}  # with a deadline of two hours


async def answered(run: Run, house: People, hours: float) -> Claim:
    """The end of a run whose question was answered after so long."""
    await reached(run, RunState.WAITING)
    await in_database(pass_hours, run, hours)
    await in_database(runs.answer, run, house.owner, "choice", BLUE)
    return await ended(run)


async def over_parts(run: Run, hours: float) -> Claim:
    """The end of a run whose parts took so long."""
    parts = await until_begotten(run)
    await reached(run, RunState.WAITING)
    await in_database(pass_hours, run, hours)
    await in_database(Claim.objects.filter(run__in=parts).update, state=RunState.DONE)
    await in_database(sweep.resume_parents)
    return await ended(run)


async def why(run: Run) -> str:
    error = (await in_database(lambda: Run.objects.get(id=run.id))).error or {}
    return str(error.get("error_code"))


async def test_days_of_waiting_for_a_person_do_not_count(carrier: Carrier, start: Start, house: People) -> None:
    run = await start("tests.work.laboured", options=BRIEFLY)
    assert (await answered(run, house, 72)).state == RunState.DONE


async def test_days_of_waiting_for_parts_do_not_count(parents_only: Carrier, start: Start) -> None:
    run = await start("tests.work.laboured", options={**BRIEFLY, "part": "tests.jobs.three_steps"})
    assert (await over_parts(run, 72)).state == RunState.DONE


async def test_days_in_the_queue_do_not_count(start: Start, carrier: Carrier) -> None:
    run = await start("tests.jobs.three_steps", queue="low")
    await in_database(pass_hours, run, 72)
    await in_database(Claim.objects.filter(run=run).update, queue="web")
    assert (await ended(run)).state == RunState.DONE


async def test_work_before_a_question_counts(carrier: Carrier, start: Start, house: People) -> None:
    run = await start("tests.work.laboured", options=TOO_LONG)
    assert (await answered(run, house, 0)).state == RunState.FAILED
    assert await why(run) == "run.deadline"


async def test_work_before_parts_counts(parents_only: Carrier, start: Start) -> None:
    run = await start("tests.work.laboured", options={**TOO_LONG, "part": "tests.jobs.three_steps"})
    assert (await over_parts(run, 0)).state == RunState.FAILED
    assert await why(run) == "run.deadline"
