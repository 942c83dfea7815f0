"""Leases: they live as long as their process can work, whatever its loop or the database did meanwhile."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from psycopg import sql
from pytest_django.fixtures import Settings

from generation import claims, leases, sweep
from generation.carrier import Carrier
from generation.flush import connect
from generation.leases import LeaseThread
from generation.models import Claim, Queue, Run, RunState, Step
from memory.base.database import db as in_database
from tests.generation.conftest import Start, ended, reached, state_of
from tests.generation.workers import broken_rules, working
from tests.patience import PATIENCE_SECONDS
from tests.people import People

OWNER = "owner:1:x"


async def renewed_after(run: Run, before: datetime) -> datetime:
    until = time.monotonic() + PATIENCE_SECONDS
    while (lease := (await state_of(run)).lease_until) is None or lease <= before:
        assert time.monotonic() < until, "not renewed"
        await asyncio.sleep(0.05)
    return lease


@pytest.fixture
def nobody_sweeps(house: People) -> Iterator[None]:
    """Whether a lease lives is asked of its row alone."""
    with connect("sweeper") as sweeper:
        sweeper.execute("SELECT pg_advisory_lock(%s)", [sweep.SWEEP_LOCK])
        yield


async def test_a_loop_that_stands_still_costs_no_lease(
    nobody_sweeps: None, carrier: Carrier, start: Start, settings: Settings
) -> None:
    settings.LEASE_SECONDS = 1
    run = await start("tests.work.spinning")
    claim = await ended(run)
    assert (claim.state, claim.epoch) == (RunState.DONE, 1)
    step = await in_database(lambda: Step.objects.get(run=run, key="spun"))
    assert step.result is True


async def test_a_claim_whose_answer_was_lost_is_given_back_and_is_no_crash(
    nobody_sweeps: None, carrier: Carrier, start: Start, settings: Settings
) -> None:
    settings.LEASE_SECONDS = 1
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    await in_database(claims.take, carrier.owner, run.id, True)
    claim = await reached(run, RunState.QUEUED)
    assert (claim.owner, claim.crashes) == ("", 0)


@contextmanager
def nobody_lets_in(backend: str) -> Iterator[None]:
    """The database sends this backend away and accepts no connection as long as the block lasts."""
    target = connection.settings_dict
    name = sql.Identifier(str(target["NAME"]))
    with psycopg.connect(host=target["HOST"], user=target["USER"], dbname="postgres", autocommit=True) as server:
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        try:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND application_name = %s",
                [target["NAME"], backend],
            )
            yield
        finally:
            server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


async def test_leases_are_renewed_again_after_a_database_that_was_away_for_long(
    start: Start, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that is away must not pass for a loop that is stuck: that would never end."""
    settings.LEASE_SECONDS = 1
    monkeypatch.setattr(leases, "STUCK_SECONDS", 1)
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    await in_database(claims.take, OWNER, run.id, True)
    thread = LeaseThread(OWNER, asyncio.get_running_loop(), lambda held, lost: None)
    thread.start()
    try:
        claimed = (await state_of(run)).lease_until
        assert claimed is not None
        before = await renewed_after(run, claimed)
        with nobody_lets_in("scriptorium-leases"):
            await asyncio.sleep(2)
        await renewed_after(run, before)
    finally:
        thread.stop()


STANDING_STILL = """
import asyncio, sys
import django
django.setup()
from generation import leases

async def main():
    leases.LOST_SECONDS = 1
    leases.LeaseThread("owner:1:x", asyncio.get_running_loop(), lambda held, lost: None).start()
    await asyncio.sleep(2)
    print("turns", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await asyncio.sleep(1)
    print("turns again", flush=True)
    while True:
        pass

asyncio.run(main())
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_whose_loop_stands_still_for_ever_ends_and_says_where() -> None:
    """Not so one that was frozen as a whole, however long."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "LEASE_SECONDS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", STANDING_STILL],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        assert process.stdout.readline() == "turns\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        process.send_signal(signal.SIGCONT)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "turns again\n"
        _, complaint = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert "process_stuck" in complaint
    assert "in main" in complaint


def until_released(run: Run) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not sweep.release_dead():
        assert time.monotonic() < until, "still in the hands of who stands still"
        time.sleep(0.05)
    assert Claim.objects.get(run=run).state == RunState.QUEUED


def wake(pipe: Path) -> None:
    descriptor = os.open(pipe, os.O_RDWR)  # waits for no reader
    os.write(descriptor, b"x")
    os.close(descriptor)


async def test_who_cannot_even_renew_is_fenced_and_another_goes_on(start: Start, tmp_path: Path) -> None:
    pipe = tmp_path / "until"
    os.mkfifo(pipe)
    run = await start("tests.work.standing_still", queue=Queue.LOW, options={"until": str(pipe)})
    with working("low", LEASE_SECONDS="1") as first:
        try:
            await in_database(until_released, run)
            with working("low") as second:
                await asyncio.to_thread(second.wait)
            assert (await state_of(run)).state == RunState.DONE
        finally:
            wake(pipe)
        assert "claim_lost" in await asyncio.to_thread(first.wait)
    claim = await state_of(run)
    assert (claim.state, claim.crashes) == (RunState.DONE, 0)
    steps = await in_database(lambda: {step.key: step for step in Step.objects.filter(run=run)})
    assert (steps["still"].result, steps["before"].attempts) == ({"epoch": claim.epoch}, 1)
    assert await in_database(broken_rules, [run]) == []
