"""Documents as a list shows them: title, state, who and when, one sentence. A page costs as many queries as a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext, ngettext

from generation import attempts, completions, conditions, documents, saying, telling
from generation.conditions import Condition
from generation.models import Document, RunState, Section, Standing
from generation.paging import page, parse_cursor
from generation.registry import RECIPES
from memory import sentences
from memory.base.text import excerpt
from memory.models import User, Workspace

MOST_AGAIN = 300  # rows of a list that is looked at again, however long it has become


@dataclass(frozen=True)
class Entry:
    document: Document
    title: str
    kind: str
    state: str
    word: str
    about: str
    who: str
    when: str
    at: datetime


@dataclass(frozen=True)
class Facts:
    """What is known of one document; `learnt` (chapters finished, of how many) and `score` are the reader's own."""

    condition: str
    parts: int
    standins: int
    learnt: tuple[int, int] = (0, 0)
    score: int | None = None


def listing(user: User, cursor: str | None, down_to: str | None, *, is_idle: bool, **which: Any) -> dict[str, Any]:
    """A page of entries; `down_to` the first rows down to one that is shown already. `is_idle`: none that runs work on.

    `which` as in `documents.listing`.
    """
    found = documents.listing(user, **which).select_related("run__claim", "user")
    if is_idle:
        found = found.exclude(conditions.has_open_run(Q()))
    if not down_to:
        rows, following = page(found, cursor)
        return {"entries": drawn(user, rows), "cursor": following}
    last = parse_cursor(down_to)
    rows = list(found.filter(pk__gte=last)[:MOST_AGAIN])
    below = rows[-1].pk if rows else last
    return {"entries": drawn(user, rows), "cursor": str(below) if found.filter(pk__lt=below).exists() else None}


def drawn(user: User, rows: Sequence[Document]) -> list[Entry]:
    facts = facts_of(user, rows)
    return [draw(row, facts[row.id]) for row in rows]


def facts_of(user: User, rows: Sequence[Document]) -> dict[UUID, Facts]:
    few = Document.objects.filter(id__in=[row.id for row in rows])
    found = few.annotate(
        condition=conditions.OF_DOCUMENT, parts=sections(Q(parent=None)), standins=sections(Q(fallback__isnull=False))
    )
    learnt, scores = completions.progress(user, rows), attempts.scores(user, rows)
    return {
        own: Facts(condition, parts, standins, learnt.get(own, (0, 0)), scores.get(own))
        for own, condition, parts, standins in found.values_list("id", "condition", "parts", "standins")
    }


def sections(which: Q) -> Coalesce:
    """How many sections of the document there are that show."""
    there = Section.objects.filter(which, document=OuterRef("pk"), present=True).order_by().values("document")
    return Coalesce(Subquery(there.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


def draw(document: Document, facts: Facts) -> Entry:
    state = facts.condition
    if state == Standing.DRAFT and not facts.parts and was_stopped(document):
        state = RunState.CANCELLED
    return Entry(
        document,
        title_of(document),
        saying.kind(document.kind),
        drawing_of(state),
        word(state, facts),
        about(document, facts, state),
        document.user.name if document.user else "",
        saying.moment(document.created_at),
        document.created_at,
    )


def was_stopped(document: Document) -> bool:
    return document.run is not None and document.run.claim.state == RunState.CANCELLED


def title_of(document: Document) -> str:
    """Its own; before it has one, how its brief begins."""
    return document.title or excerpt(document.brief, 80) or gettext("Without a title")


def drawing_of(state: str) -> str:
    return "done" if state == Standing.APPROVED else state


def word(state: str, facts: Facts) -> str:
    """What is said of its state; a text that is simply there needs no word."""
    if state == Condition.PARTIAL and facts.standins:
        return ngettext("{n} stand-in", "{n} stand-ins", facts.standins).format(n=facts.standins)
    return telling.condition(state)


def about(document: Document, facts: Facts, state: str) -> str:
    """Its kind and size; then what went wrong, else what it is about."""
    said = [counted(document, facts)]
    error = document.run.error if document.run else None
    if state == Condition.FAILED and error:
        said.append(sentences.say(str(error.get("error_code")), error.get("params") or {}))
    else:
        said += [learning(facts), excerpt(str(document.fields.get("description") or ""))]
    return " ".join(part for part in said if part)


def learning(facts: Facts) -> str:
    """How far the reader has come; nothing before they began."""
    done, total = facts.learnt
    if not done and facts.score is None:
        return ""
    read = ngettext("{done} of {n} chapter finished.", "{done} of {n} chapters finished.", total)
    reached = "" if facts.score is None else " " + gettext("Evaluations: {score}%.").format(score=facts.score)
    return read.format(done=done, n=total) + reached


def counted(document: Document, facts: Facts) -> str:
    recipe = RECIPES.get(document.kind)
    if not facts.parts or recipe is None or recipe.speech is None:
        return f"{saying.kind(document.kind)}."
    return f"{saying.kind(document.kind)}, {ngettext(*recipe.speech.parts, facts.parts).format(n=facts.parts)}."


def counts(user: User, workspace: Workspace) -> dict[str, Any]:
    """How many documents of each kind a workspace has, in all, and in its bin."""
    gone = Q(present=False, parent__present=True)
    found = Document.objects.visible(user).filter(Q(parent=None) | gone, workspace=workspace)
    rows = list(found.order_by().values_list("present", "kind").annotate(n=Count("pk")))
    kinds = {kind: n for present, kind, n in rows if present}
    shown = [(name, saying.kinds(name), kinds[name]) for name in [*reversed(RECIPES), *sorted(kinds)] if name in kinds]
    return {
        "kinds": list(dict.fromkeys(shown)),
        "documents": sum(kinds.values()),
        "binned": sum(n for present, _, n in rows if not present),
    }
