"""REST of conversations: list, look, name, archive, delete, fork, share, say what they are about."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Router, Status

from chat import messages, pictures, sessions
from chat.schemas import (
    ContextIn,
    ForkIn,
    MessagePage,
    SessionIn,
    SessionOut,
    SessionPage,
    ShareIn,
)
from chat.turns import named
from generation.api.parameters import Cursor
from memory.http import SignedInRequest

router = Router(tags=["conversations"])


@router.get("/chat/sessions", response=SessionPage, summary="Your conversations, the latest first")
def index(
    request: SignedInRequest,
    q: str = Query("", max_length=200, description="words of the title or of what was said, whatever their accents"),
    state: str = Query("", description="one or more, with commas between; without it, all but the archived"),
    workspace: UUID | None = None,
    document: Annotated[UUID | None, Query(description="those that are about it")] = None,
    cursor: Cursor = None,
) -> dict[str, Any]:
    return pictures.listing(request.user, cursor, q=q, state=state, workspace=workspace, document=document)


@router.get("/chat/sessions/{uuid:session_id}", response=SessionOut, summary="A conversation")
def show(request: SignedInRequest, session_id: UUID) -> dict[str, Any]:
    return pictures.picture(request.user, session_id)


@router.patch("/chat/sessions/{uuid:session_id}", response=SessionOut, summary="Name, archive, or choose who answers")
def change(request: SignedInRequest, session_id: UUID, body: SessionIn) -> dict[str, Any]:
    sessions.change(
        sessions.visible(request.user, session_id), title=body.title, archived=body.archived, agent=body.agent
    )
    return pictures.picture(request.user, session_id)


@router.delete("/chat/sessions/{uuid:session_id}", response={204: None}, summary="Delete a conversation for good")
def delete(request: SignedInRequest, session_id: UUID) -> Status[None]:
    """What it changed in documents stays."""
    sessions.delete(sessions.visible(request.user, session_id))
    return Status(204, None)


@router.get("/chat/sessions/{uuid:session_id}/messages", response=MessagePage, summary="The branch that shows")
def branch(request: SignedInRequest, session_id: UUID, before: UUID | None = None) -> dict[str, Any]:
    """Its end, in the order in which it was said; `before` a message, what came earlier."""
    session = sessions.visible(request.user, session_id)
    return pictures.branch(session, messages.within(session, before) if before else None)


@router.post("/chat/sessions/{uuid:session_id}/fork", response={201: SessionOut}, summary="A copy to go another way")
def fork(request: SignedInRequest, session_id: UUID, body: ForkIn | None = None) -> Status[dict[str, Any]]:
    session = sessions.visible(request.user, session_id)
    last = messages.within(session, body.message) if body and body.message else None
    return Status(201, pictures.picture(request.user, messages.fork(session, last).id))


@router.post("/chat/sessions/{uuid:session_id}/share", response=SessionOut, summary="A link to read it, or none")
def share(request: SignedInRequest, session_id: UUID, body: ShareIn | None = None) -> dict[str, Any]:
    """For members of its workspace. Taken back, the link leads nowhere."""
    sessions.share(sessions.visible(request.user, session_id), body.shared if body else True)
    return pictures.picture(request.user, session_id)


@router.post("/chat/sessions/{uuid:session_id}/context", response=SessionOut, summary="It is about this, too")
def link(request: SignedInRequest, session_id: UUID, body: ContextIn) -> dict[str, Any]:
    session = sessions.visible(request.user, session_id)
    for document in named(request.user, [(body.kind, body.id)]):
        sessions.link(session, document)
    return pictures.picture(request.user, session_id)


@router.delete(
    "/chat/sessions/{uuid:session_id}/context/{uuid:document_id}", response=SessionOut, summary="No more about this"
)
def unlink(request: SignedInRequest, session_id: UUID, document_id: UUID) -> dict[str, Any]:
    sessions.unlink(sessions.visible(request.user, session_id), document_id)
    return pictures.picture(request.user, session_id)
