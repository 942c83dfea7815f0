"""The shapes of REST for staff: prompts with their versions, agents, experiments and what they show, decisions."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import BeforeValidator, Field

from generation.decisions import MOST_REASON
from generation.experiments.critics import MOST_ANSWERS
from generation.experiments.lifecycle import MOST_ARMS
from generation.experiments.metrics import METRICS
from generation.models import Unit
from generation.schemas import Body, number

Reason = Annotated[str, Field(min_length=1, max_length=MOST_REASON, description="why, for whoever reads it later")]
Metric = Annotated[str, Field(max_length=30, json_schema_extra={"enum": list(METRICS)})]  # the refusal names them, too
ModelName = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=200, description="provider:model")]
# Not bounds around another number's bounds: the description would tell the wrong ones.
VersionNumber = Annotated[int, Field(ge=1, le=2_147_483_647), BeforeValidator(number)]
Share = Annotated[int, Field(ge=1, le=1_000), BeforeValidator(number)]
Minimum = Annotated[int, Field(ge=2, le=10_000_000, description="units of each arm"), BeforeValidator(number)]

Answers = Annotated[int, Field(ge=1, le=MOST_ANSWERS, description="of each arm at most"), BeforeValidator(number)]


class ReasonIn(Body):
    reason: Reason


class PromptOut(Schema):
    """`production` is the number of the version in production, `override` the one that the environment sets above."""

    slot: str
    description: str
    agent: str
    variables: list[str]
    production: int | None
    override: str
    updated_at: datetime


class PromptVersionOut(Schema):
    """`warnings` say what may be meant so: a variable that the text leaves out."""

    id: UUID
    number: int
    text: str
    message: str
    from_file: bool
    author: str | None
    created_at: datetime
    warnings: list[str]


class PromptWithVersionsOut(PromptOut):
    versions: list[PromptVersionOut]


class SlotOut(Schema):
    """A slot as it goes from house to house; `production` is the number of the version in production."""

    format: int
    slot: str
    description: str
    agent: str
    variables: list[str]
    production: int | None
    versions: list[dict[str, Any]]


class PromptVersionIn(Body):
    text: str
    message: str = Field("", max_length=200)


class ProductionIn(ReasonIn):
    version: VersionNumber


class RehearsalIn(Body):
    """A version by its number, or a `text` that is kept nowhere; without either the version in force. Filled with
    `variables`, with what a past `call` was given, of which `variables` then replace some, or with a sample."""

    version: VersionNumber | None = None
    text: str | None = None
    variables: dict[str, Any] | None = None
    call: UUID | None = None
    said: str = Field("", description="what a person says, behind a prompt that holds instructions alone")
    agent: str | None = Field(None, pattern=r"^[a-z0-9_-]{1,50}$", description="the prompt's own unless named")
    model: ModelName | None = Field(None, description="provider:model; the first of the agent's unless named")


class PromptMessageOut(Schema):
    role: str
    content: str


class RehearsalOut(Schema):
    """`tokens` are estimated. `cost_usd` is that of the question alone, `most_usd` with the longest answer that the
    agent may give; null where the price is not known."""

    slot: str
    version: int | None
    agent: str
    model: str
    messages: list[PromptMessageOut]
    tokens: int
    cost_usd: float | None
    most_usd: float | None


class TriedOut(Schema):
    """`is_estimate`: the provider counted no tokens. `cost_usd` is null where the price is not known."""

    slot: str
    version: int | None
    agent: str
    model: str
    content: str
    reasoning: str
    finish_reason: str
    tokens_in: int
    tokens_out: int
    is_estimate: bool
    cost_usd: float | None
    first_token_ms: int | None
    duration_ms: int


class AgentOut(Schema):
    """`chain` as the row has it, `in_force` as it is asked: the environment's (`override`), the row's, the house's."""

    name: str
    title: str
    role: str
    chain: list[str]
    override: str
    in_force: list[str]
    temperature: float | None
    max_tokens: int
    max_rounds: int
    tools: list[str]


class ChainIn(ReasonIn):
    chain: list[ModelName] = Field(max_length=20)


class ArmIn(Body):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,30}$")
    share: Share = 1
    version: VersionNumber | None = Field(None, description="of the prompt, by number")
    chain: list[ModelName] = Field(default_factory=list, max_length=20)


class CritiqueIn(Body):
    answers: Answers = 20


class NewArmIn(ReasonIn):
    arm: ArmIn


class ExperimentIn(Body):
    """About a prompt or an agent; the first arm is the control."""

    title: str = Field(pattern=r"\S", max_length=200)
    prompt: str | None = Field(None, pattern=r"^[a-z0-9_/-]{1,100}$")
    agent: str | None = Field(None, pattern=r"^[a-z0-9_-]{1,50}$")
    arms: list[ArmIn] = Field(max_length=MOST_ARMS)
    unit: Unit = Unit.USER
    metric: Metric
    guards: list[Metric] = Field(default_factory=list, max_length=len(METRICS))
    minimum: Minimum = 100


class ArmOut(Schema):
    name: str
    version: int | None
    chain: list[str]
    share: int
    is_control: bool
    is_open: bool


class ExperimentOut(Schema):
    id: UUID
    title: str
    prompt: str | None
    agent: str | None
    unit: str
    metric: str
    guards: list[str]
    minimum: int
    state: str
    arms: list[ArmOut]
    created_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    critique: UUID | None = Field(description="the run that last had its answers scored")


class FillingOut(Schema):
    arm: str
    units: int
    expected: float


class DifferenceOut(Schema):
    """To the control; it lies between `low` and `high` with 95 % confidence, all arms together."""

    value: float
    low: float
    high: float


class ReadingOut(Schema):
    """Over `units` that were asked. `verdict`: control, not_enough, better, worse or no_difference."""

    arm: str
    units: int
    value: float | None
    low: float | None
    high: float | None
    difference: DifferenceOut | None
    verdict: str


class OutcomeOut(Schema):
    metric: str
    form: str
    readings: list[ReadingOut]


class ReportOut(Schema):
    """`is_early`: an arm has not its minimum yet. `chance` of arms filled so unevenly; `is_mismatched` below 0.001."""

    until: datetime
    fillings: list[FillingOut]
    chance: float
    is_mismatched: bool
    is_early: bool
    outcomes: list[OutcomeOut]


class WatchedOut(ExperimentOut):
    report: ReportOut


class DecisionOut(Schema):
    """`user` is null when a changed file did it. `before` and `after` hold `production`, `chain`, `state` or `arms`."""

    id: UUID
    deed: str
    prompt: str | None
    agent: str | None
    experiment: UUID | None
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str
    user: str | None
    undoes: UUID | None
    created_at: datetime


class CallOut(Schema):
    """One request to a model: which version of which prompt, and which arms of experiments gave it."""

    id: UUID
    run: UUID | None
    step: str
    attempt: int
    reason: str
    state: str
    agent: str
    provider: str
    model: str
    prompt: str | None
    version: int | None
    arms: list[str]
    tokens_in: int | None
    tokens_out: int | None
    cost_usd: float | None
    first_token_ms: int | None
    duration_ms: int | None
    finish_reason: str
    error: dict[str, Any] | None
    created_at: datetime


class CallWithMessagesOut(CallOut):
    messages: list[dict[str, Any]] | None
