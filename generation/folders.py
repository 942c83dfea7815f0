"""The verbs on a folder: make, rename, remove. A folder holds documents and folders of one workspace."""

from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

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
    """Raises `validation.name_empty`, `permission.role`, `not_found.folder` for a parent that went meanwhile."""
    workspaces.require(by, workspace, Role.EDITOR)
    with transaction.atomic():
        if parent and not Folder.stays(parent.id, workspace):
            raise NotFound("folder")
        folder = Folder.objects.create(workspace=workspace, name=clean_name(name), parent=parent)
        tell(folder)
    return folder


def rename(folder: Folder, name: str, by: User) -> None:
    """Raises `validation.name_empty`, `permission.role`, `not_found.folder` for one that went meanwhile."""
    workspaces.require(by, folder.workspace, Role.EDITOR)
    folder.name = clean_name(name)
    if not Folder.objects.filter(id=folder.id).update(name=folder.name):
        raise NotFound("folder")
    tell(folder)


def remove(folder: Folder, by: User) -> None:
    """What lies in it moves up; the folder goes. Raises `permission.role`, `not_found.folder` for one that has gone."""
    workspaces.require(by, folder.workspace, Role.EDITOR)
    is_removed = False
    while not is_removed:
        with transaction.atomic():
            is_removed = empty_and_delete(folder, by)


def empty_and_delete(folder: Folder, by: User) -> bool:
    """False when things moved while we waited. Everybody locks documents first, then folders."""
    seen = set(Document.objects.filter(folder=folder).values_list("id", flat=True))
    history.lock_roots(seen)
    around = Folder.objects.filter(Q(id=folder.id) | Q(folders=folder.id) | Q(parent=folder.id))
    there = Folder.objects.filter(id__in=around.values("id")).order_by("id").select_for_update()
    locked = {each.id: each for each in there}
    if folder.id not in locked:
        raise NotFound("folder")
    stands, filed = locked[folder.id], list(Document.whole().filter(folder=folder))
    if not seen.issuperset(document.id for document in filed) or stands.parent_id not in {None, *locked}:
        return False
    above = str(stands.parent_id) if stands.parent_id else None
    for document in filed:
        history.edit(document, {"folder": above}, By.person(by), reason="folder_removed")
    stands.folders.update(parent=stands.parent_id)
    tell(stands)
    stands.delete()
    return True


def clean_name(name: str) -> str:
    name = clean_text(name).strip()[:100]
    if not name:
        raise InvalidInput("name_empty")
    return name


def tell(folder: Folder) -> None:
    """Lists of the workspace hear of it. A folder has no version: whoever hears looks."""
    ring = partial(changed, "folder", folder.id, 0, [f"workspace.{folder.workspace_id}"])
    transaction.on_commit(ring, robust=True)
