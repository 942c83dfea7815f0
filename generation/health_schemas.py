"""The shapes of REST for the health of models and the check of a chain."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from generation.health import Verdict


class SaidOut(Schema):
    error_code: str
    message: str


class SpreadOut(Schema):
    """Milliseconds: of the middle one, and of all but the slowest twentieth."""

    p50: int
    p95: int


class InsteadOut(Schema):
    model: str
    times: int
    last: datetime


class ModelHealthOut(Schema):
    """`instead`: who answered in its place. `failed_in_a_row`: since it last answered. `rests_for`: seconds, 0 when it
    is asked; `is_suspected`: one more failure pauses it again."""

    model: str
    verdict: Annotated[str, Field(json_schema_extra={"enum": list(Verdict.values)})]
    answered: int
    failed: int
    failed_in_a_row: int
    under_way: int
    instead: list[InsteadOut]
    first_word_ms: SpreadOut | None
    duration_ms: SpreadOut | None
    last_answer: datetime | None
    last_failure: datetime | None
    last_error: SaidOut | None
    rests_for: float
    is_suspected: bool
    first_choice_of: list[str]
    later_choice_of: list[str]


class HealthOut(Schema):
    """`knows_rests`: Redis answered; without it `rests_for` says nothing. `unreadable`: agents whose chain is none."""

    at: datetime
    knows_rests: bool
    models: list[ModelHealthOut]
    unreadable: list[str]


class AspectOut(Schema):
    """`holds` is null when it did not show."""

    name: Literal["reachable", "streams", "schema", "tools", "usage", "price"]
    holds: bool | None
    error: SaidOut | None


class CheckedOut(Schema):
    """`cost_usd` is null when the model has no price here."""

    model: str
    is_good: bool
    aspects: list[AspectOut]
    first_word_ms: int | None
    cost_usd: float | None


class CheckOut(Schema):
    """`is_good`: the first choice can do all that is asked of it."""

    agent: str
    is_good: bool
    cost_usd: float | None
    models: list[CheckedOut]
