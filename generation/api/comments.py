"""REST of what is said about documents: threads, and the comments in them."""

from typing import Any
from uuid import UUID

from ninja import Query, Router, Status

from generation import comments, documents, sections, thread_pictures, threads
from generation.api.parameters import CommentKey, Cursor
from generation.comment_schemas import CommentIn, ThreadEditIn, ThreadIn, ThreadOut, ThreadPage
from memory.http import SignedInRequest

router = Router(tags=["comments"])


@router.get("/threads", response=ThreadPage, summary="Open threads that concern you, newest first")
def mine(request: SignedInRequest, cursor: Cursor = None) -> dict[str, Any]:
    """Those that mention you, or that you are to see to."""
    return thread_pictures.mine(request.user, cursor)


@router.get("/documents/{uuid:document_id}/threads", response=ThreadPage, summary="Threads, open ones first")
def index(
    request: SignedInRequest,
    document_id: UUID,
    state: str = Query("all", description="open, mine (open, and they concern you), closed, or all"),
    section: UUID | None = None,
    cursor: Cursor = None,
) -> dict[str, Any]:
    document = documents.visible(request.user, document_id)
    return thread_pictures.listing(request.user, document, state, section, cursor)


@router.post("/documents/{uuid:document_id}/threads", response={201: ThreadOut}, summary="Begin a thread")
def begin(
    request: SignedInRequest, document_id: UUID, body: ThreadIn, idempotency_key: CommentKey = None
) -> Status[dict[str, Any]]:
    """With its first comment, about the document or one of its sections."""
    document = documents.visible(request.user, document_id)
    about = sections.within(document, body.section) if body.section else document
    thread = threads.begin(
        about,
        body.text,
        request.user,
        field=body.field,
        quote=body.quote,
        assignee=body.assignee or "",
        key=idempotency_key,
    )
    return Status(201, thread_pictures.picture(request.user, thread.id))


@router.get("/threads/{uuid:thread_id}", response=ThreadOut, summary="A thread with its comments")
def show(request: SignedInRequest, thread_id: UUID) -> dict[str, Any]:
    return thread_pictures.picture(request.user, thread_id)


@router.patch("/threads/{uuid:thread_id}", response=ThreadOut, summary="Close, reopen or assign a thread")
def edit(request: SignedInRequest, thread_id: UUID, body: ThreadEditIn) -> dict[str, Any]:
    thread = threads.visible(request.user, thread_id)
    to = threads.member(thread.document.workspace, body.assignee) if body.assignee else None
    if body.state:
        settle = threads.close if body.state == threads.CLOSED else threads.reopen
        settle(thread, request.user)
    if "assignee" in body.model_fields_set:
        threads.assign(thread, to, request.user)
    return thread_pictures.picture(request.user, thread_id)


@router.post("/threads/{uuid:thread_id}/comments", response={201: ThreadOut}, summary="Reply in a thread")
def reply(
    request: SignedInRequest, thread_id: UUID, body: CommentIn, idempotency_key: CommentKey = None
) -> Status[dict[str, Any]]:
    comments.reply(threads.visible(request.user, thread_id), body.text, request.user, idempotency_key)
    return Status(201, thread_pictures.picture(request.user, thread_id))


@router.patch("/comments/{uuid:comment_id}", response=ThreadOut, summary="Change what you have said")
def edit_comment(request: SignedInRequest, comment_id: UUID, body: CommentIn) -> dict[str, Any]:
    """Answers with its thread."""
    comment = comments.visible(request.user, comment_id)
    comments.edit(comment, body.text, request.user)
    return thread_pictures.picture(request.user, comment.thread_id)


@router.delete("/comments/{uuid:comment_id}", response={204: None}, summary="Take back what you have said")
def delete(request: SignedInRequest, comment_id: UUID) -> Status[None]:
    """The first one stays without its text while others have answered it; with the last one its thread goes."""
    comments.delete(comments.visible(request.user, comment_id), request.user)
    return Status(204, None)
