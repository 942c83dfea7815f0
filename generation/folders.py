"""The verbs on a folder: make, rename, remove. A folder holds documents and folders of one workspace."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from generation.models import Document, Folder
from memory import history, workspaces
from memory.base.errors import InvalidInput, NotFound
from memory.base.news import changed
from memory.base.text import clean_text
from memory.history import By
from memory.models import Role, User, Workspace


def visible(user: User, folder_id: UUID) -> Folder:
    """The folder, if this user may see it; `not_found.folder` otherwise, whether it exists or not."""
    folder = Folder.objects.filter(id=folder_id, workspace__members=user).select_related("workspace", "parent").first()
    if folder is None:
        raise NotFound("folder")
    return folder


def within(workspace: Workspace, folder_id: UUID) -> Folder:
    """Raises `not_found.folder`, also for another workspace's."""
    folder = Folder.objects.filter(workspace=workspace, id=folder_id).first()
    if folder is None:
        raise NotFound("folder")
    return folder


def listing(user: User, workspace: UUID | None = None) -> QuerySet[Folder]:
    """The user's folders by name, of all workspaces or of one."""
    found = Folder.objects.filter(workspace__members=user)
    return (found.filter(workspace=workspace) if workspace else found).order_by("name", "id")


def make(workspace: Workspace, name: str, by: User, parent: Folder | None = None) -> Folder:
    """Raises `validation.name_empty`, `permission.role`."""
    workspaces.require(by, workspace, Role.EDITOR)
    folder = Folder.objects.create(workspace=workspace, name=clean_name(name), parent=parent)
    tell(folder)
    return folder


def rename(folder: Folder, name: str, by: User) -> None:
    """Raises `validation.name_empty`, `permission.role`."""
    workspaces.require(by, folder.workspace, Role.EDITOR)
    folder.name = clean_name(name)
    folder.save(update_fields=["name"])
    tell(folder)


def remove(folder: Folder, by: User) -> None:
    """What lies in it moves up; the folder goes."""
    workspaces.require(by, folder.workspace, Role.EDITOR)
    above = str(folder.parent_id) if folder.parent_id else None
    with transaction.atomic():
        Folder.objects.select_for_update().get(id=folder.id)  # nothing is put into it meanwhile
        filed = list(Document.whole().filter(folder=folder))
        history.lock_roots(document.id for document in filed)
        for document in filed:
            history.edit(document, {"folder": above}, By.person(by), reason="folder_removed")
        folder.folders.update(parent=folder.parent)
        tell(folder)
        folder.delete()


def clean_name(name: str) -> str:
    name = clean_text(name).strip()[:100]
    if not name:
        raise InvalidInput("name_empty")
    return name


def tell(folder: Folder) -> None:
    """Lists of the workspace hear of it. A folder has no version: whoever hears looks."""
    ring = partial(changed, "folder", folder.id, 0, [f"workspace.{folder.workspace_id}"])
    transaction.on_commit(ring, robust=True)
