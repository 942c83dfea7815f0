"""REST of messages: say something, say it otherwise, have it answered anew, think of an answer what one will."""

from typing import Any
from uuid import UUID

from ninja import Router, Status

from chat import messages, panel, pictures, sessions, turns
from chat.schemas import (
    AgainIn,
    FeedbackIn,
    MessageOut,
    OtherWordsIn,
    SessionOut,
    TurnOut,
    WithdrawnOut,
    WordsIn,
)
from chat.turns import Turn, Words
from generation import feedback
from generation.api.parameters import Key
from memory import workspaces
from memory.base.errors import SessionError
from memory.http import SignedInRequest
from memory.models import Role

router = Router(tags=["conversations"])


def began(turn: Turn) -> Status[dict[str, Any]]:
    told = {"session": turn.session.id, "message": turn.message.id, "reply": turn.reply.id, "run": turn.run.id}
    return Status(202, told)


def drawn(request: SignedInRequest, message_id: UUID) -> dict[str, Any]:
    return pictures.drawn([messages.visible(request.user, message_id)], request.user)[0]


def spoken(request: SignedInRequest, body: WordsIn, key: str | None) -> dict[str, Any]:
    session = sessions.visible(request.user, body.session) if body.session else None
    return {
        "user": request.user,
        "words": Words(body.text, body.files, [(each.kind, each.id) for each in body.context], body.agent),
        "session": session,
        "workspace": None if session else workspaces.choose(request.user, body.workspace, Role.VIEWER),
        "after": body.after,
        "key": key,
    }


@router.post("/chat/messages", response={202: TurnOut}, summary="Say something, and have it answered")
def send(request: SignedInRequest, body: WordsIn, idempotency_key: Key = None) -> Status[dict[str, Any]]:
    return began(turns.take(**spoken(request, body, idempotency_key)))


@router.post("/panels", response={202: TurnOut}, summary="Ask Anima, Neo and Nexus at once")
def ask_panel(request: SignedInRequest, body: WordsIn, idempotency_key: Key = None) -> Status[dict[str, Any]]:
    """Their answers are siblings, made by one run, each in steps that begin with its agent's name."""
    return began(turns.take(**spoken(request, body, idempotency_key), answered_by=panel.answer_by_all))


@router.get("/chat/messages/{uuid:message_id}", response=MessageOut, summary="A message")
def show(request: SignedInRequest, message_id: UUID) -> dict[str, Any]:
    return drawn(request, message_id)


@router.post("/chat/messages/{uuid:message_id}/edit", response={202: TurnOut}, summary="Say it otherwise")
def edit(
    request: SignedInRequest, message_id: UUID, body: OtherWordsIn, idempotency_key: Key = None
) -> Status[dict[str, Any]]:
    """A sibling with an answer of its own; what was said before stays."""
    message = messages.visible(request.user, message_id)
    return began(turns.edit(message, Words(body.text, body.files), key=idempotency_key))


@router.post("/chat/messages/{uuid:message_id}/regenerate", response={202: TurnOut}, summary="Another answer")
def regenerate(
    request: SignedInRequest, message_id: UUID, body: AgainIn | None = None, idempotency_key: Key = None
) -> Status[dict[str, Any]]:
    message = messages.visible(request.user, message_id)
    return began(turns.regenerate(message, key=idempotency_key, agent=body.agent if body else ""))


@router.post("/chat/messages/{uuid:message_id}/synthesis", response={202: TurnOut}, summary="Put a panel together")
def synthesise(request: SignedInRequest, message_id: UUID, idempotency_key: Key = None) -> Status[dict[str, Any]]:
    return began(panel.synthesise(messages.visible(request.user, message_id), key=idempotency_key))


@router.post("/chat/messages/{uuid:message_id}/withdraw", response=WithdrawnOut, summary="Take back what waits")
def withdraw(request: SignedInRequest, message_id: UUID) -> dict[str, str]:
    """The text of the question; empty where only one more answer had been asked for, and the question stays."""
    taken = turns.withdraw(messages.visible(request.user, message_id))
    return {"text": taken.text if taken else ""}


@router.post("/chat/messages/{uuid:message_id}/show", response=SessionOut, summary="Show the branch through it")
def choose(request: SignedInRequest, message_id: UUID) -> dict[str, Any]:
    return pictures.picture(request.user, messages.show(messages.visible(request.user, message_id)).id)


@router.post("/chat/messages/{uuid:message_id}/feedback", response=MessageOut, summary="Thumbs up or down, and why")
def think(request: SignedInRequest, message_id: UUID, body: FeedbackIn) -> dict[str, Any]:
    message = messages.visible(request.user, message_id)
    if message.call is None:
        raise SessionError("no_answer")
    if body.is_good is None:
        feedback.take_back(message.call, request.user)
    else:
        feedback.give(message.call, request.user, body.is_good, body.reason)
    return drawn(request, message_id)
