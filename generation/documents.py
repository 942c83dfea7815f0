"""The verbs on a document: begin, change, bin, empty the bin. Who sees what, and its tree."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from generation import conditions, folders
from generation.kinds import KINDS
from generation.models import OPEN_STATES, Call, Document, DocumentQuerySet, Folder, Run, Section
from generation.orders import Order
from memory import history, workspaces
from memory.base.errors import InvalidInput, NotFound
from memory.base.folding import Folded, fold
from memory.base.text import clean_text
from memory.history import By
from memory.models import Basis, Change, Proposal, Role, Snapshot, User, Workspace

MOST_WORDS = 8  # of a search


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
    """A new document with its first changes. Raises `validation.kind`, `validation.fields`,
    `validation.title_taken`, `permission.role`, …"""
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
    with transaction.atomic():
        check_title(document, document.title)
        history.create(document, by or By.person(user))
    return document


def check_title(document: Document, title: str) -> None:
    """In one that tells its documents apart by their titles, each title is there once, whatever its accents and case,
    to the end of the transaction. Raises `validation.title_taken`."""
    title = " ".join(title.split())
    if not title or document.parent is None or not document.parent.shape.is_indexed:
        return
    history.lock_roots([document.parent.id])
    others = Document.objects.filter(parent=document.parent, kind=document.kind, present=True).exclude(pk=document.pk)
    if fold(title) in {fold(each) for each in others.values_list("title", flat=True)}:
        raise InvalidInput("title_taken", title=title[:200])


def begin(kind: str, order: Order, user: User, workspace: Workspace) -> Document | None:
    """The document that a new run will write; None for work that writes none."""
    if kind not in KINDS:
        return None
    return create(
        kind,
        order.title,
        {},
        user=user,
        workspace=workspace,
        language=order.language,
        brief=order.brief,
        parent=within(workspace, order.parent) if order.parent else None,
        folder=folders.within(workspace, order.folder) if order.folder else None,
    )


def within(workspace: Workspace, document_id: UUID) -> Document:
    """Raises `not_found.document`, also for another workspace's."""
    document = Document.whole().filter(workspace=workspace, id=document_id).first()
    if document is None:
        raise NotFound("document")
    return document


def point_to(run: Run) -> None:
    """The document's latest run is this one."""
    if run.document_id:
        Document.objects.filter(id=run.document_id).update(run=run)


def edit(document: Document, values: Mapping[str, Any], by: By, expected_version: int | None = None) -> list[Change]:
    """Change title, language, folder, status or fields by path. Raises `validation.title_taken`, and what
    `history.edit` raises."""
    if wrong := [path for path in values if path.split("/")[0] == "present"]:
        raise InvalidInput("path", path=wrong[0][:200])
    with transaction.atomic():
        check_title(document, clean_text(str(values.get("title") or "")).strip())
        return history.edit(document, values, by, expected_version=expected_version)


def bin(document: Document, by: User) -> list[Change]:  # noqa: A001 the word of the house
    return history.edit(document, {"present": False}, By.person(by), reason="binned")


def unbin(document: Document, by: User) -> list[Change]:
    return history.edit(document, {"present": True}, By.person(by), reason="unbinned")


def empty_bin(workspace: Workspace, by: User) -> int:
    """Delete what lies in the workspace's bin for good, with its runs and its history. Owners only; not undoable.

    How many documents went, those that belong to them included. What is being written stays until it is not. What the
    runs have cost stays on the bill, without a word of what was written.
    """
    workspaces.require(by, workspace, Role.OWNER)
    with transaction.atomic():
        binned = Document.objects.filter(workspace=workspace, present=False)
        seen = [document.id for document in binned]
        history.lock_roots([each for root in seen for each in family(root)])
        # Once more, now that the locks are held: one may have come out meanwhile.
        gone = [each for root in binned.filter(id__in=seen) for each in idle_family(root.id)]
        for kept in (Change, Snapshot, Proposal, Basis):
            kept._default_manager.filter(root_id__in=gone).delete()
        theirs = Q(run__document__in=gone) | Q(run__parent__document__in=gone)
        Call.objects.filter(theirs).update(messages=None, variables=None)
        Document.objects.filter(id__in=gone).delete()
    return len(gone)


def family(document_id: UUID) -> set[UUID]:
    """The document and all that stand in it, at any depth."""
    found = newest = {document_id}
    while newest:
        newest = set(Document.objects.filter(parent__in=newest).values_list("id", flat=True))
        found = found | newest
    return found


def idle_family(document_id: UUID) -> set[UUID]:
    """Its family; nothing when one of them is being written."""
    found = family(document_id)
    above = Document.objects.filter(children__in=found).values("id")  # whose run may be writing it, too
    written = Q(document__in=found) | Q(document__in=above)
    is_written = Run.objects.filter(written, claim__state__in=OPEN_STATES).exists()
    return set() if is_written else found


def sections_of(document: Document) -> list[Section]:
    """Every section that shows, parents first, in reading order."""
    rows = Section.objects.filter(document=document, present=True).order_by("rank", "id")
    below: dict[UUID | None, list[Section]] = {}
    for section in rows:
        section.document = document
        below.setdefault(section.parent_id, []).append(section)
    return walk(below, None)


def walk(below: Mapping[UUID | None, Sequence[Section]], parent: UUID | None) -> list[Section]:
    return [each for section in below.get(parent, ()) for each in (section, *walk(below, section.id))]


def listing(
    user: User,
    *,
    workspace: UUID | None = None,
    kind: str = "",
    q: str = "",
    folder: UUID | None = None,
    is_binned: bool = False,
    state: str = "",
) -> DocumentQuerySet:
    """The user's documents that stand by themselves, of all workspaces or of one, newest first. In the bin those that
    went there by themselves.

    `q`: words that all stand in the title, whatever their accents and case.
    """
    alone = Q(parent=None) | Q(parent__present=True) if is_binned else Q(parent=None)  # it went without its document
    found = Document.objects.visible(user).filter(alone, present=not is_binned)
    if workspace:
        found = found.filter(workspace=workspace)
    if kind:
        found = found.filter(kind=kind)
    if folder:
        found = found.filter(folder=folder)
    for word in fold(q).split()[:MOST_WORDS]:
        found = found.alias(folded=Folded("title")).filter(folded__contains=word)
    if state:
        found = found.alias(shown=conditions.OF_DOCUMENT).filter(shown__in=state.split(","))
    return found.order_by(F("id").desc())
