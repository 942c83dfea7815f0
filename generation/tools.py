"""What can be done to a section where it stands: where it may go, what may stand after it and in it."""

from dataclasses import dataclass
from uuid import UUID

from generation import labels, places
from generation.fields import Kind
from generation.models import Document, Section
from generation.sections import Place
from memory.base.errors import InvalidInput


@dataclass(frozen=True)
class Addition:
    """A type of section that may be added, by its name."""

    type: str
    label: str


@dataclass(frozen=True)
class Holder:
    id: UUID
    name: str


@dataclass(frozen=True)
class Tools:
    is_first: bool
    is_last: bool
    after: list[Addition]
    inside: list[Addition]
    holders: list[Holder]  # where else it may stand


def of_section(section: Section) -> Tools:
    beside = siblings(section)
    at = [each.id for each in beside].index(section.id) if section.present else 0
    shape, own = section.document.shape, section.shape
    holding = Section.objects.filter(document=section.document, type__in=own.within, present=True)
    known = places.of(section.document_id) if own.within else None
    holders = [
        Holder(each.id, " · ".join(part for part in (known.name(each.id), known.title(each.id)) if part))
        for each in holding.only("id", "rank").order_by("rank", "id")
        if known and each.id != section.parent_id
    ]
    return Tools(
        is_first=at == 0,
        is_last=at == len(beside) - 1,
        after=additions(shape, section.parent.type if section.parent else ""),
        inside=additions(shape, section.type),
        holders=holders,
    )


def of_document(document: Document) -> list[Addition]:
    return additions(document.shape, "")


def additions(shape: Kind, parent: str) -> list[Addition]:
    """What may stand in a section of this type; for none in the document itself."""
    fits = (name for name, each in shape.sections.items() if (parent in each.within if parent else not each.within))
    return [Addition(name, labels.of_section(name)) for name in fits]


def siblings(section: Section) -> list[Section]:
    found = Section.objects.filter(document_id=section.document_id, parent=section.parent, present=True)
    return list(found.defer("fields").order_by("rank", "id"))


def end_of(document: Document, parent: Section | None, section: Section | None = None) -> Place:
    """After all that stand there, but for the section itself."""
    found = Section.objects.filter(document=document, parent=parent).order_by("-rank", "-id")
    return Place(parent, found.exclude(id=section.id).first() if section else found.first())


def place(section: Section, to: str, parent: UUID | None) -> Place:
    """Where it goes: one up, one down, or to the end of another parent. Raises `validation.place`."""
    if parent:
        holder = Section.whole().filter(document=section.document, id=parent).first()
        if holder is None:
            raise InvalidInput("place", type=section.type, within=list(section.shape.within))
        return end_of(section.document, holder, section)
    beside = siblings(section)
    at = next((n for n, each in enumerate(beside) if each.id == section.id), None)
    if at is None or to not in ("up", "down"):
        raise InvalidInput("place", type=section.type, within=list(section.shape.within))
    others = [each for each in beside if each.id != section.id]
    before = at - 2 if to == "up" else at
    return Place(section.parent, others[min(before, len(others) - 1)] if before >= 0 and others else None)
