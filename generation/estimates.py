"""What a text may cost, before it is begun: the shape of its work, times the prices of those who will do it.

A range and a guess. A price nobody knows makes the whole unknown, never free.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from generation import agents, saying
from generation.llm import usage
from generation.llm.values import ModelRef, Usage
from generation.models import Agent, Prompt
from generation.recipes.base import Options, Recipe, Work
from memory.base.errors import InvalidInput

PROMPT_TOKENS = 400  # of the prompt itself, without brief and files
CHARACTERS_PER_TOKEN = 4
LEAST_TEXT_SHARE = 10  # of a file that is a picture of pages, a tenth may be text


@dataclass(frozen=True)
class Estimate:
    """`usd` is None when a price is not known. `is_demo`: the demo model does it all."""

    calls: tuple[int, int]
    usd: tuple[Decimal, Decimal] | None
    models: Sequence[str]
    is_demo: bool

    @property
    def is_free(self) -> bool:
        return self.is_demo or (self.usd is not None and not self.usd[1])

    @property
    def low(self) -> str:
        return saying.money(self.usd[0]) if self.usd else ""

    @property
    def high(self) -> str:
        return saying.money(self.usd[1]) if self.usd else ""

    @property
    def named(self) -> str:
        return ", ".join(self.models)


def estimate(recipe: Recipe, options: Options, characters: int = 0, file_bytes: int = 0) -> Estimate | None:
    """None for a recipe that foresees nothing."""
    if recipe.work is None:
        return None
    works = recipe.work(options)
    models = models_of([work.slot for work in works])
    given = tokens_read(characters, file_bytes)
    least, most = (sums(works, models, end, given) for end in (0, 1))
    calls = (sum(work.calls[0] for work in works), sum(work.calls[1] for work in works))
    known = None if least is None or most is None else (least, most)
    named = sorted({str(model) for model in models.values()})
    return Estimate(calls, known, named, all(model.provider == "demo" for model in models.values()))


def tokens_read(characters: int, file_bytes: int) -> tuple[int, int]:
    """Of brief and files, as a run shows them: at least and at most."""
    brief = characters // CHARACTERS_PER_TOKEN
    files = file_bytes // CHARACTERS_PER_TOKEN
    least, most = (min(settings.SOURCES_TOKENS, size) for size in (files // LEAST_TEXT_SHARE, files))
    return brief + least, brief + most


def usage_of(work: Work, end: int, given: tuple[int, int]) -> Usage:
    """Of one call, at least (`end` 0) or at most (1), where it is given so much to read."""
    reads = given[end] if work.reads is None else min(work.reads, given[end])
    return Usage(tokens_in=PROMPT_TOKENS + reads, tokens_out=work.tokens_out[end])


def sums(works: Sequence[Work], models: dict[str, ModelRef], end: int, given: tuple[int, int]) -> Decimal | None:
    total = Decimal(0)
    for work in works:
        each = usage.cost(models[work.slot], usage_of(work, end, given))
        if each is None:
            return None
        total += each * work.calls[end]
    return total


def most_tokens(recipe: Recipe, options: Options, characters: int, file_bytes: int) -> int:
    """All that a run of it may use, if nothing fails; 0 of a recipe that foresees nothing."""
    given = tokens_read(characters, file_bytes)
    works = recipe.work(options) if recipe.work else []
    each = [(work.calls[1], usage_of(work, 1, given)) for work in works]
    return sum(calls * (used.tokens_in + used.tokens_out) for calls, used in each)


def models_of(slots: Sequence[str]) -> dict[str, ModelRef]:
    """The first model of the agent of each slot; the house's own where none is named, or none can be read."""
    default = ModelRef.parse(agents.default_model())
    named = dict(Prompt.objects.filter(slot__in=slots).values_list("slot", "agent"))
    known = {agent.name: agent for agent in Agent.objects.filter(name__in=named.values())}
    return {slot: first_of(known.get(named.get(slot, "")), default) for slot in slots}


def first_of(agent: Agent | None, default: ModelRef) -> ModelRef:
    if agent is None:
        return default
    try:
        return agents.chain(agent)[0]
    except InvalidInput:
        return default
