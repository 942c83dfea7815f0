"""REST of what was done to a document: its changes and their undo, the states to go back to, proposals."""

from typing import Any
from uuid import UUID

from ninja import Router

from generation import documents, history_pictures
from generation.api.parameters import Cursor
from generation.history_pictures import written
from generation.history_schemas import ChangedOut, ChangeOut, ChangePage, ProposalOut, ProposalPage, SnapshotPage
from memory import history
from memory.http import SignedInRequest

router = Router(tags=["history"])


@router.get("/documents/{uuid:document_id}/changes", response=ChangePage, summary="Changes, newest first")
def changes(
    request: SignedInRequest,
    document_id: UUID,
    cursor: Cursor = None,
    object: UUID | None = None,
    group: UUID | None = None,
) -> dict[str, Any]:
    """Of one `object` or one `group`, if named. Long values are shortened; the change itself has them whole."""
    document = documents.visible(request.user, document_id)
    return history_pictures.changes(document, cursor, object, group)


@router.get("/changes/{uuid:change_id}", response=ChangeOut, summary="A change with its values whole")
def show_change(request: SignedInRequest, change_id: UUID) -> dict[str, Any]:
    return history_pictures.picture(request.user, change_id)


@router.post("/changes/{uuid:change_id}/undo", response=ChangedOut, summary="Undo a change")
def undo_change(request: SignedInRequest, change_id: UUID) -> dict[str, Any]:
    """Whatever was changed since; 409 when something stands in the way. Undo of an undo is redo."""
    return written(history.undo(history_pictures.change(request.user, change_id), request.user))


@router.post("/documents/{uuid:document_id}/undo", response=ChangedOut, summary="Undo what was done last")
def undo_latest(request: SignedInRequest, document_id: UUID) -> dict[str, Any]:
    """The newest group of changes that is no undo and not undone."""
    return written(history.undo_latest(documents.visible(request.user, document_id), request.user))


@router.post("/groups/{uuid:group_id}/undo", response=ChangedOut, summary="Undo all that was done together")
def undo_group(request: SignedInRequest, group_id: UUID) -> dict[str, Any]:
    """All changes of a run, a turn or an edit, or none of them."""
    return written(history.undo_group(group_id, request.user))


@router.get("/documents/{uuid:document_id}/snapshots", response=SnapshotPage, summary="States to go back to")
def snapshots(request: SignedInRequest, document_id: UUID, cursor: Cursor = None) -> dict[str, Any]:
    return history_pictures.snapshots(documents.visible(request.user, document_id), cursor)


@router.post("/snapshots/{uuid:snapshot_id}/restore", response=ChangedOut, summary="Bring back the state it had then")
def restore(request: SignedInRequest, snapshot_id: UUID) -> dict[str, Any]:
    """What came after stays in the history."""
    return written(history.restore(history_pictures.snapshot(request.user, snapshot_id), request.user))


@router.get("/documents/{uuid:document_id}/proposals", response=ProposalPage, summary="What machines would write")
def proposals(
    request: SignedInRequest, document_id: UUID, state: str | None = None, cursor: Cursor = None
) -> dict[str, Any]:
    return history_pictures.proposals(documents.visible(request.user, document_id), cursor, state)


@router.post("/proposals/{uuid:proposal_id}/accept", response=ChangedOut, summary="Write what is proposed")
def accept(request: SignedInRequest, proposal_id: UUID) -> dict[str, Any]:
    return written(history.accept(history_pictures.proposal(request.user, proposal_id), request.user))


@router.post("/proposals/{uuid:proposal_id}/reject", response=ProposalOut, summary="Leave everything as it is")
def reject(request: SignedInRequest, proposal_id: UUID) -> dict[str, Any]:
    history.reject(history_pictures.proposal(request.user, proposal_id), request.user)
    return history_pictures.draw_proposal(history_pictures.proposal(request.user, proposal_id))
