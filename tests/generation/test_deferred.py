"""Writes that wait for the next transaction: what fails beside them does not take them along."""

from generation.carrier import Carrier
from generation.flush import connect
from generation.models import Run, RunState, Step
from memory.base.database import db as in_database
from tests.chaos.invariants import check
from tests.generation.conftest import Start, ended


async def violations(run: Run) -> list[str]:
    def ask() -> list[str]:
        with connect("invariants") as sql:
            return check(sql, [run.id])

    return await in_database(ask)


async def test_a_call_that_the_budget_refuses_leaves_the_step_its_row(
    carrier: Carrier, start: Start, settings: object
) -> None:
    settings.BUDGET_RUN_TOKENS = 1  # type: ignore[attr-defined]
    run = await start()
    assert (await ended(run)).state == RunState.FAILED
    step = await in_database(lambda: Step.objects.get(run=run))
    assert (step.key, step.state, step.error["error_code"]) == ("outline", "failed", "budget.run")
    assert await violations(run) == []


async def test_a_note_in_peace_breaks_no_rule(carrier: Carrier, start: Start) -> None:
    run = await start()
    assert (await ended(run)).state == RunState.DONE
    assert await violations(run) == []
