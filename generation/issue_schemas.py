"""What REST takes and gives about findings."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field

from generation import issues
from generation.models import IssueState
from generation.schemas import Body


class IssueOut(Schema):
    """`type` and `params` say what is wrong, in no language; `text` in the reader's."""

    id: UUID
    document: UUID
    section: UUID | None
    path: str
    severity: str
    type: str
    params: dict[str, Any]
    text: str
    quotes: list[Any]
    fix: str
    state: str
    reason: str
    run: UUID | None
    step: str
    created_at: datetime
    decided_at: datetime | None


class DecisionOnIssueIn(Body):
    """`intentional` takes a reason, and is not raised again."""

    state: str = Field(max_length=15, json_schema_extra={"enum": [*IssueState.values]})
    reason: str = Field("", max_length=issues.MOST_REASON)
