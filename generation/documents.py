"""The verbs on a document: begin, change, file, bin, empty the bin. Who sees what, and its tree."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F

from generation.kinds import KINDS
from generation.models import Document, Folder, Run, Section
from generation.orders import Order
from memory import history, workspaces
from memory.base.errors import InvalidInput, NotFound
from memory.base.text import clean_text
from memory.history import By
from memory.models import Basis, Change, Proposal, Role, Snapshot, User, Workspace


def visible(user: User, document_id: UUID) -> Document:
    """The document, if this user may see it; `not_found.document` otherwise, whether it exists or not."""
    document = Document.whole().filter(id=document_id, workspace__members=user).first()
    if document is None:
        raise NotFound("document")
    return document


def create(
    kind: str,
    title: str,
    fields: Mapping[str, Any],
    *,
    user: User,
    workspace: Workspace,
    by: By | None = None,
    language: str = "",
    brief: str = "",
    parent: Document | None = None,
    folder: Folder | None = None,
) -> Document:
    """A new document with its first changes. Raises `validation.kind`, `validation.fields`, `permission.role`, …"""
    if kind not in KINDS:
        raise InvalidInput("kind", kind=kind[:100], allowed=sorted(KINDS))
    document = Document(
        workspace=workspace,
        kind=kind,
        title=clean_text(title).strip(),
        fields=dict(fields),
        language=language or user.language,
        brief=brief,
        parent=parent,
        folder=folder,
        user=user,
    )
    history.create(document, by or By.person(user))
    return document


def begin(kind: str, order: Order, user: User, workspace: Workspace) -> Document | None:
    """The document that a new run will write; None for work that writes none."""
    if kind not in KINDS:
        return None
    parent = Document.objects.filter(workspace=workspace, id=order.parent).first() if order.parent else None
    if order.parent and parent is None:
        raise NotFound("document")
    return create(
        kind,
        order.title,
        {},
        user=user,
        workspace=workspace,
        language=order.language,
        brief=order.brief,
        parent=parent,
        folder=folder_in(workspace, order.folder) if order.folder else None,
    )


def folder_in(workspace: Workspace, folder_id: UUID) -> Folder:
    """Raises `not_found.folder`."""
    folder = Folder.objects.filter(workspace=workspace, id=folder_id).first()
    if folder is None:
        raise NotFound("folder")
    return folder


def point_to(run: Run) -> None:
    """The document's latest run is this one."""
    if run.document_id:
        Document.objects.filter(id=run.document_id).update(run=run)


def edit(document: Document, values: Mapping[str, Any], by: User, expected_version: int | None = None) -> list[Change]:
    """Change title, language, folder, status or fields by path."""
    if "present" in values:
        raise InvalidInput("path", path="present")
    return history.edit(document, values, By.person(by), expected_version=expected_version)


def bin(document: Document, by: User) -> None:  # noqa: A001 the word of the house
    history.edit(document, {"present": False}, By.person(by), reason="binned")


def unbin(document: Document, by: User) -> None:
    history.edit(document, {"present": True}, By.person(by), reason="unbinned")


def empty_bin(workspace: Workspace, by: User) -> int:
    """Delete what lies in the workspace's bin for good, with its runs and its history. Owners only; not undoable.

    How many documents went. A document that is being written stays until it is not.
    """
    workspaces.require(by, workspace, Role.OWNER)
    with transaction.atomic():
        binned = Document.objects.filter(workspace=workspace, present=False).exclude(
            runs__claim__state__in=("queued", "running", "waiting")
        )
        history.lock_roots(binned.values_list("id", flat=True))
        roots = list(binned.values_list("id", flat=True))  # what was taken out until the locks were held, stays
        for kept in (Change, Snapshot, Proposal, Basis):
            kept._default_manager.filter(root_id__in=roots).delete()
        Document.objects.filter(id__in=roots).delete()
    return len(roots)


def make_folder(workspace: Workspace, name: str, by: User, parent: Folder | None = None) -> Folder:
    """Raises `validation.name_empty`, `permission.role`."""
    workspaces.require(by, workspace, Role.EDITOR)
    name = clean_text(name).strip()[:100]
    if not name:
        raise InvalidInput("name_empty")
    return Folder.objects.create(workspace=workspace, name=name, parent=parent)


def remove_folder(folder: Folder, by: User) -> None:
    """What lies in it moves up; the folder goes."""
    workspaces.require(by, folder.workspace, Role.EDITOR)
    above = str(folder.parent_id) if folder.parent_id else None
    with transaction.atomic():
        filed = Document.whole().filter(folder=folder)
        history.lock_roots(filed.values_list("id", flat=True))  # in one go: one by one, two of us could wait in a ring
        for document in filed:
            history.edit(document, {"folder": above}, By.person(by), reason="folder_removed")
        folder.folders.update(parent=folder.parent)
        folder.delete()


def sections_of(document: Document) -> list[Section]:
    """Every section that shows, parents first, in reading order."""
    rows = Section.objects.filter(document=document, present=True).order_by("rank", "id")
    below: dict[UUID | None, list[Section]] = {}
    for section in rows:
        below.setdefault(section.parent_id, []).append(section)
    return walk(below, None)


def walk(below: Mapping[UUID | None, Sequence[Section]], parent: UUID | None) -> list[Section]:
    return [each for section in below.get(parent, ()) for each in (section, *walk(below, section.id))]


def listing(user: User, *, kind: str = "", q: str = "", folder: UUID | None = None, is_binned: bool = False) -> Any:
    """The user's documents that stand by themselves, newest first, unordered by page."""
    found = Document.objects.visible(user).filter(parent=None, present=not is_binned)
    if kind:
        found = found.filter(kind=kind)
    if folder:
        found = found.filter(folder=folder)
    for word in q.split():
        found = found.filter(title__icontains=word)
    return found.select_related("run__claim").order_by(F("id").desc())
