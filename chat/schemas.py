"""The shapes of REST: what a conversation looks like from outside, and what may be asked of one."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import BaseModel, ConfigDict, Field


class ContextIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["document", "section"]
    id: UUID


class WordsIn(BaseModel):
    """What is said. Without `session` a new conversation begins, in `workspace` or in the oldest of yours."""

    model_config = ConfigDict(extra="forbid")

    text: str
    session: UUID | None = None
    workspace: UUID | None = None
    agent: str = Field("", max_length=50, description="who answers from now on; without it, as before")
    context: list[ContextIn] = Field([], max_length=20, description="what it is about, from now on")
    files: list[UUID] = Field([], max_length=100)
    after: UUID | None = Field(None, description="the message it follows; without it, the end of the branch that shows")


class OtherWordsIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    files: list[UUID] = Field([], max_length=100, description="without any, those of the message")


class AgainIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    agent: str = Field("", max_length=50, description="who answers this time; without one, who did before")


class FeedbackIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    is_good: bool | None = Field(description="null takes back what was said")
    reason: str = ""


class SessionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str | None = None
    archived: bool | None = None
    agent: str | None = Field(None, max_length=50)


class ForkIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    message: UUID | None = Field(None, description="the last to take along; without it, all of the branch that shows")


class ShareIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    shared: bool = True


class SessionLine(Schema):
    id: UUID
    title: str
    agent: str
    state: str = Field(description="active, dormant or archived")
    workspace: UUID
    leaf: UUID | None = Field(description="the last message of the branch that shows")
    forked_from: UUID | None
    active_at: datetime
    created_at: datetime


class AboutOut(Schema):
    kind: str
    id: UUID
    title: str


class SessionOut(SessionLine):
    context: list[AboutOut]
    secret: UUID | None = Field(description="of the link by which members of the workspace may read it")


class SessionPage(Schema):
    items: list[SessionLine]
    cursor: str | None = Field(description="ask with it for the next page; null on the last")


class ThumbOut(Schema):
    is_good: bool
    reason: str


class MessageOut(Schema):
    id: UUID
    session: UUID
    parent: UUID | None
    speaker: str = Field(description="user or agent")
    agent: str
    form: str | None = Field(description="panel or synthesis, of an answer that came about so")
    state: str = Field(description="waiting, writing, done, stopped or failed")
    text: str
    parts: list[dict[str, Any]] = Field(description="what an agent thought, said and did, in order")
    siblings: list[UUID] = Field(description="what stands in its place, itself among them")
    seen: dict[str, Any] | None = Field(description="what the model was shown, and what was decided about each")
    usage: dict[str, Any] | None
    error: dict[str, Any] | None
    files: list[UUID]
    feedback: ThumbOut | None
    run: UUID | None
    last_seq: int | None = Field(description="while it is being written: follow the run's events from here")
    created_at: datetime


class MessagePage(Schema):
    items: list[MessageOut]
    before: UUID | None = Field(description="ask with it for what came earlier; null at the beginning")


class TurnOut(Schema):
    """The question and its answer to come; follow `run` for it. Of a panel, the first of its answers."""

    session: UUID
    message: UUID
    reply: UUID
    run: UUID


class WithdrawnOut(Schema):
    text: str
