"""Jobs of the tests: small recipes that show one thing each. Not product code; RUN_JOBS allows them in tests only."""

import asyncio
import os
import signal

import structlog
from pydantic import BaseModel, ConfigDict

from generation.events import Draft
from generation.models import Claim, Queue, Run, RunState
from generation.orders import Order
from generation.recipes.base import Options, Recipe
from generation.running import Running
from generation.steps import StepInProgress
from generation.waiting import Child, write_children
from memory.base.database import db
from memory.base.errors import InvalidInput, ScriptoriumError

log = structlog.get_logger()


class AnyOptions(Options):
    model_config = ConfigDict(extra="allow")


made: list[str] = []  # what was really made in this process: a recorded step is not made again


async def value(step: StepInProgress) -> str:
    made.append(step.key)
    return step.key


async def three_steps(run: Running) -> None:
    """One after the other, without a model."""
    run.plan({"one": 1, "two": 1, "three": 2})
    for key in ("one", "two", "three"):
        await run.step(key, value, returns=str)


async def crowded_steps(run: Running) -> None:
    """One step begins while two others wait for their turn to record."""
    run.plan({"one": 1, "two": 1, "three": 1})
    async with run.ledger.outbox.lock:
        steps = []
        for key in ("one", "two", "three"):
            steps.append(asyncio.ensure_future(run.step(key, value, returns=str)))
            await asyncio.sleep(0.01)
    await asyncio.gather(*steps)


async def slow_steps(run: Running) -> None:
    """Each step takes `seconds`, `parts` of them at once."""
    seconds, parts = run.run.options.get("seconds", 0.2), run.run.options.get("parts", 3)

    async def produce(step: StepInProgress) -> str:
        await asyncio.sleep(seconds)
        return await value(step)

    run.plan({f"part-{n}": 1 for n in range(parts)})
    await run.gather(*(run.step(f"part-{n}", produce, returns=str) for n in range(parts)))


async def endless(run: Running) -> None:
    """Records a step, then works on two others that never end."""
    await run.step("good", value, returns=str)

    async def produce(step: StepInProgress) -> str:
        await asyncio.Event().wait()
        return await value(step)

    await run.gather(*(run.step(key, produce, returns=str) for key in ("left", "right")))


async def noisy(run: Running) -> None:
    """Two steps at once log something, themselves and where they reach the database."""

    async def produce(step: StepInProgress) -> str:
        log.info("made", key=step.key)
        await db(log.info, "kept", key=step.key)
        return await value(step)

    await run.gather(*(run.step(key, produce, returns=str) for key in ("left", "right")))


async def failing_step(run: Running) -> None:
    await run.step("good", value, returns=str)

    async def produce(step: StepInProgress) -> str:
        raise InvalidInput("nothing_works")

    await run.step("bad", produce, returns=str)


async def fallen_back(run: Running) -> None:
    async def produce(step: StepInProgress) -> str:
        step.say("half a sen")
        raise InvalidInput("nothing_works")

    def fallback(_: ScriptoriumError) -> str:
        return "what was meant"

    await run.step("good", value, returns=str)
    await run.step("bad", produce, returns=str, fallback=fallback)


async def one_section(run: Running) -> None:
    """A section by the prompt of notes, about the brief; a stand-in when no model writes it."""
    facts = {"brief": run.run.brief, "sources": "", "titles": ["Loops"]}
    facts |= dict.fromkeys(("note_title", "title", "summary"), "Loops")

    async def produce(step: StepInProgress) -> str:
        return await step.write("note/section", facts)

    await run.step("section", produce, returns=str, fallback=lambda _: "a stand-in")


async def surprising(run: Running) -> None:
    """An error that no type foresaw."""
    raise ZeroDivisionError


class Choice(BaseModel):
    colour: str
    number: int


async def asking(run: Running) -> None:
    await run.step("before", value, returns=str)
    choice = await run.ask("choice", Choice, shown={"colours": ["red", "blue"]})

    async def produce(step: StepInProgress) -> str:
        return f"{choice.colour} {choice.number}"

    await run.step("after", produce, returns=str)


def parts_of(run: Running) -> list[Child]:
    """Three runs of the job named by the option `part`, with its `options`."""
    asked = run.run.options
    recipe = Recipe("part", asked.get("part", "tests.jobs.three_steps"), options=AnyOptions, queue=Queue.HIGH)
    return [Child(recipe, Order(f"part {n}", options=asked.get("options", {}))) for n in range(3)]


async def spreading(run: Running) -> list[str]:
    """What its parts came to."""
    ended = await run.spread("parts", parts_of(run))

    async def tell(step: StepInProgress) -> list[str]:
        return [f"{child.id} {child.claim.state}" for child in ended]

    return await run.step("told", tell, returns=list[str])


async def unheard(run: Running) -> None:
    """A person cancels it and nobody tells its carrier. Then the carrier lets go of it, as the option `then` says."""
    await run.step("good", value, returns=str)
    await db(Claim.objects.filter(run=run.run).update, cancel_requested=True)
    match run.run.options["then"]:
        case "ask":
            await run.ask("choice", Choice)
        case "spread":
            await run.gather(run.spread("parts", parts_of(run)))
        case "leave":
            run.slots.leaving = True
            await run.step("next", value, returns=str)


async def forsaking(run: Running) -> None:
    """Fails when somebody has begun one of its parts."""
    begun = Run.objects.filter(parent=run.run, claim__state=RunState.RUNNING)
    async with run.slots.taken():  # it works beside them, and is not parked
        parts = asyncio.ensure_future(run.spread("parts", parts_of(run)))
        try:
            while not await db(begun.exists):
                await asyncio.sleep(0.02)
            raise ZeroDivisionError
        finally:
            parts.cancel()


async def begetting(run: Running) -> None:
    """Begins parts when it is told to end."""
    await run.step("good", value, returns=str)
    try:
        await asyncio.Event().wait()
    finally:
        told = Draft.of("step", key="parts", state="running", attempt=1)
        await run.ledger.record([told], lambda: write_children(run.run, "parts", parts_of(run)))


async def deadly(run: Running) -> None:
    """Records a step, then kills its process."""
    await run.step("good", value, returns=str)

    async def produce(step: StepInProgress) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    await run.step("deadly", produce, returns=str)


async def one_stream(run: Running) -> None:
    """One step that a model streams: what a chat turn costs, without the chat."""

    async def produce(step: StepInProgress) -> str:
        variables = {
            "brief": run.run.brief,
            "sources": "",
            "note_title": "Bench",
            "titles": ["Bench"],
            "title": "Bench",
            "summary": "-",
        }
        return await step.write("note/section", variables)

    await run.step("answer", produce, returns=str)
