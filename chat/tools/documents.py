"""Changing the tree of a document: sections put in, rewritten, moved, removed."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chat.tools.base import Done
from chat.tools.hand import Hand
from chat.tools.objects import about, line, refused, written
from generation import sections
from generation.models import Section
from memory.base.errors import StaleChange, ToolFailed
from memory.models import Change

SectionId = Annotated[UUID, Field(description="The id of a section")]
After = Annotated[UUID | None, Field(description="The section it comes after; null: it comes first")]
Inside = Annotated[UUID | None, Field(description="The section that holds it; null: the document itself")]


def insert_section(
    hand: Hand,
    document: Annotated[UUID, Field(description="The id of the document")],
    type: Annotated[str, Field(description="The type of section, as the document has them")],
    fields: Annotated[dict[str, Any], Field(description="Its fields, such as title and content")],
    after: After = None,
    inside: Inside = None,
) -> Done:
    """Put a new section into a document."""
    found = hand.document(document)
    place = sections.place(found, inside, after)
    section = sections.add(found, type, fields, hand.by, parent=place.parent, after=place.after)
    changes = tuple(Change.objects.filter(object_id=section.id, version=1).order_by("id"))
    return replace(done(section, changes), versions={str(section.id): section.version})


def rewrite_section(
    hand: Hand, section: SectionId, text: Annotated[str, Field(description="The new text, whole, in Markdown")]
) -> Done:
    """Give a section another text, in place of all that stands in it."""
    found = hand.section(section)
    if not found.shape.body or found.shape.body == "questions":
        raise ToolFailed("no_text", type=found.type)
    return written(hand, found, found.shape.body, text)


def move_section(hand: Hand, section: SectionId, after: After = None, inside: Inside = None) -> Done:
    """Put a section elsewhere in its document."""
    found = hand.section(section)
    changes = sections.edit(found, {}, hand.by, to=sections.place(found.document, inside, after))
    return done(found, tuple(changes))


def remove_section(hand: Hand, section: SectionId) -> Done:
    """Take a section out of its document, with all that stands in it. It can be brought back by undo_change."""
    found = hand.section(section)
    version = hand.version(found)  # what nobody has read, nobody can want to be gone
    try:
        return done(found, tuple(sections.remove(found, hand.by, version)))
    except StaleChange as error:
        return refused(error, found)


def done(section: Section, changes: tuple[Change, ...]) -> Done:
    told = {"done": bool(changes), "section": line(section), "changes": [str(change.pk) for change in changes]}
    return Done(told, about(section), changes)
