"""Writes that wait for the next transaction: what fails beside them does not take them along."""

import asyncio
import time

import pytest

from generation.carrier import Carrier
from generation.events import Draft
from generation.flush import connect
from generation.ledger import Ledger
from generation.models import Event, Run, RunState, Step
from generation.outbox import Outbox
from memory.base.database import db as in_database
from memory.base.errors import BudgetSpent
from tests.chaos.invariants import check
from tests.generation.conftest import Demo, Start, ended, reached, state_of, taken


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
    assert (step.key, step.state) == ("outline", "failed")
    assert step.error is not None
    assert step.error["error_code"] == "budget.run"
    assert await violations(run) == []


async def test_what_was_deferred_outlives_the_refusal_of_what_came_with_it(ringing: None, start: Start) -> None:
    run, cursor = await taken(start)
    ledger = Ledger(run, cursor, Outbox(cursor, lambda: None), {})
    ledger.outbox.defer(Draft.of("step", key="one", state="running"), lambda: Step.objects.create(run=run, key="one"))
    with pytest.raises(BudgetSpent):
        await ledger.record([], refuse)
    assert not await in_database(Step.objects.filter(run=run).exists)
    await ledger.record([])
    assert await in_database(Step.objects.filter(run=run, key="one").exists)
    last = await in_database(lambda: Event.objects.filter(run=run).order_by("seq").last())
    assert last is not None
    assert last.data["key"] == "one"


def refuse() -> None:
    raise BudgetSpent("run")


async def test_a_note_in_peace_breaks_no_rule(carrier: Carrier, start: Start) -> None:
    run = await start()
    assert (await ended(run)).state == RunState.DONE
    assert await violations(run) == []


async def test_text_that_finds_its_row_busy_goes_with_a_later_tick(carrier: Carrier, start: Start, demo: Demo) -> None:
    demo.set(tokens_per_second=200)
    run = await start()
    await reached(run, RunState.RUNNING)

    def hold() -> None:
        with connect("holder") as sql, sql.transaction():
            sql.execute("SELECT 1 FROM generation_claim WHERE run_id = %s FOR UPDATE", [run.id])
            time.sleep(0.3)

    while (await state_of(run)).state == RunState.RUNNING:
        await asyncio.to_thread(hold)
        await asyncio.sleep(0.1)
    assert (await state_of(run)).state == RunState.DONE
    assert await violations(run) == []


async def test_what_the_database_refused_is_no_failure_of_the_recipe(carrier: Carrier, start: Start) -> None:
    run = await start("tests.chaos.jobs.refused_once")
    claim = await ended(run)
    assert (claim.state, claim.epoch) == (RunState.DONE, 2)
    assert await violations(run) == []


async def test_a_step_that_begins_while_others_wait_to_record_tells_no_progress_before_theirs(
    carrier: Carrier, start: Start
) -> None:
    run = await start("tests.jobs.crowded_steps")
    assert (await ended(run)).state == RunState.DONE
    assert await violations(run) == []
