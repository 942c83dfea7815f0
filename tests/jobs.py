"""Jobs of the tests: small recipes that show one thing each. Not product code; RUN_JOBS allows them in tests only."""

import asyncio
import os
import signal

from pydantic import BaseModel, ConfigDict

from generation.models import Queue
from generation.orders import Order
from generation.recipes.base import Options, Recipe
from generation.running import Running
from generation.steps import StepInProgress
from generation.waiting import Child
from memory.base.errors import InvalidInput, ScriptoriumError


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


async def slow_steps(run: Running) -> None:
    """Each step takes `seconds`, `parts` of them at once."""
    seconds, parts = run.run.options.get("seconds", 0.2), run.run.options.get("parts", 3)

    async def produce(step: StepInProgress) -> str:
        await asyncio.sleep(seconds)
        return await value(step)

    run.plan({f"part-{n}": 1 for n in range(parts)})
    await run.gather(*(run.step(f"part-{n}", produce, returns=str) for n in range(parts)))


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


PART = Recipe("part", "tests.jobs.three_steps", queue=Queue.HIGH)
SLOW_PART = Recipe("part", "tests.jobs.slow_steps", queue=Queue.HIGH)


async def spreading(run: Running) -> None:
    children = [Child(PART, Order(f"part {n}")) for n in range(3)]
    ended = await run.spread("parts", children)
    await run.step("after", value, returns=str)
    assert len(ended) == 3


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
