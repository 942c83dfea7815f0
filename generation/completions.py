"""The verbs on a finished chapter: complete it, take that back. What a person has finished is theirs to say and see."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q

from generation.models import Completion, Document, Section
from memory import workspaces
from memory.base.errors import Conflict
from memory.models import Role, User

TYPE = "chapter"


def complete(section: Section, by: User) -> None:
    """Say that one has finished the chapter; twice is once. Raises `conflict.no_chapter`, `not_found.workspace`."""
    workspaces.require(by, section.home, Role.VIEWER)
    if section.type != TYPE:
        raise Conflict("no_chapter")
    Completion.objects.get_or_create(user=by, section=section)


def reopen(section: Section, by: User) -> None:
    """Take it back; what was not finished stays so."""
    workspaces.require(by, section.home, Role.VIEWER)
    Completion.objects.filter(user=by, section=section).delete()


def among(user: User, sections: Iterable[UUID]) -> set[UUID]:
    """Those of these that the user has finished."""
    return set(Completion.objects.visible(user).filter(section__in=list(sections)).values_list("section", flat=True))


def progress(user: User, documents: Iterable[Document]) -> dict[UUID, tuple[int, int]]:
    """Chapters finished, of how many, by document; none for a document without chapters. One query for all."""
    chapters = Section.objects.visible(user).filter(document__in=list(documents), type=TYPE, present=True)
    done = Count("completions", filter=Q(completions__user=user))
    rows = chapters.order_by().values_list("document").annotate(done=done, total=Count("id", distinct=True))
    return {document: (done, total) for document, done, total in rows}
