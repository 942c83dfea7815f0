"""Whatever a model does at a call of a chapter costs that part alone: its neighbours stand, all is accounted for."""

import os
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from generation.carrier import Carrier
from generation.demo.faults import FAULTS
from generation.flush import connect
from generation.models import Run, RunState, Step
from memory.base.database import db as in_database
from tests.chaos.invariants import check, check_documents
from tests.generation.conftest import Demo, Start, ended, wake
from tests.generation.test_calls import ENDS
from tests.plans import planned

# What is no fault of plain text may be one of an answer that has a shape.
ENDS_OF_SHAPES: dict[str, str] = {**ENDS, "bad_schema": "model.not_as_asked", "broken_schema": "model.not_as_asked"}
PAUSED = "model.paused"  # three parts that fail at once may find every model resting
# One of each way to end; `make chaos` has them all.
SOME = ("rate_limit", "hang", "cut", "bad_json", "empty", "no_done", "bad_schema", "refusal")
PARTS = ("lesson", "exercises", "evaluation")
STRUCK = "chapter-1/"


@pytest.fixture(autouse=True)
def rested(settings: Settings) -> Iterator[None]:
    """No model rests because of the faults of another test; to be asked for before the carrier, which takes its
    timers along."""
    settings.MODEL_TIMEOUTS = {"connect": 2, "first_token": 1, "idle": 1, "total": 10}
    wake()
    yield
    wake()


@pytest.mark.parametrize("fault", FAULTS if "CHAOS_KILLS" in os.environ else SOME)
async def test_a_fault_at_the_calls_of_a_chapter_costs_their_parts_alone(
    rested: None, carrier: Carrier, start: Start, demo: Demo, fault: str
) -> None:
    demo.set(
        rules=[
            planned(2),
            {"contains": "This chapter: Chapter no. 1", "fault": fault},
        ]
    )
    run = await start(kind="course", brief="A flash course on loops.")
    claim = await ended(run)
    ends = await in_database(ends_of, run)
    expected = ENDS_OF_SHAPES[fault]
    assert {ends[STRUCK + part] for part in PARTS} <= ({expected, PAUSED} if expected else {""})
    assert {end for key, end in ends.items() if not key.startswith(STRUCK)} == {""}
    assert claim.state == (RunState.PARTIAL if expected else RunState.DONE)
    log = (await in_database(demo.stats))["log"]
    assert await in_database(violations, run, log) == []


def ends_of(run: Run) -> dict[str, str]:
    """By step the code of the error for which it has a stand-in; empty for what was written."""
    return {
        step.key: str((step.error or {}).get("error_code", "")) if step.is_fallback else ""
        for step in Step.objects.filter(run=run)
    }


def violations(run: Run, log: list[dict[str, object]]) -> list[str]:
    with connect("judge") as sql:
        return [*check(sql, [run.id], log), *check_documents(sql, [run.id])]
