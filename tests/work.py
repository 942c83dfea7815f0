"""Jobs that wait for what the tests look for: who carries them, how many work at once, whether a lease still lives."""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import F
from django.utils.timezone import now
from pydantic import BaseModel

from generation import runs
from generation.flush import connect
from generation.models import Claim, Queue, Run, RunState
from generation.orders import Order
from generation.recipes.base import Recipe
from generation.running import Running
from generation.steps import StepInProgress
from memory.base.database import db
from tests.jobs import AnyOptions, Choice, parts_of, value
from tests.patience import PATIENCE_SECONDS

LOOK_SECONDS = 0.02
OVERSIGHT_SECONDS = 1.2  # in which somebody who claims too much would have done so: twice WAITED_SECONDS
SPIN_SECONDS = 0.05


async def until(seen: Callable[[], bool]) -> None:
    while not await db(seen):
        await asyncio.sleep(LOOK_SECONDS)


def count(state: RunState) -> int:
    """Runs of this house in that state."""
    return Claim.objects.filter(state=state).count()


async def ask_model(step: StepInProgress) -> str:
    facts = {"brief": "Loops in Python.", "sources": "", "note_title": "Loops", "titles": ["Loops"]}
    return await step.write("note/section", {**facts, "title": "Loops", "summary": step.key})


# --- who carries it


async def outstaying(run: Running) -> None:
    """Its first owner pays for a step, and is told to leave before that is recorded; meanwhile another run waits, and
    the step tells how often that one was claimed."""

    async def produce(step: StepInProgress) -> int:
        await ask_model(step)
        if run.ledger.cursor.epoch > 1:
            return -1
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not run.slots.leaving:
                await asyncio.sleep(LOOK_SECONDS)
        other = await db(begin_another, run.run)
        await asyncio.sleep(OVERSIGHT_SECONDS)
        return await db(lambda: Claim.objects.get(run=other).epoch)

    await run.gather(run.step("paid", produce, returns=int), run.step("beside", ask_model, returns=str))
    await run.step("last", ask_model, returns=str)


def begin_another(run: Run) -> Run:
    recipe = Recipe("test", "tests.jobs.three_steps", options=AnyOptions)
    return runs.start(recipe, Order("another"), user=run.user, workspace=run.workspace, queue=Queue.LOW)[0]


async def crowd(run: Running) -> None:
    """Tells how many runs were carried at once, when as many as may be were."""
    at_once = run.run.options["at_once"]

    async def produce(step: StepInProgress) -> int:
        await until(lambda: count(RunState.RUNNING) >= at_once or not count(RunState.QUEUED))
        await asyncio.sleep(OVERSIGHT_SECONDS)
        return await db(count, RunState.RUNNING)

    await run.step("seen", produce, returns=int)


# --- how many at once


async def abreast(run: Running) -> None:
    """Tells how many steps were made at once at most; none ends before `at_once` are being made."""
    together = asyncio.Barrier(run.run.options["at_once"])
    inside = 0

    async def produce(step: StepInProgress) -> int:
        nonlocal inside
        inside += 1
        seen = inside
        await together.wait()
        await value(step)
        inside -= 1
        return seen

    await run.gather(*(run.step(f"part-{n}", produce, returns=int) for n in range(run.run.options["parts"])))


async def asking_models(run: Running) -> None:
    """Four requests at once, when no run waits for its worker any more."""

    async def produce(step: StepInProgress) -> str:
        await until(lambda: not count(RunState.QUEUED))
        return await ask_model(step)

    await run.gather(*(run.step(f"part-{n}", produce, returns=str) for n in range(4)))


# --- how long


async def laboured(run: Running) -> None:
    """Works for `hours`, then waits for a person, or for parts if it is asked for such."""
    hours = timedelta(hours=run.run.options["hours"])

    async def produce(step: StepInProgress) -> str:
        await db(Claim.objects.filter(run=run.run).update, claimed_at=now() - hours)
        return await value(step)

    await run.step("work", produce, returns=str)
    if "part" in run.run.options:
        await run.spread("parts", parts_of(run))
    else:
        await run.ask("choice", Choice)
    await run.step("after", value, returns=str)


def pass_hours(run: Run, hours: float) -> None:
    """As if the run had been as it is for so long."""
    ago = timedelta(hours=hours)
    Claim.objects.filter(run=run).update(queued_at=F("queued_at") - ago, claimed_at=F("claimed_at") - ago)
    Run.objects.filter(id=run.id).update(created_at=F("created_at") - ago, started_at=F("started_at") - ago)


# --- with a loop that stands still


async def spinning(run: Running) -> None:
    """Computes without a pause until its lease has been renewed past its first end, and tells whether it was."""

    async def produce(step: StepInProgress) -> bool:
        return spin_until_renewed(run.run)

    await run.step("spun", produce, returns=bool)


def spin_until_renewed(run: Run) -> bool:
    patience = time.monotonic() + PATIENCE_SECONDS
    query = "SELECT lease_until > claimed_at + %s * interval '2 seconds' FROM generation_claim WHERE run_id = %s"
    with connect("spinning") as sql:
        while time.monotonic() < patience:
            row = sql.execute(query, [settings.LEASE_SECONDS, run.id]).fetchone()
            if row and row[0]:
                return True
            turn = time.monotonic() + SPIN_SECONDS
            while time.monotonic() < turn:
                pass
    return False


class Where(BaseModel):
    epoch: int


async def standing_still(run: Running) -> None:
    """Its first owner holds the lock of the interpreter, so that no thread of its process moves, until somebody writes
    to the pipe `until`."""

    async def produce(step: StepInProgress) -> Where:
        if run.ledger.cursor.epoch == 1:
            stand_still(Path(run.run.options["until"]))
        return Where(epoch=run.ledger.cursor.epoch)

    await run.step("before", value, returns=str)
    await run.step("still", produce, returns=Where)


def stand_still(pipe: Path) -> None:
    descriptor = os.open(pipe, os.O_RDWR)
    # PyDLL, unlike everything else that waits, keeps the lock.
    ctypes.PyDLL(None).read(descriptor, ctypes.create_string_buffer(1), 1)
    os.close(descriptor)
