"""What was recorded and no longer fits its schema is produced again, and said so; everything else stands."""

from typing import Any

from generation import claims, runs, sweep
from generation.carrier import Carrier
from generation.events import Draft, record
from generation.models import Event, Queue, Run, RunState, Section, Step
from generation.replay import read
from memory.base.database import db as in_database
from tests import jobs
from tests.generation.conftest import Demo, Start, ended, reached, recorded_text
from tests.generation.test_log import fold
from tests.people import People

OF_AN_OLDER_CODE = {"shape": "of an older code"}


async def steps_of(run: Run) -> dict[str, Step]:
    return await in_database(lambda: {step.key: step for step in Step.objects.filter(run=run)})


async def told(run: Run, key: str) -> list[tuple[str, Any]]:
    """What was said of this step: its states, each with why it came about."""
    events = await in_database(lambda: list(Event.objects.filter(run=run, type="step", data__key=key).order_by("seq")))
    return [(event.data["state"], event.data.get("because")) for event in events]


async def test_a_result_that_no_longer_fits_is_produced_again_and_said_so(start: Start, carrier: Carrier) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    jobs.made.clear()
    cursor = (await in_database(claims.take, "gone:1:x", run.id, True))[0].cursor

    def write() -> None:
        Step.objects.create(run=run, key="one", attempts=1, state="done", result=OF_AN_OLDER_CODE)
        Step.objects.create(run=run, key="two", attempts=1, state="done", result="two")

    done = [Draft.of("step", key=key, state="done", attempt=1) for key in ("one", "two")]
    await in_database(lambda: record(cursor, done, write, has_progressed=True, queue="web"))
    await in_database(sweep.release_dead, "gone:1:")
    assert (await ended(run)).state == RunState.DONE
    assert jobs.made == ["one", "three"]
    steps = await steps_of(run)
    assert {key: (step.result, step.attempts) for key, step in steps.items()} == {
        "one": ("one", 2),
        "two": ("two", 1),
        "three": ("three", 1),
    }
    assert await told(run, "one") == [("done", None), ("running", "result_does_not_fit"), ("done", None)]
    assert await told(run, "two") == [("done", None)]


async def test_a_retry_pays_again_for_a_copy_that_no_longer_fits_and_writes_no_section_twice(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    run = await start()
    await ended(run)
    await in_database(Step.objects.filter(run=run, key="outline").update, result=OF_AN_OLDER_CODE)
    demo.reset()
    again, _ = await in_database(runs.retry, run, house.owner, ["section-1"])
    assert (await ended(again)).state == RunState.DONE
    assert demo.stats()["requests"] == 2
    steps = await steps_of(again)
    made = {key for key, step in steps.items() if step.copied_from is None and key != "read"}
    assert made == {"outline", "section-1"}
    assert ("running", "result_does_not_fit") in await told(again, "outline")
    outline = steps["outline"]
    assert outline.finished_at
    assert outline.finished_at > outline.started_at > again.created_at
    present = await in_database(lambda: sorted(section.key for section in Section.objects.filter(document__runs=run)))
    assert present == sorted(key for key in steps if key.startswith("section-"))


async def test_readers_keep_nothing_of_the_text_that_was_produced_again(
    carrier: Carrier, start: Start, house: People
) -> None:
    run = await start()
    await ended(run)
    await in_database(Step.objects.filter(run=run, key="section-2").update, result=OF_AN_OLDER_CODE)
    again, _ = await in_database(runs.retry, run, house.owner, ["section-1"])
    await ended(again)
    texts = await recorded_text(again)
    assert texts["section-2"]
    assert fold((await in_database(read, again.id, 0)).events)["section-2"] == texts["section-2"]


async def test_an_answer_that_no_longer_fits_is_asked_for_again_and_said_so(
    start: Start, carrier: Carrier, house: People
) -> None:
    run = await start("tests.jobs.asking")
    await reached(run, RunState.WAITING)
    await in_database(runs.answer, run, house.owner, "choice", {"colour": "red", "number": 3})
    await ended(run)
    await in_database(Step.objects.filter(run=run, key="choice").update, result=OF_AN_OLDER_CODE)
    again, _ = await in_database(runs.retry, run, house.owner, ["after"])
    assert (await reached(again, RunState.WAITING)).reason == "person"
    asked = (await steps_of(again))["choice"]
    assert (asked.state, asked.result, asked.attempts, asked.copied_from) == ("waiting", None, 2, None)
    assert ("waiting", "result_does_not_fit") in await told(again, "choice")
    await in_database(runs.answer, again, house.owner, "choice", {"colour": "blue", "number": 4})
    assert (await ended(again)).state == RunState.DONE
    assert (await steps_of(again))["after"].result == "blue 4"
