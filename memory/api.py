"""REST of what the system remembers: who asks, their workspaces, uploaded files."""

from uuid import UUID

from ninja import File, Form, Router, Schema
from ninja.files import UploadedFile

from memory import files, models, workspaces
from memory.http import SignedInRequest
from memory.models import Role

router = Router(tags=["memory"])


class MeOut(Schema):
    id: UUID
    username: str
    email: str
    language: str
    is_staff: bool


class WorkspaceOut(Schema):
    id: UUID
    name: str
    role: str


class FileOut(Schema):
    id: UUID
    name: str
    kind: str
    size: int


@router.get("/me", response=MeOut, summary="Who asks")
def me(request: SignedInRequest) -> models.User:
    return request.user


@router.get("/workspaces", response=list[WorkspaceOut], summary="Your workspaces, oldest first")
def index(request: SignedInRequest) -> list[dict[str, object]]:
    return [
        {"id": membership.workspace_id, "name": membership.workspace.name, "role": membership.role}
        for membership in workspaces.memberships(request.user)
    ]


@router.post("/files", response={201: FileOut}, summary="Upload a file")
def upload(request: SignedInRequest, file: File[UploadedFile], workspace: Form[UUID | None] = None) -> models.File:
    """`txt`, `md`, `html`, `pdf` or `docx`; the content must be what the name says. Without `workspace`, the oldest
    one where you may write."""
    chosen = workspaces.choose(request.user, workspace, Role.EDITOR)
    return files.store(request.user, chosen, file.name or "", file.read())
