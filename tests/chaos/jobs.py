"""Jobs of these tests, for houses under test; RUN_JOBS allows them there."""

import asyncio

from django.db import OperationalError

from generation.running import Running
from generation.steps import StepInProgress
from memory.base.errors import InvalidInput


async def late_fallback(run: Running) -> None:
    """Falls back long after its step has begun, so that the fallback's text is told by itself; its next owner can do
    better."""

    async def produce(step: StepInProgress) -> str:
        await asyncio.sleep(0.2)
        if run.ledger.cursor.epoch == 1:
            raise InvalidInput("nothing_works")
        step.say("what was hoped for")
        return step.text

    await run.step("bad", produce, returns=str, fallback=lambda _: "what was meant")


async def refused_once(run: Running) -> None:
    """Its first owner hears from the database that it will not."""

    async def produce(step: StepInProgress) -> str:
        if run.ledger.cursor.epoch == 1:
            raise OperationalError("the database system is shutting down")
        return "written"

    await run.step("refused", produce, returns=str)
