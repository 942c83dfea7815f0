"""The shapes of REST: threads, and the comments in them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

from generation.schemas import Body

# Told, not checked: the refusal says how long it may be.
Said = Annotated[str, Field(description="plain text of at most 5 000 characters; `@name` mentions a member")]


class PersonOut(Schema):
    username: str
    name: str


class CommentOut(Schema):
    """`user` is null for somebody who left. A deleted comment that others answered stays, without its text."""

    id: UUID
    user: PersonOut | None
    text: str
    mentions: list[PersonOut]
    created_at: datetime
    edited_at: datetime | None
    is_deleted: bool


class ThreadOut(Schema):
    """What is said about a document, one of its sections, or a `field` of either.

    `is_changed`: the words in `quote` are not there any more. `is_removed`: nor is the section. `is_new`: it concerns
    you and you have not looked at it since.
    """

    id: UUID
    document: UUID
    section: UUID | None
    field: str
    quote: str
    is_changed: bool
    is_removed: bool
    state: Literal["open", "closed"]
    is_new: bool
    user: PersonOut | None
    assignee: PersonOut | None
    closed_by: PersonOut | None
    closed_at: datetime | None
    created_at: datetime
    comments: list[CommentOut]


class ThreadPage(Schema):
    items: list[ThreadOut]
    cursor: str | None = Field(description="ask with it for the next page; null on the last")


class ThreadIn(Body):
    text: Said
    section: UUID | None = Field(None, description="of the document; without it, it is about the document itself")
    field: str = Field("", description="a path in it, such as `title` or `content`")
    quote: str = Field("", description="the words it speaks of, as they are read")
    assignee: str | None = Field(None, description="the user name of a member who is to see to it")


class ThreadEditIn(Body):
    """What is left out stays as it is; an `assignee` of null is nobody."""

    state: Literal["open", "closed"] | None = None
    assignee: str | None = None


class CommentIn(Body):
    text: Said
