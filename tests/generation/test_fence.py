"""Each guard of the claim alone: a writer that passes all the others is still stopped by this one."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from generation import claims, pictures, runs, sweep
from generation.carrier import Carrier
from generation.events import Cursor, Draft, LostClaim, record
from generation.flush import connect
from generation.ledger import Ledger
from generation.models import Claim, Event, Queue, Run, RunState, Step
from generation.outbox import Outbox
from memory.base.database import db as in_database
from memory.base.errors import NotFound
from tests.generation.conftest import Start, state_of, taken
from tests.people import People

TOLD = [Draft.of("status", state="running")]


async def refuses(run: Run, cursor: Cursor) -> None:
    before = await state_of(run)
    with pytest.raises(LostClaim):
        await in_database(record, cursor, TOLD, lambda: Step.objects.create(run=run, key="late"))
    assert (await state_of(run)).last_seq == before.last_seq
    assert not await in_database(Step.objects.filter(run=run).exists)
    assert await in_database(Event.objects.filter(run=run).count) == before.last_seq


async def test_an_epoch_of_the_past_writes_nothing_even_with_the_right_number(start: Start) -> None:
    run, cursor = await taken(start)
    await refuses(run, replace(cursor, epoch=cursor.epoch - 1))


async def test_a_number_of_the_past_writes_nothing_even_with_the_right_epoch(start: Start) -> None:
    run, cursor = await taken(start)
    await in_database(record, replace(cursor), TOLD)
    before = await state_of(run)
    with pytest.raises(LostClaim):
        await in_database(record, cursor, TOLD)
    assert (await state_of(run)).last_seq == before.last_seq


async def test_what_is_in_is_not_told_again_though_its_teller_was_stopped(carrier: Carrier, start: Start) -> None:
    """As at the end of a loop, which stops every task: those between a run and its rows, too."""
    run, cursor = await taken(start)
    ledger = Ledger(run, cursor, Outbox(cursor, lambda: None), {})
    ledger.outbox.delta("content_delta", "one", 1, "Once.")
    known = asyncio.all_tasks()
    telling = asyncio.ensure_future(ledger.record([], lambda: time.sleep(0.2)))
    await asyncio.sleep(0.05)
    for task in asyncio.all_tasks() - known:
        if "Ledger" in repr(task) or task is telling:
            task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    await ledger.record(TOLD)
    told = await in_database(lambda: list(Event.objects.filter(run=run).order_by("seq").values_list("type", flat=True)))
    assert told.count("content_delta") == 1


async def test_what_is_carried_no_longer_is_written_no_more(start: Start) -> None:
    run, cursor = await taken(start)
    await in_database(lambda: Claim.objects.filter(run=run).update(state=RunState.QUEUED))
    await refuses(run, cursor)


async def test_claiming_waits_for_nobody(start: Start) -> None:
    """A row that somebody holds is left to the next look, the others are taken; to wait for it would raise here."""
    held, free = [await start("tests.jobs.three_steps", queue=Queue.LOW) for _ in range(2)]

    def take() -> list[object]:
        with connect("holder") as holder, holder.transaction():
            holder.execute("SELECT 1 FROM generation_claim WHERE run_id = %s FOR UPDATE", [held.id])
            return [one.cursor.run_id for one in claims.take_waiting("owner:1:x", [Queue.LOW], 5, 0)]

    assert await in_database(take) == [free.id]


async def test_leases_that_ran_out_while_the_database_was_away_get_one_more(start: Start, settings: Settings) -> None:
    """A server that started just now has heard no renewals: it may not judge by them before a lease has passed."""
    run, _ = await taken(start)
    await in_database(lambda: Claim.objects.filter(run=run).update(lease_until=timezone.now() - timedelta(hours=1)))
    settings.LEASE_SECONDS = 36_000  # longer than this server has been up
    assert await in_database(sweep.release_dead) == 0
    settings.LEASE_SECONDS = 0.001
    assert await in_database(sweep.release_dead) == 1
    assert (await state_of(run)).state == RunState.QUEUED


async def test_however_many_cancel_at_once_the_run_ends_once(start: Start, house: People) -> None:
    for _ in range(5):
        run = await start("tests.jobs.three_steps", queue=Queue.LOW)
        await asyncio.gather(*(in_database(runs.cancel, run, house.owner) for _ in range(8)))
        assert (await state_of(run)).state == RunState.CANCELLED
        assert await in_database(Event.objects.filter(run=run, type="done").count) == 1


async def test_a_private_run_is_its_askers_alone(start: Start, house: People) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW, is_private=True)
    assert (await in_database(pictures.visible, house.owner, run.id)).id == run.id
    with pytest.raises(NotFound):
        await in_database(pictures.visible, house.teammate, run.id)
