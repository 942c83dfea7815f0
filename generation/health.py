"""How models have done in the last hour, and which of them an agent asks first in vain.

Read from the rows of calls, so that every process sees the same. A model that is skipped while it rests makes no call:
it shows by the answers that others gave in its place, as its agent's chain tells.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from redis import Redis

from generation import agents, gateway, health_figures
from generation.health_figures import Figures, Instead
from generation.llm import breaker
from generation.llm.breaker import Rest
from generation.llm.values import ModelRef
from generation.models import Agent
from memory import sentences
from memory.base.errors import ModelRefused, ScriptoriumError
from memory.base.news import AWAY

PERIOD = timedelta(hours=1)
REDIS_SECONDS = 1
IN_A_ROW = 5  # failures, as many as make the breaker pause it
WITHOUT_AN_ANSWER = 3  # of a model that has not answered at all
FEW = 4  # agents, to be named
WELL = 0.9  # the share that answers of a model that is well


class Verdict(TextChoices):
    """The worst first."""

    DEAD = "dead", _("dead")
    RESTING = "resting", _("resting")
    AILING = "ailing", _("ailing")
    WELL = "well", _("well")
    NOT_ASKED = "not_asked", _("not asked")


ORDER = list(Verdict)
BAD = (Verdict.DEAD, Verdict.RESTING)


def named(known: Sequence[Agent]) -> str:
    """By name while they are few."""
    if len(known) > FEW:
        return gettext("{n} agents").format(n=len(known))
    return ", ".join(agent.title for agent in known)


@dataclass(frozen=True)
class StandIn:
    """Another model that answered in its place."""

    model: ModelRef
    times: int
    last: datetime


@dataclass(frozen=True)
class ModelHealth:
    model: ModelRef
    is_configured: bool
    figures: Figures = field(default_factory=Figures)
    rest: Rest = field(default_factory=Rest)
    first_of: tuple[Agent, ...] = ()
    next_of: tuple[Agent, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()

    @property
    def instead(self) -> int:
        """How often others answered in its place."""
        return sum(each.times for each in self.stand_ins)

    @property
    def last_instead(self) -> datetime | None:
        return max((each.last for each in self.stand_ins), default=None)

    @cached_property
    def verdict(self) -> Verdict:
        figures = self.figures
        if not self.is_configured or self.is_dead:
            return Verdict.DEAD
        if self.rest.paused:
            return Verdict.RESTING
        if not figures.attempts:
            return Verdict.NOT_ASKED
        is_well = figures.answered / figures.attempts >= WELL and figures.answered >= self.instead
        return Verdict.WELL if is_well and not self.rest.suspected else Verdict.AILING

    @property
    def place(self) -> str:
        """What it is to the agents."""
        if not self.first_of and not self.next_of:
            return gettext("in no chain now")
        first = gettext("first choice of {agents}").format(agents=named(self.first_of)) if self.first_of else ""
        later = gettext("a later choice of {agents}").format(agents=named(self.next_of)) if self.next_of else ""
        return "; ".join(filter(None, (first, later)))

    @property
    def is_dead(self) -> bool:
        """It fails and fails, or nothing came from it and others had to answer."""
        if self.figures.answered:
            return self.figures.in_a_row >= IN_A_ROW
        return self.figures.in_a_row >= WITHOUT_AN_ANSWER or (not self.figures.attempts and self.instead > 0)

    @property
    def error(self) -> dict[str, Any] | None:
        """The last one; where its provider is not set up, that is why it cannot be asked at all."""
        if not self.is_configured:
            return ModelRefused("unknown_provider", provider=self.model.provider).as_data()
        return self.figures.last_error

    @property
    def error_code(self) -> str:
        return str((self.error or {}).get("error_code", ""))

    @property
    def error_said(self) -> str:
        return sentences.say(self.error_code, (self.error or {}).get("params") or {}) if self.error else ""

    @property
    def cause(self) -> str:
        """What happened, without what that means for somebody who was writing."""
        return sentences.first(self.error_said)

    @property
    def urgency(self) -> tuple[bool, int, float, str]:
        """First choices in trouble first, the most recent trouble on top."""
        trouble = [at for at in (self.figures.last_failure, self.last_instead) if at]
        is_trouble = self.verdict in (*BAD, Verdict.AILING)
        last = max(trouble).timestamp() if trouble and is_trouble else 0
        rank = 0 if is_trouble else ORDER.index(self.verdict)
        return not (is_trouble and self.first_of), rank, -last, str(self.model)


@dataclass(frozen=True)
class Unreadable:
    """An agent whose chain names what is no model, and what is said of that."""

    agent: Agent
    said: str


@dataclass(frozen=True)
class Report:
    """`knows_rests`: Redis answered; without it each process knows of its own pauses alone."""

    at: datetime
    models: list[ModelHealth]
    knows_rests: bool
    unreadable: list[Unreadable]
    chains: dict[str, tuple[ModelRef, ...]]

    def chain_of(self, agent: str) -> list[ModelHealth]:
        """The models of its chain in force, in order."""
        known = {each.model: each for each in self.models}
        return [known[model] for model in self.chains.get(agent, ())]

    def trouble_of(self, agent: str) -> ModelHealth | None:
        """Its first choice, when that is dead or rests."""
        return next((each for each in self.chain_of(agent)[:1] if each.verdict in BAD), None)

    @property
    def asked(self) -> int:
        """How many answers and failures all this is read from."""
        return sum(each.figures.attempts for each in self.models)

    @property
    def troubles(self) -> list[ModelHealth]:
        """First choices that are dead or rest."""
        return [each for each in self.models if each.first_of and each.verdict in BAD]


def report() -> Report:
    """Three queries and one question to Redis, whatever the number of calls, models and agents."""
    at = timezone.now()
    chains, unreadable = chains_in_force()
    figures = health_figures.by_model(at - PERIOD)
    by_name = {agent.name: chain for agent, chain in chains}
    others = stand_ins(health_figures.instead(at - PERIOD), by_name)
    in_force = {model for chain in by_name.values() for model in chain}
    known = in_force | figures.keys() | others.keys()
    rests = rests_of(known)
    configured = {spec.name for spec in gateway.specs()}
    found = (
        ModelHealth(
            model,
            model.provider in configured or model not in in_force,
            figures.get(model, Figures()),
            (rests or {}).get(model, Rest()),
            tuple(agent for agent, chain in chains if chain[0] == model),
            tuple(agent for agent, chain in chains if model in chain[1:]),
            tuple(others.get(model, ())),
        )
        for model in known
    )
    return Report(at, sorted(found, key=lambda each: each.urgency), rests is not None, unreadable, by_name)


def chains_in_force() -> tuple[list[tuple[Agent, tuple[ModelRef, ...]]], list[Unreadable]]:
    chains, unreadable = [], []
    for agent in Agent.objects.order_by("title"):
        try:
            chains.append((agent, agents.chain(agent)))
        except ScriptoriumError as error:
            unreadable.append(Unreadable(agent, sentences.say(error.code, error.params)))
    return chains, unreadable


def stand_ins(answers: Iterable[Instead], chains: dict[str, tuple[ModelRef, ...]]) -> dict[ModelRef, list[StandIn]]:
    """By the model that should have answered: all that the chain asks before the one that did. A chain that was changed
    since may not name it any more: then the one that failed just before it."""
    found: defaultdict[ModelRef, dict[ModelRef, StandIn]] = defaultdict(dict)
    for each in answers:
        own = chains.get(each.agent, ())
        chain = tuple(map(ModelRef.parse, each.chain)) or own
        before = chain[: chain.index(each.model)] if each.model in chain else ()
        for missed in before or ((ModelRef.parse(each.failed),) if each.failed else ()):
            known = found[missed].get(each.model, StandIn(each.model, 0, each.last))
            last = max(known.last, each.last)
            found[missed][each.model] = replace(known, times=known.times + each.times, last=last)
    return {missed: sorted(by.values(), key=lambda one: -one.times) for missed, by in found.items()}


def rests_of(models: Iterable[ModelRef]) -> dict[ModelRef, Rest] | None:
    """None when Redis does not say."""
    seconds = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
    try:
        with Redis.from_url(settings.REDIS_URL, **seconds) as redis:
            return breaker.rests(redis, models)
    except AWAY:
        return None
