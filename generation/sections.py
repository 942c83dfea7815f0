"""The verbs on a section: add, change, move, remove, lock, approve. All of them are changes, and can be undone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from generation.fields import SectionType
from generation.models import Document, Section, Standing
from memory import history
from memory.base.errors import InvalidInput, NotFound, StaleChange
from memory.base.ids import new_id
from memory.base.ranks import between
from memory.history import By
from memory.models import AuthorKind, Change, User

# What has a verb of its own, or a machine behind it.
NOT_EDITED = ("parent", "rank", "present", "locked", "fallback")


@dataclass(frozen=True)
class Place:
    """After a section, or first, in this parent or, without one, in the document itself."""

    parent: Section | None = None
    after: Section | None = None


def visible(user: User, section_id: UUID) -> Section:
    """The section, if this user may see it; `not_found.section` otherwise, whether it exists or not."""
    section = Section.whole().filter(id=section_id, document__workspace__members=user).first()
    if section is None:
        raise NotFound("section")
    return section


def place(document: Document, parent: UUID | None, after: UUID | None) -> Place:
    """The place by its ids; after a section means: where that one stands. Raises `not_found.section`."""
    follows = within(document, after) if after else None
    if parent is None and follows is not None:
        return Place(follows.parent, follows)
    return Place(within(document, parent) if parent else None, follows)


def within(document: Document, section_id: UUID) -> Section:
    section = Section.whole().filter(document=document, id=section_id).first()
    if section is None:
        raise NotFound("section")
    return section


def add(
    document: Document,
    type: str,
    fields: Mapping[str, Any],
    by: By,
    *,
    parent: Section | None = None,
    after: Section | None = None,
) -> Section:
    """A new section after another, or first in its parent.

    Raises `validation.section_type`, `validation.sections_too_many`, `validation.place`, `validation.fields`,
    `validation.path`, `permission.role`, for a tool `conflict.locked`.
    """
    if type not in document.shape.sections:
        raise InvalidInput("section_type", type=type[:100], allowed=sorted(document.shape.sections))
    check_edited(document.shape.sections[type], fields)
    with transaction.atomic():
        history.lock_roots([document.id])
        section = Section(document=document, parent=parent, type=type, key=f"{type}-{new_id().hex[-12:]}")
        section.rank = place_for(section, parent, after, by)
        section.fields = dict(fields)
        history.create(section, by)
    return section


def edit(
    section: Section,
    values: Mapping[str, Any],
    by: By,
    expected_version: int | None = None,
    to: Place | None = None,
) -> list[Change]:
    """Change fields by path, or status; `to` moves it as well. For the rest there are `remove` and `lock`.

    Raises `validation.path`, `validation.place`, and what `history.edit` raises.
    """
    check_edited(section.shape, values)
    with transaction.atomic():
        history.lock_roots([section.document_id])
        wanted = {**values, **(standing_at(section, to, by) if to else {})}
        return history.edit(section, wanted, by, expected_version=expected_version)


def check_edited(shape: SectionType, paths: Iterable[str]) -> None:
    """`validation.path` for what has a verb of its own, or is a machine's to write."""
    if wrong := [path for path in paths if path.split("/")[0] in (*NOT_EDITED, *shape.made_from)]:
        raise InvalidInput("path", path=wrong[0][:200])


def move(section: Section, by: By, *, parent: Section | None, after: Section | None) -> list[Change]:
    """Put the section after another, or first, in this parent. Raises `validation.place`."""
    return edit(section, {}, by, to=Place(parent, after))


def standing_at(section: Section, to: Place, by: By) -> dict[str, str | None]:
    rank = place_for(section, to.parent, to.after, by)
    return {"parent": str(to.parent.id) if to.parent else None, "rank": rank}


def place_for(section: Section, parent: Section | None, after: Section | None, by: By) -> str:
    """A rank for the section right after this sibling, as all stand now: the document is locked."""
    if not Document.objects.filter(id=section.document_id).exists():
        raise NotFound("document")
    siblings = Section.objects.filter(document_id=section.document_id, parent=parent).order_by("rank")
    if parent is not None:
        check_open(parent, section, by)
    if after is not None and not siblings.filter(id=after.id).exists():
        raise InvalidInput("place_after", after=str(after.id))
    low = siblings.get(id=after.id).rank if after else ""
    next_one = siblings.exclude(id=section.id).filter(rank__gt=low).first()
    return free_rank(section, low, next_one.rank if next_one else "")


def check_open(parent: Section, section: Section, by: By) -> None:
    """Nothing is put where nobody would see it, nor by a tool where it may not write."""
    parent = Section.whole().filter(id=parent.id).first() or parent
    if not parent.shows:
        raise InvalidInput("place", type=section.type, within=list(section.shape.within))
    if by.kind == AuthorKind.TOOL and parent.is_locked:
        raise StaleChange("locked", object=str(parent.id))


def free_rank(section: Section, low: str, high: str) -> str:
    """Between these two, and never where another section of the document stands or ever stood: what is removed or
    moved away finds its place free when it comes back."""
    ranks = Change.objects.filter(root_id=section.document_id, path="rank").exclude(object_id=section.id)
    taken = set(ranks.values_list("after", flat=True))
    rank = between(low, high)
    while rank in taken:
        rank = between(low, rank)
    return rank


def remove(section: Section, by: By, expected_version: int | None = None) -> list[Change]:
    """It shows no more, with all that it holds; undo brings it back.

    With `expected_version`, the version its remover saw, nothing goes that others changed since. Raises
    `conflict.changed_since`, and for a tool `conflict.locked`, also for what it holds.
    """
    with transaction.atomic():
        history.lock_roots([section.document_id])
        if by.kind == AuthorKind.TOOL:
            check_unlocked_inside(section)
        if expected_version is not None:
            section.refresh_from_db(fields=["fields", "version"])
            history.check_unchanged(section, None, expected_version, by)
        return history.edit(section, {"present": False}, by, reason="removed")


def check_unlocked_inside(section: Section) -> None:
    """Raises `conflict.locked` if something in it is locked."""
    locked = Section.objects.filter(id__in=section.inside(), locked=True).first()
    if locked is not None:
        raise StaleChange("locked", object=str(locked.id))


def lock(section: Section, by: By, locked: bool = True) -> list[Change]:
    """Machines may only propose in a locked section; people write as before."""
    return history.edit(section, {"locked": locked}, by)


def approve(section: Section, by: By) -> list[Change]:
    return edit(section, {"status": Standing.APPROVED}, by)
