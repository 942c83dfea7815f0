"""The verbs on a section: add, change, move, remove, lock, approve. All of them are changes, and can be undone."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from generation.models import Document, Section
from memory import history
from memory.base.errors import InvalidInput, NotFound
from memory.base.ids import new_id
from memory.base.ranks import between
from memory.history import By
from memory.models import Change, User

PLACE = ("parent", "rank", "present")


def visible(user: User, section_id: UUID) -> Section:
    """The section, if this user may see it; `not_found.section` otherwise, whether it exists or not."""
    section = Section.whole().filter(id=section_id, document__workspace__members=user).first()
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

    Raises `validation.section_type`, `validation.place`, `validation.fields`, `permission.role`.
    """
    if type not in document.shape.sections:
        raise InvalidInput("section_type", type=type[:100], allowed=sorted(document.shape.sections))
    with transaction.atomic():
        history.lock_roots([document.id])
        section = Section(document=document, parent=parent, type=type, key=f"{type}-{new_id().hex[-12:]}")
        section.rank = rank_after(document, parent, after)
        section.fields = dict(fields)
        history.create(section, by)
    return section


def edit(section: Section, values: Mapping[str, Any], by: By, expected_version: int | None = None) -> list[Change]:
    """Change fields by path, or status. Where it stands is for `move`, `remove` and `lock`."""
    if wrong := [path for path in values if path in (*PLACE, "locked", "fallback")]:
        raise InvalidInput("path", path=wrong[0])
    return history.edit(section, values, by, expected_version=expected_version)


def move(section: Section, by: By, *, parent: Section | None, after: Section | None) -> list[Change]:
    """Put the section after another, or first, in this parent. Raises `validation.place`."""
    with transaction.atomic():
        history.lock_roots([section.document_id])
        rank = rank_after(section.document, parent, after, moving=section)
        return history.edit(section, {"parent": str(parent.id) if parent else None, "rank": rank}, by)


def rank_after(document: Document, parent: Section | None, after: Section | None, moving: Section | None = None) -> str:
    """A rank right after this sibling, removed ones counted, so that what comes back finds its place free."""
    if after is not None and (after.document_id, after.parent_id) != (document.id, parent.id if parent else None):
        raise InvalidInput("place_after", after=str(after.id))
    siblings = Section.objects.filter(document=document, parent=parent).order_by("rank")
    if moving is not None:
        siblings = siblings.exclude(id=moving.id)
    low = Section.objects.values_list("rank", flat=True).get(id=after.id) if after else ""
    high = siblings.filter(rank__gt=low).values_list("rank", flat=True).first()
    return between(low, high or "")


def remove(section: Section, by: By) -> list[Change]:
    """It shows no more, with all that it holds; undo brings it back."""
    return history.edit(section, {"present": False}, by, reason="removed")


def lock(section: Section, by: By, locked: bool = True) -> list[Change]:
    """Machines may only propose in a locked section; people write as before."""
    return history.edit(section, {"locked": locked}, by)
