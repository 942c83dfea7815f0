"""The shapes of REST: what a run looks like from outside, and what may be asked of one."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import BaseModel, BeforeValidator, Field

from generation.registry import RECIPES


class StepOut(Schema):
    key: str
    label: dict[str, Any]
    state: str
    attempts: int
    is_fallback: bool
    error: dict[str, Any] | None


class UsageOut(Schema):
    """`cost_usd` is the known cost; `is_cost_known` is false when a call's price is not in the table."""

    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: float
    is_cost_known: bool


class TextOut(Schema):
    step: str
    attempt: int
    reasoning: str
    content: str


class RunOut(Schema):
    id: UUID
    kind: str
    title: str
    document: UUID | None
    state: str
    reason: str | None
    progress: float
    label: dict[str, Any]
    workspace: UUID
    parent: UUID | None
    retries: UUID | None
    question: dict[str, Any] | None
    steps: list[StepOut]
    usage: UsageOut
    error: dict[str, Any] | None
    last_seq: int
    events_url: str
    text: list[TextOut] | None = None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunLine(Schema):
    """A run in a list."""

    id: UUID
    kind: str
    title: str
    document: UUID | None
    state: str
    reason: str | None
    progress: float
    label: dict[str, Any]
    created_at: datetime
    finished_at: datetime | None


class RunPage(Schema):
    items: list[RunLine]
    cursor: str | None = Field(description="ask with it for the next page; null on the last")


class Body(BaseModel):
    """What is sent. Not ninja's Schema: that reads attributes, and finds all it asks for in any text or number."""


def number(value: Any) -> Any:
    """Pydantic would make one of `true`, and of digits in a text."""
    if isinstance(value, bool | str):
        raise ValueError("not a number")
    return value


MOST_NUMBER = 2**53 - 1  # past it programs do not read the same number (RFC 8259 §6), and ours a fraction
Number = Annotated[int, Field(ge=-MOST_NUMBER, le=MOST_NUMBER), BeforeValidator(number)]


class OrderIn(Body):
    kind: str = Field(json_schema_extra={"enum": [*sorted(RECIPES)]})  # told, not checked: the refusal names them, too
    brief: str
    title: str = ""
    workspace: UUID | None = None
    folder: UUID | None = None
    parent: UUID | None = Field(None, description="the document that the new one belongs to")
    files: list[UUID] = []
    options: dict[str, Any] = {}
    language: str | None = Field(None, pattern="^(en|fr)$", description="of the text; the brief's if left out")


class RetryIn(Body):
    steps: list[str] = []


class AnswerIn(Body):
    step: str
    value: Any
