"""The shapes of REST: changes, snapshots, proposals, and what a verb changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema
from pydantic import Field


class UserOut(Schema):
    id: UUID
    username: str


class ObjectOut(Schema):
    type: str
    id: UUID


class VersionOut(ObjectOut):
    version: int


class ChangedOut(Schema):
    """What was changed, under which group it can be undone, and the version each object has now."""

    group: UUID | None
    changes: list[UUID]
    objects: list[VersionOut]


class ChangeOut(Schema):
    """One path of one object, before and after; null means that nothing was there.

    In a list long values are shortened to the beginning of their text, and `is_shortened` says so.
    """

    id: UUID
    at: datetime
    author: str
    user: UserOut | None
    object: VersionOut
    path: str
    before: Any
    after: Any
    is_shortened: bool
    reason: str
    group: UUID
    run: UUID | None
    step: str
    undoes: UUID | None
    is_undone: bool


class ChangePage(Schema):
    items: list[ChangeOut]
    cursor: str | None = Field(description="ask with it for the next page; null on the last")


class SnapshotOut(Schema):
    """The state of an object before the first change of a group."""

    id: UUID
    at: datetime
    object: VersionOut
    group: UUID


class SnapshotPage(Schema):
    items: list[SnapshotOut]
    cursor: str | None


class ProposalOut(Schema):
    """What a recipe would have written where a person's text stands, or a lock is."""

    id: UUID
    at: datetime
    object: ObjectOut
    values: dict[str, Any]
    state: str
    run: UUID | None
    step: str
    decided_by: UserOut | None
    decided_at: datetime | None


class ProposalPage(Schema):
    items: list[ProposalOut]
    cursor: str | None
