"""REST of documents: find, begin, look, change, bin, act on."""

from typing import Any
from uuid import UUID

from ninja import Query, Router, Status

from generation import actions, document_pictures, documents, folders, pictures, portfolio_pictures
from generation.api.parameters import Cursor, Key
from generation.document_schemas import (
    ActionIn,
    DocumentIn,
    DocumentOut,
    DocumentPage,
    EditIn,
    EmptiedOut,
    PortfolioOut,
)
from generation.history_pictures import written
from generation.history_schemas import ChangedOut
from generation.schemas import RunOut
from memory import workspaces
from memory.base.errors import NotFound
from memory.history import By
from memory.http import SignedInRequest
from memory.models import Role

router = Router(tags=["documents"])


@router.get("/documents", response=DocumentPage, summary="Documents, newest first")
def index(
    request: SignedInRequest,
    kind: str = "",
    q: str = Query("", max_length=200, description="words of the title, whatever their accents"),
    folder: UUID | None = None,
    bin: bool = False,
    state: str = Query("", description="one or more, with commas between"),
    cursor: Cursor = None,
) -> dict[str, Any]:
    return document_pictures.listing(request.user, cursor, kind=kind, q=q, folder=folder, is_binned=bin, state=state)


@router.post("/documents", response={201: DocumentOut}, summary="Begin a document by hand")
def create(request: SignedInRequest, body: DocumentIn) -> Status[dict[str, Any]]:
    """To have one written, start a run."""
    workspace = workspaces.choose(request.user, body.workspace, Role.EDITOR)
    document = documents.create(
        body.kind,
        body.title,
        body.fields,
        user=request.user,
        workspace=workspace,
        language=body.language,
        parent=documents.within(workspace, body.parent) if body.parent else None,
        folder=folders.within(workspace, body.folder) if body.folder else None,
    )
    return Status(201, document_pictures.picture(request.user, document.id))


@router.get("/documents/{uuid:document_id}", response=DocumentOut, summary="A document with all its sections")
def show(request: SignedInRequest, document_id: UUID) -> dict[str, Any]:
    return document_pictures.picture(request.user, document_id)


@router.get(
    "/documents/{uuid:document_id}/portfolio", response=PortfolioOut, summary="Where the cases of a portfolio stand"
)
def portfolio(request: SignedInRequest, document_id: UUID) -> dict[str, Any]:
    """Totals by the weighted axes from 0 to 100, computed now; null where nothing is rated."""
    document = documents.visible(request.user, document_id)
    if document.kind != "use_case_list":
        raise NotFound("portfolio")
    return portfolio_pictures.told(document)


@router.patch("/documents/{uuid:document_id}", response=ChangedOut, summary="Change fields of a document")
def edit(request: SignedInRequest, document_id: UUID, body: EditIn) -> dict[str, Any]:
    """Fields of its kind, and `title`, `language`, `folder`, `status`, by path."""
    document = documents.visible(request.user, document_id)
    return written(documents.edit(document, body.fields, By.person(request.user), body.expected_version), document)


@router.delete("/documents/{uuid:document_id}", response=ChangedOut, summary="Put a document into the bin")
def bin(request: SignedInRequest, document_id: UUID) -> dict[str, Any]:  # noqa: A001
    document = documents.visible(request.user, document_id)
    return written(documents.bin(document, request.user), document)


@router.post("/documents/{uuid:document_id}/unbin", response=ChangedOut, summary="Take a document out of the bin")
def unbin(request: SignedInRequest, document_id: UUID) -> dict[str, Any]:
    document = documents.visible(request.user, document_id)
    return written(documents.unbin(document, request.user), document)


@router.post("/workspaces/{uuid:workspace_id}/bin/empty", response=EmptiedOut, summary="Empty the bin for good")
def empty_bin(request: SignedInRequest, workspace_id: UUID) -> dict[str, int]:
    """Owners only. What is deleted here cannot be brought back."""
    workspace = workspaces.choose(request.user, workspace_id, Role.OWNER)
    return {"documents": documents.empty_bin(workspace, request.user)}


@router.post(
    "/documents/{uuid:document_id}/actions/{action}", response={202: RunOut}, summary="Do something to a document"
)
def act(
    request: SignedInRequest,
    document_id: UUID,
    action: str,
    body: ActionIn | None = None,
    idempotency_key: Key = None,
) -> Status[dict[str, Any]]:
    """One of the actions that its kind declares."""
    document = documents.visible(request.user, document_id)
    options = body.options if body else {}
    run, _ = actions.act(document, action, options, user=request.user, key=idempotency_key)
    return Status(202, pictures.picture(request.user, run.id))
