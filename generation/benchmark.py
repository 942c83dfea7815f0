"""How models compare on what agents are really asked: the same questions to each, so many times, and what came of them.

A question is the prompt in force of a slot, filled as it was last filled for a person (what Call rows still keep), or
with samples where nobody has asked yet. It goes out through the real adapters past the run engine: no Call row, no
budget, no retry. Which answers a slot would have taken is known to its recipe alone: what is measured of their quality
are proxies.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from generation import agents, gateway, prompts, samples
from generation.benchmark_figures import Result, result_of
from generation.calls import reserve_for
from generation.llm import trials
from generation.llm.providers import Providers
from generation.llm.values import Message, ModelRef, ModelRequest, Timeouts
from generation.models import Agent, Call, Prompt
from memory.base.errors import InvalidInput

PAST_CALLS = 5  # looked at, the newest first, for variables that fit


@dataclass(frozen=True)
class Question:
    """What an agent is asked by a slot. `is_past`: filled as it was for a person."""

    agent: Agent
    slot: str
    request: ModelRequest
    is_past: bool


@dataclass(frozen=True)
class Plan:
    """Questions, and who is asked them. `skipped`: slots that nothing here fills, with the variables in the way."""

    pairs: tuple[tuple[Question, ModelRef], ...]
    rounds: int
    skipped: dict[str, str]

    @property
    def slots(self) -> set[str]:
        return {question.slot for question, _model in self.pairs}

    @property
    def past(self) -> set[str]:
        return {question.slot for question, _model in self.pairs if question.is_past}

    @property
    def most_usd(self) -> Decimal:
        """What it costs at most, as far as prices are known."""
        known = (reserve_for(model, question.request).usd or Decimal(0) for question, model in self.pairs)
        return sum(known, Decimal(0)) * self.rounds

    @property
    def unpriced(self) -> list[str]:
        return sorted(
            {str(model) for question, model in self.pairs if reserve_for(model, question.request).usd is None}
        )


def plan(asked: Iterable[Agent], models: Sequence[ModelRef], rounds: int, *, with_past: bool = True) -> Plan:
    """Each agent's slots, to these models, or to its chain in force. `with_past`: filled as for a person, where that is
    known. Raises `validation.chain`, `not_found.prompt`."""
    pairs: list[tuple[Question, ModelRef]] = []
    skipped: dict[str, str] = {}
    for agent in asked:
        chain = models or agents.chain(agent)
        for prompt in Prompt.objects.filter(agent=agent.name).order_by("slot"):
            try:
                question = question_of(agent, prompt, past(prompt.slot) if with_past else [])
            except InvalidInput as error:
                skipped[prompt.slot] = str(error)
            else:
                pairs += [(question, model) for model in dict.fromkeys(chain)]
    return Plan(tuple(pairs), rounds, skipped)


def question_of(agent: Agent, prompt: Prompt, known: Sequence[Mapping[str, object]]) -> Question:
    """Raises what rendering raises when neither a past call's variables nor the samples fit."""
    version = prompts.current(prompt.slot)
    for variables in known:
        try:
            return Question(agent, prompt.slot, request_of(agent, prompts.render(version, variables).messages), True)
        except InvalidInput:
            continue  # filled for a version that declared others
    messages = prompts.render(version, samples.of(prompt)).messages
    return Question(agent, prompt.slot, request_of(agent, messages), False)


def past(slot: str) -> list[dict[str, object]]:
    """What it was filled with for people, the newest first."""
    known = Call.objects.filter(prompt_version__prompt=slot, variables__isnull=False).order_by("-created_at")
    return [call.variables or {} for call in known.only("variables")[:PAST_CALLS]]


def request_of(agent: Agent, messages: tuple[Message, ...]) -> ModelRequest:
    """A prompt that only instructs is for a conversation: somebody says something in it."""
    if all(message.role == "system" for message in messages):
        messages = (*messages, Message("user", samples.said()))
    return ModelRequest(messages, temperature=agent.temperature, max_tokens=agent.max_tokens)


async def run(plan: Plan, done: Callable[[Result], None]) -> list[Result]:
    """Models side by side, the questions to each one after the other, so that none waits behind another's."""
    providers = Providers(gateway.specs())
    timeouts = Timeouts(**settings.MODEL_TIMEOUTS)
    results: dict[int, Result] = {}

    async def ask_one_model(model: ModelRef) -> None:
        for n, (question, its) in enumerate(plan.pairs):
            if its == model:
                asked = [await trials.ask(providers, model, question.request, timeouts) for _ in range(plan.rounds)]
                results[n] = result_of(question.agent.name, question.slot, model, asked)
                done(results[n])

    try:
        await asyncio.gather(*(ask_one_model(model) for model in dict.fromkeys(model for _, model in plan.pairs)))
    finally:
        await providers.close()
    return [results[n] for n in sorted(results)]
