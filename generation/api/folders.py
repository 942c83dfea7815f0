"""REST of folders: list, make, rename, remove."""

from typing import Any
from uuid import UUID

from ninja import Router, Status

from generation import folders
from generation.document_pictures import draw_folder
from generation.document_schemas import FolderIn, FolderNameIn, FolderOut
from memory import workspaces
from memory.http import SignedInRequest
from memory.models import Role

router = Router(tags=["folders"])


@router.get("/folders", response=list[FolderOut], summary="Folders by name")
def index(request: SignedInRequest, workspace: UUID | None = None) -> list[dict[str, Any]]:
    return [draw_folder(folder) for folder in folders.listing(request.user, workspace)]


@router.post("/folders", response={201: FolderOut}, summary="Make a folder")
def make(request: SignedInRequest, body: FolderIn) -> Status[dict[str, Any]]:
    workspace = workspaces.choose(request.user, body.workspace, Role.EDITOR)
    parent = folders.within(workspace, body.parent) if body.parent else None
    return Status(201, draw_folder(folders.make(workspace, body.name, request.user, parent)))


@router.patch("/folders/{uuid:folder_id}", response=FolderOut, summary="Rename a folder")
def rename(request: SignedInRequest, folder_id: UUID, body: FolderNameIn) -> dict[str, Any]:
    folder = folders.visible(request.user, folder_id)
    folders.rename(folder, body.name, request.user)
    return draw_folder(folder)


@router.delete("/folders/{uuid:folder_id}", response={204: None}, summary="Remove a folder; what lies in it moves up")
def remove(request: SignedInRequest, folder_id: UUID) -> Status[None]:
    folders.remove(folders.visible(request.user, folder_id), request.user)
    return Status(204, None)
