"""What is let go with time: once an hour in the whole house, in pieces, and found by an index."""

import asyncio
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from generation import calls, chores, retention, sweep
from generation.carrier import Carrier
from generation.flush import connect
from generation.models import Call, Chore, Claim, Event, Queue, Run
from memory.base.database import db as in_database
from tests.generation.conftest import Start

LONG_AGO = "2020-01-01T00:00Z"


async def ended_long_ago(start: Start) -> Run:
    """A run that ended years ago, with two deltas of its text."""
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)

    def end() -> None:
        for seq, text in ((2, "a"), (3, "b")):
            data = {"step": "s", "attempt": 1, "text": text}
            Event.objects.create(run=run, seq=seq, type="content_delta", data=data)
        Claim.objects.filter(run=run).update(state="done", last_seq=3)
        Run.objects.filter(id=run.id).update(finished_at=LONG_AGO)

    await in_database(end)
    return run


def asked_long_ago(run: Run) -> Call:
    call = Call.objects.create(
        run=run, workspace=run.workspace, user=run.user, step="s", attempt=1, epoch=1, reason="first", state="done",
        agent="writer", provider="demo", model="demo", messages=[{"role": "user", "content": "?"}], tokens_in=7,
    )  # fmt: skip
    Call.objects.filter(id=call.id).update(created_at=LONG_AGO)
    return call


def is_joined(run: Run) -> bool:
    return Run.objects.get(id=run.id).is_joined


async def swept() -> None:
    """One sweep of this process, and all it begins."""
    carrier = Carrier([Queue.LOW], 1)
    await carrier.sweep_once()
    await asyncio.gather(*carrier.tasks)


WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""

FRESH = """
import asyncio, django
django.setup()
from tests.generation.test_retention import swept
asyncio.run(swept())
"""


async def swept_by_a_fresh_process() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", FRESH)
    assert await process.wait() == 0


async def test_once_an_hour_is_once_for_all_processes(start: Start) -> None:
    first = await ended_long_ago(start)
    await swept_by_a_fresh_process()
    assert await in_database(is_joined, first)
    second = await ended_long_ago(start)
    await swept_by_a_fresh_process()
    await swept()
    assert not await in_database(is_joined, second)
    await in_database(lambda: Chore.objects.update(due_at=Now()))
    await swept_by_a_fresh_process()
    assert await in_database(is_joined, second)


async def test_of_many_that_ask_at_once_one_is_to_do_it(start: Start) -> None:
    assert sum(await asyncio.gather(*(in_database(chores.begin, "retention") for _ in range(6)))) == 1
    due = await in_database(lambda: Chore.objects.filter(due_at__gt=Now() + timedelta(minutes=2)).exists())
    assert not due, "who dies over it is missed soon"


async def test_everything_old_goes_piece_by_piece_and_nothing_else(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "RUNS_AT_ONCE", 1)
    monkeypatch.setattr(calls, "CALLS_AT_ONCE", 2)
    old = [await ended_long_ago(start) for _ in range(2)]
    recent = await ended_long_ago(start)
    await in_database(lambda: Run.objects.filter(id=recent.id).update(finished_at=Now()))
    asked = [await in_database(asked_long_ago, run) for run in old for _ in range(2)]
    kept = await in_database(asked_long_ago, recent)
    await in_database(lambda: Call.objects.filter(id=kept.id).update(created_at=Now()))
    await swept()
    assert [await in_database(is_joined, run) for run in [*old, recent]] == [True, True, False]
    forgotten = await in_database(lambda: list(Call.objects.filter(messages__isnull=True).order_by("id")))
    assert [call.id for call in forgotten] == [call.id for call in asked]
    assert all(call.tokens_in == 7 for call in forgotten)


async def test_others_sweep_while_it_is_done(start: Start) -> None:
    run = await ended_long_ago(start)
    carrier = Carrier([Queue.LOW], 1)
    with connect("test") as sql, sql.transaction():
        sql.execute("SELECT FROM generation_run WHERE id = %s FOR UPDATE", [run.id])
        await carrier.sweep_once()
        while not await in_database(is_anybody_waiting):
            await asyncio.sleep(0.02)
        assert await in_database(sweep.once)
    await asyncio.gather(*carrier.tasks)
    assert await in_database(is_joined, run)


def is_anybody_waiting() -> bool:
    with connection.cursor() as sql:
        sql.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(sql.fetchone()[0])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "index"), [(retention.unjoined, "run_unjoined"), (calls.remembered, "call_remembered")]
)
def test_what_is_old_is_found_by_an_index(asked: Callable[[], "QuerySet[Any]"], index: str) -> None:
    with transaction.atomic(), connection.cursor() as sql:
        sql.execute("SET LOCAL enable_seqscan = off")  # few rows are read faster without one
        plan = asked().explain()
    assert index in plan
