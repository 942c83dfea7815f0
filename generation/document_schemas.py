"""The shapes of REST: documents, their sections, their folders."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import Field

from generation.history_schemas import ProposalOut
from generation.kinds import KINDS
from generation.schemas import Body, Number

MOST_PATHS = 500  # at once

TYPES = sorted({name for kind in KINDS.values() for name in kind.sections})

# By path: `title`, `questions/ID/text`. Items of a list go by their id; null takes away.
Values = Annotated[dict[str, Any], Field(max_length=MOST_PATHS, description="values by path; null takes away")]


class SectionOut(Schema):
    """`state` is its status, or what is going on or wrong: generating, queued, fallback, failed, missing."""

    id: UUID
    document: UUID
    parent: UUID | None
    type: str
    key: str
    state: str
    status: str
    version: int
    fields: dict[str, Any]
    fallback: dict[str, Any] | None
    locked: bool
    is_removed: bool
    proposals: list[ProposalOut]


class SectionTree(SectionOut):
    sections: list["SectionTree"]


class DocumentLine(Schema):
    """A document in a list.

    `state` is its status, or what is going on or wrong: waiting (for a person), generating, queued, partial, failed,
    stale. `run` is the one at work, else the last; `progress` and `label` are of the one at work.
    """

    id: UUID
    kind: str
    title: str
    language: str
    status: str
    state: str
    progress: float | None
    label: dict[str, Any] | None
    version: int
    workspace: UUID
    folder: UUID | None
    parent: UUID | None
    run: UUID | None
    is_binned: bool
    created_at: datetime


class DocumentOut(DocumentLine):
    brief: str
    fields: dict[str, Any]
    proposals: list[ProposalOut]
    sections: list[SectionTree]


class DocumentPage(Schema):
    items: list[DocumentLine]
    cursor: str | None = Field(description="ask with it for the next page; null on the last")


class DocumentIn(Body):
    kind: str = Field(json_schema_extra={"enum": [*sorted(KINDS)]})  # told, not checked: the refusal names them, too
    title: str = ""
    fields: dict[str, Any] = {}
    language: str = Field("", pattern="^(en|fr|)$", description="the user's if left out")
    workspace: UUID | None = None
    parent: UUID | None = Field(None, description="the document that this one belongs to")
    folder: UUID | None = None


class EditIn(Body):
    fields: Values
    expected_version: Number | None = Field(None, description="the version its writer saw; 409 for what changed since")


class SectionEditIn(EditIn):
    """With `after` or `parent` it moves: after that section, or first in that parent."""

    fields: Values = {}
    parent: UUID | None = None
    after: UUID | None = None


class SectionIn(Body):
    type: str = Field(description="one of its document's kind", json_schema_extra={"enum": [*TYPES]})
    fields: dict[str, Any] = {}
    parent: UUID | None = None
    after: UUID | None = Field(None, description="the section to follow; without it, it comes first")


class ActionIn(Body):
    options: dict[str, Any] = {}


class EmptiedOut(Schema):
    documents: int


class FolderOut(Schema):
    id: UUID
    name: str
    workspace: UUID
    parent: UUID | None


class FolderIn(Body):
    name: str
    workspace: UUID | None = None
    parent: UUID | None = None


class FolderNameIn(Body):
    name: str


class PlacedOut(Schema):
    """A case and where it stands; `is_top`: recommended."""

    id: UUID
    number: int
    title: str
    domain: str
    state: str
    is_top: bool
    stars: int | None
    total_value: float | None
    total_complexity: float | None
    total_ease: float | None


class PortfolioOut(Schema):
    """Means and medians are of the cases that are rated; thresholds those of its summary, or the medians."""

    cases: list[PlacedOut]
    count: int
    mean_value: float | None
    mean_complexity: float | None
    median_value: float | None
    median_complexity: float | None
    value_threshold: float | None
    complexity_threshold: float | None
    summary: UUID | None
