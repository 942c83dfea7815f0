"""The check of a chain: each of its models is asked two tiny questions, and what it can do is told.

One asks for an answer of a given form, one for the use of a tool: no single question can show both. They go out through
the real adapters, side by side, with short timeouts of their own, past the router: nothing is tried again, no model is
answered for by another, and no breaker hears of it. Nobody's run asks, so there is no Call row and no budget is drawn
on: what it cost is shown to who asked, counted in the metrics of models, and written to the log.
"""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

import structlog
from asgiref.sync import async_to_sync
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from generation import agents, calls, gateway, house, prompts
from generation.llm import schemas, trials
from generation.llm.journal import Attempt
from generation.llm.providers import Providers
from generation.llm.structured import parse
from generation.llm.trials import Trial
from generation.llm.usage import cost
from generation.llm.values import ModelRef, ModelRequest, Timeouts, ToolSpec, Usage
from generation.models import Agent
from memory import sentences
from memory.base.errors import Conflict, ModelBadOutput, ModelError

log = structlog.get_logger()

TIMEOUTS = Timeouts(connect=5, first_token=20, idle=10, total=40)
MOST_TOKENS = 2_000  # a few dozen are needed; models that think first need more
SEVERAL = 2  # pieces of an answer that is streamed
ASPECTS = {
    "reachable": _("reachable"),
    "streams": _("streams"),
    "schema": _("keeps a form"),
    "tools": _("uses tools"),
    "usage": _("reports tokens"),
    "price": _("price known"),
}


class Cover(BaseModel):
    title: str = Field(min_length=1)
    words: list[str] = Field(min_length=1, description="three words about the sea")


class Colour(BaseModel):
    colour: str = Field(min_length=1, description="one word")


@dataclass(frozen=True)
class Questions:
    form: ModelRequest
    tool: ModelRequest

    @classmethod
    def read(cls) -> "Questions":
        """As they are in production. Raises `not_found.prompt`."""
        form, tool = (prompts.render(prompts.current(slot), {}).messages for slot in (house.FORM, house.TOOL))
        set_colour = ToolSpec("set_colour", "Sets the colour of the cover.", schemas.of(Colour))
        return cls(
            ModelRequest(form, max_tokens=MOST_TOKENS, schema=schemas.of(Cover), schema_name="Cover"),
            ModelRequest(tool, max_tokens=MOST_TOKENS, tools=(set_colour,)),
        )


@dataclass(frozen=True)
class Aspect:
    """Whether the model can do it; None: that did not show. `error`: why not, or why it did not show."""

    name: str
    holds: bool | None
    error: ModelError | None = None

    @property
    def title(self) -> str:
        return str(ASPECTS[self.name])

    @property
    def said(self) -> str:
        return sentences.say(self.error.code, self.error.params) if self.error else ""

    @property
    def cause(self) -> str:
        """What happened, without what that means for somebody who was writing."""
        return sentences.first(self.said)


@dataclass(frozen=True)
class Checked:
    """One model of the chain."""

    model: ModelRef
    aspects: tuple[Aspect, ...]
    first_word_ms: int | None
    cost: Decimal | None

    @property
    def is_good(self) -> bool:
        """It can do all that a step may ask of a model: tokens and price only tell what that costs."""
        return all(aspect.holds for aspect in self.aspects if aspect.name not in ("usage", "price"))

    @property
    def errors(self) -> list[Aspect]:
        """Each thing that went wrong, once."""
        first: dict[str, Aspect] = {}
        for aspect in self.aspects:
            if aspect.error:
                first.setdefault(aspect.said, aspect)
        return list(first.values())


@dataclass(frozen=True)
class Check:
    agent: Agent
    models: tuple[Checked, ...]

    @property
    def is_good(self) -> bool:
        """The first choice is."""
        return self.models[0].is_good

    @property
    def cost(self) -> Decimal | None:
        """Of all that has a price; None when nothing has."""
        return total(*(each.cost for each in self.models))


busy = threading.Lock()


@contextmanager
def alone() -> Iterator[None]:
    """One at a time in each process: raises `conflict.check_running`."""
    if not busy.acquire(blocking=False):
        raise Conflict("check_running")
    try:
        yield
    finally:
        busy.release()


def check(agent: Agent) -> Check:
    """Ask all models of its chain in force. Raises `validation.chain`, `conflict.check_running`.

    For threads: it waits for the slowest of them.
    """
    return check_all([agent])[0]


def check_all(asked: Sequence[Agent]) -> list[Check]:
    """As `check`; a model that several name is asked once."""
    chains = [agents.chain(agent) for agent in asked]
    with alone():
        known = async_to_sync(ask_all)(list(dict.fromkeys(chain.from_iterable(chains))), Questions.read())
    return [
        Check(agent, tuple(known[model] for model in dict.fromkeys(each)))
        for agent, each in zip(asked, chains, strict=True)
    ]


async def ask_all(models: Sequence[ModelRef], questions: Questions) -> dict[ModelRef, Checked]:
    providers = Providers(gateway.specs())
    try:
        checked = await asyncio.gather(*(ask_one(providers, model, questions) for model in models))
    finally:
        await providers.close()
    for each in checked:
        cost_usd = None if each.cost is None else str(each.cost)
        log.info("model_checked", model=str(each.model), is_good=each.is_good, cost_usd=cost_usd)
    return {each.model: each for each in checked}


async def ask_one(providers: Providers, model: ModelRef, questions: Questions) -> Checked:
    form, tool = await asyncio.gather(
        trials.ask(providers, model, questions.form, TIMEOUTS), trials.ask(providers, model, questions.tool, TIMEOUTS)
    )
    for trial in (form, tool):
        calls.count(Attempt(model, 1, "first"), trial.outcome)
    return Checked(
        model,
        (
            reachable(form, tool),
            streams(form, tool),
            keeps_form(form, tool),
            uses_tool(tool, form),
            usage(form, tool),
            price(model),
        ),
        form.outcome.first_token_ms or tool.outcome.first_token_ms,
        total(form.cost(), tool.cost()),
    )


def reachable(*trials: Trial) -> Aspect:
    """It began to answer one of them at least."""
    came = any(trial.answer or trial.pieces for trial in trials)
    return Aspect("reachable", came, None if came else trials[0].error)


def streams(*trials: Trial) -> Aspect:
    whole = [trial for trial in trials if trial.answer]
    if not whole:
        return Aspect("streams", None, trials[0].error)
    return Aspect("streams", any(trial.pieces >= SEVERAL for trial in whole))


def keeps_form(trial: Trial, other: Trial) -> Aspect:
    if trial.answer is None:
        return failed("schema", trial, other)
    try:
        parse(trial.answer.content, Cover)
    except ModelBadOutput as error:
        return Aspect("schema", False, error)
    return Aspect("schema", True)


def uses_tool(trial: Trial, other: Trial) -> Aspect:
    if trial.answer is None:
        return failed("tools", trial, other)
    called = [call.arguments for call in trial.answer.tool_calls if call.name == "set_colour"]
    if not called:
        return Aspect("tools", False)
    try:
        parse(called[0], Colour)
    except ModelBadOutput:
        return Aspect("tools", False, ModelBadOutput("tool_arguments"))
    return Aspect("tools", True)


def failed(name: str, trial: Trial, other: Trial) -> Aspect:
    """What came was not as asked, or the model answers the other question but refuses this one: it cannot. Any other
    error may be over in a moment, or is about more than this."""
    error = trial.error
    is_refused = other.answer is not None and error is not None and error.permanent
    return Aspect(name, False if is_refused or isinstance(error, ModelBadOutput) else None, error)


def usage(*trials: Trial) -> Aspect:
    whole = [trial.outcome.usage for trial in trials if trial.answer]
    return Aspect("usage", not any(each.estimated for each in whole) if whole else None)


def price(model: ModelRef) -> Aspect:
    return Aspect("price", cost(model, Usage(0, 0)) is not None)


def total(*costs: Decimal | None) -> Decimal | None:
    known = [each for each in costs if each is not None]
    return sum(known, Decimal(0)) if known else None
