"""Looking things up before something is written: rounds of a model and the tools of the web, each recorded.

What comes of it is what may be cited. A tool that fails is told to the model; without tools, and without a model, the
writing goes on with what was given.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from pydantic import BaseModel

from generation import citations
from generation.citations import Citable
from generation.llm.values import Message, ToolCall
from generation.running import Running
from generation.steps import StepInProgress
from generation.web import engines, tools
from memory.base.errors import ScriptoriumError, ToolFailed
from memory.base.text import as_json, clean_json, clean_text

MOST_ROUNDS = 4
MOST_CALLS = 6  # in one round
MOST_CITED = 20
LONGEST_SUBJECT = 200
LONGEST_TEXT = 3_000  # characters of a page, as the writer is shown it


class Wish(BaseModel):
    name: str
    arguments: str


class Round(BaseModel):
    """What the model said, and what it wished to look up."""

    content: str = ""
    calls: list[Wish] = []


class Looked(BaseModel):
    """What a tool told the model; with an `error` nothing was found."""

    told: dict[str, Any] = {}
    error: dict[str, Any] | None = None


def is_possible(given: Iterable[str]) -> bool:
    """Whether there is anything to look up with: an engine, or an address that was given."""
    return engines.is_configured() or bool(citations.addresses(given))


async def look_up(run: Running, slot: str, variables: Mapping[str, Any], given: Sequence[str]) -> list[Citable]:
    """What was found, numbered from 1, the pages that were read before those that were only listed.

    `given`: all texts that the model is shown; it reads no address that stands neither in them nor in what was found.
    """
    said: list[Message] = []
    seen = list(given)
    found: list[Looked] = []
    for n in range(1, MOST_ROUNDS + 1):
        spoken = await ask(run, f"research-{n}", slot, variables, said, is_last=n == MOST_ROUNDS)
        if not spoken.calls:
            break
        calls = [ToolCall(f"call_{n}_{i}", each.name, each.arguments) for i, each in enumerate(spoken.calls, 1)]
        said.append(Message("assistant", spoken.content, tuple(calls)))
        shown = "\n".join(seen)
        looked = await run.gather(*(use(run, f"research-{n}/tool-{i}", call, shown) for i, call in enumerate(calls, 1)))
        for call, each in zip(calls, looked, strict=True):
            text = as_json(each.error or each.told) or "{}"
            said.append(Message("tool", text, tool_call_id=call.id))
            seen.append(text)
        found += looked
    return citable(found)


async def ask(
    run: Running, key: str, slot: str, variables: Mapping[str, Any], said: Sequence[Message], *, is_last: bool
) -> Round:
    async def produce(step: StepInProgress) -> Round:
        answer = await step.converse(slot, variables, said, tools=() if is_last else tools.offered())
        wishes = [Wish(name=call.name, arguments=call.arguments) for call in answer.tool_calls]
        return Round(content=step.text, calls=wishes[:MOST_CALLS])

    def fallback(_: ScriptoriumError) -> Round:
        return Round()

    return await run.step(key, produce, returns=Round, label={"code": "research"}, fallback=fallback)


async def use(run: Running, key: str, call: ToolCall, shown: str) -> Looked:
    async def produce(_: StepInProgress) -> Looked:
        try:
            told = await tools.use(run.run.workspace_id, call.name, call.arguments, run.run.language, shown=shown)
        except ToolFailed as error:
            return Looked(error=clean_json({"error": error.code, **error.params}))
        return Looked(told=clean_json(told))

    return await run.step(key, produce, returns=Looked, label={"code": call.name, "title": subject(call.arguments)})


def subject(arguments: str) -> str:
    """What is looked up, as far as the model has said so."""
    try:
        given = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return ""
    named = (given.get("query") or given.get("url") or "") if isinstance(given, dict) else ""
    return clean_text(str(named))[:LONGEST_SUBJECT]


def citable(found: Sequence[Looked]) -> list[Citable]:
    """Each address once: with its text where it was read, else with its excerpt."""
    pages = [page for each in found if (page := each.told.get("page"))]
    listed = [result for each in found for result in each.told.get("results", ())]
    by_url: dict[str, Citable] = {}
    for one in (*pages, *listed):
        text = str(one.get("text") or one.get("excerpt") or "").removeprefix("<page>\n").removesuffix("\n</page>")
        if one["url"] not in by_url and len(by_url) < MOST_CITED:
            number = len(by_url) + 1
            by_url[one["url"]] = Citable(number=number, title=one["title"], url=one["url"], text=text[:LONGEST_TEXT])
    return list(by_url.values())
