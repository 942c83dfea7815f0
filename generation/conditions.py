"""The condition of a document or a section: its stored status, unless its runs and gaps say something else.

It is computed where it is asked for and stored nowhere. Of documents in SQL, so that a list of them is one query and
can be filtered by it; of the sections of one document in Python, from its newest steps and its open runs.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import or_
from typing import Protocol
from uuid import UUID

from django.db import models
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Value, When
from django.utils.translation import gettext_lazy as _

from generation.kinds import KINDS
from generation.models import OPEN_STATES, Document, Run, RunState, Section, Standing, Step, StepState
from memory.models import AuthorKind, Basis, Change


class Condition(models.TextChoices):
    """What shows instead of a status. `fallback` and `missing` are said of sections, `partial` of documents."""

    QUEUED = "queued", _("queued")
    GENERATING = "generating", _("generating")
    WAITING = "waiting", _("waiting")
    FAILED = "failed", _("failed")
    FALLBACK = "fallback", _("fallback")
    MISSING = "missing", _("missing")
    PARTIAL = "partial", _("partial")
    STALE = "stale", _("stale")


# --- documents


def has_open_run(how: Q) -> Exists:
    return Exists(Run.objects.filter(how, document=OuterRef("pk"), claim__state__in=OPEN_STATES))


def has_section(how: Q) -> Exists:
    """One that shows: it and what holds it is present. No kind has more than three levels (there is a test)."""
    there = Section.objects.filter(how, document=OuterRef("pk"), present=True)
    return Exists(there.exclude(parent__present=False).exclude(parent__parent__present=False))


# Kind, type of section, and the field without which such a section is not written yet.
BODIES = [
    (kind.name, name, section.body)
    for kind in KINDS.values()
    for name, section in kind.sections.items()
    if section.body
]
# Kinds that are made of fields: written when one of these stands, and whole when all do.
OF_FIELDS = [(kind.name, list(kind.body)) for kind in KINDS.values() if kind.body]
HAS_FIELD = reduce(or_, (Q(kind=kind, fields__has_any_keys=body) for kind, body in OF_FIELDS))
LACKS_FIELD = reduce(or_, (Q(kind=kind) & ~Q(fields__has_keys=body) for kind, body in OF_FIELDS))
HAS_BODY = reduce(or_, (Q(document__kind=kind, type=name, fields__has_key=body) for kind, name, body in BODIES))
LACKS_BODY = reduce(or_, (Q(document__kind=kind, type=name) & ~Q(fields__has_key=body) for kind, name, body in BODIES))
# A place that a run planned, of a type that only holds others, and nothing stands in it.
PLACES = [(kind.name, name) for kind in KINDS.values() for name, section in kind.sections.items() if section.only_holds]
IS_PLACE = reduce(or_, (Q(document__kind=kind, type=name) for kind, name in PLACES))
IS_PLANNED = Exists(Change.objects.filter(object_id=OuterRef("pk"), version=1, author=AuthorKind.RECIPE))
HOLDS_SOMETHING = Exists(Section.objects.filter(parent=OuterRef("pk"), present=True))
IS_LEFT_EMPTY = IS_PLACE & IS_PLANNED & ~HOLDS_SOMETHING

# A portfolio is its cases: without any, or with one in which nothing stands, it has a gap.
ITS_CASES = Document.objects.filter(parent=OuterRef("pk"), kind="use_case", present=True)
LACKS_CASE = Q(kind="use_case_list") & (~Q(Exists(ITS_CASES)) | Q(Exists(ITS_CASES.exclude(HAS_FIELD))))
IS_WRITTEN = HAS_FIELD | Q(has_section(HAS_BODY))
HAS_GAP = LACKS_FIELD | LACKS_CASE | Q(has_section(LACKS_BODY | IS_LEFT_EMPTY))
WAITS_FOR_PERSON = Q(claim__state=RunState.WAITING, claim__reason="person")
ENDED_SHORT = Q(run__claim__state__in=(RunState.PARTIAL, RunState.FAILED, RunState.CANCELLED))

# A part that shows, or the document itself, rests on something that changed since.
IS_REMOVED = Exists(
    Section.objects.filter(
        Q(present=False) | Q(parent__present=False) | Q(parent__parent__present=False), id=OuterRef("object_id")
    )
)
IS_STALE = Exists(Basis.objects.filter(~IS_REMOVED, root_id=OuterRef("pk"), is_stale=True))
STANDS = Case(When(IS_STALE, then=Value(Condition.STALE)), default=F("status"), output_field=CharField())

# It belongs to a document whose run has not come to it yet, or is writing it.
PARENT_IS_AT_WORK = Exists(Run.objects.filter(document=OuterRef("parent_id"), claim__state__in=OPEN_STATES))
PARENT_ENDED_SHORT = Q(parent__run__claim__state__in=(RunState.PARTIAL, RunState.FAILED, RunState.CANCELLED))
COMES_WITH_PARENT = Q(kind__in=[name for name, body in OF_FIELDS], parent__isnull=False) & ~HAS_FIELD
IS_AWAITED = COMES_WITH_PARENT & Q(PARENT_IS_AT_WORK)
WAS_LOST = COMES_WITH_PARENT & Q(run=None) & PARENT_ENDED_SHORT

# What a run left that ended before all was good. People may have filled the gaps since.
LEFT_SHORT = Case(
    When(IS_WRITTEN, then=Case(When(HAS_GAP, then=Value(Condition.PARTIAL)), default=STANDS)),
    When(Q(run__claim__state=RunState.FAILED, status=Standing.DRAFT), then=Value(Condition.FAILED)),
    When(Q(run__claim__state=RunState.PARTIAL, status=Standing.DRAFT), then=Value(Condition.PARTIAL)),
    When(HAS_GAP & Q(status=Standing.DRAFT), then=Value(Condition.PARTIAL)),
    default=STANDS,
    output_field=CharField(),
)
# The first that holds. What costs more stands behind, or within, what costs less.
OF_DOCUMENT = Case(
    When(has_open_run(WAITS_FOR_PERSON), then=Value(Condition.WAITING)),
    When(has_open_run(~Q(claim__state=RunState.QUEUED)), then=Value(Condition.GENERATING)),
    When(has_open_run(Q(claim__state=RunState.QUEUED)), then=Value(Condition.QUEUED)),
    When(IS_AWAITED, then=Value(Condition.GENERATING)),
    When(WAS_LOST, then=Value(Condition.FAILED)),
    When(has_section(Q(fallback__isnull=False)), then=Value(Condition.PARTIAL)),
    When(ENDED_SHORT, then=LEFT_SHORT),
    default=STANDS,
    output_field=CharField(),
)


def of_documents(documents: Sequence[Document]) -> dict[UUID, str]:
    """What each of these few is in, in one query."""
    few = Document.objects.filter(id__in=[document.id for document in documents])
    return dict(few.annotate(condition=OF_DOCUMENT).values_list("id", "condition"))


# --- sections


class Made(Protocol):
    """What counts of a step."""

    @property
    def key(self) -> str: ...

    @property
    def run_id(self) -> UUID: ...

    @property
    def state(self) -> str: ...


@dataclass(frozen=True)
class Work:
    """What is and was done to one document: its open runs, oldest first, its newest steps by section, and the places
    that were left empty.

    A step belongs to the sections that its key begins with: `chapter-1/lesson` to `chapter-1` and to the lesson.
    """

    runs: Sequence[Run]
    steps: Mapping[str, Sequence[Made]]
    left_empty: Container[UUID] = ()


def work_on(document: Document, places: Sequence[Section] = ()) -> Work:
    """`places`: its sections that show, only hold others, and hold none."""
    newest = Step.objects.filter(run__document=document).order_by("key", F("run_id").desc()).distinct("key")
    steps: defaultdict[str, list[Step]] = defaultdict(list)
    for step in newest.only("key", "run_id", "state"):
        for section in sections_named(step.key):
            steps[section].append(step)
    return Work(open_runs([document.id]), steps, planned_among(places))


def planned_among(places: Sequence[Section]) -> set[UUID]:
    """Those that a run made, to be filled."""
    made = Change.objects.filter(object_id__in=[place.id for place in places], version=1, author=AuthorKind.RECIPE)
    return set(made.values_list("object_id", flat=True)) if places else set()


def empty_places(rows: Sequence[Section]) -> list[Section]:
    """Among all sections of a document that show, those that only hold others and hold none."""
    holders = {section.parent_id for section in rows}
    return [section for section in rows if section.shape.only_holds and section.id not in holders]


def sections_named(step: str) -> Iterable[str]:
    return accumulate(step.split("/"), "{}/{}".format)


def open_runs(documents: Iterable[UUID]) -> list[Run]:
    """Oldest first."""
    found = Run.objects.filter(document__in=list(documents), claim__state__in=OPEN_STATES)
    return list(found.select_related("claim").order_by("id"))


def of_section(section: Section, work: Work, stale: Container[UUID] = ()) -> str:
    steps = work.steps.get(section.key, ())
    is_open = {run.id for run in work.runs}
    is_missing = is_unwritten(section) or section.id in work.left_empty
    if any(step.run_id in is_open and step.state == StepState.RUNNING for step in steps):
        return Condition.GENERATING
    if any(is_to_make(run, section, steps, is_short=is_missing or bool(section.fallback)) for run in work.runs):
        return Condition.QUEUED
    if section.fallback:
        return Condition.FALLBACK
    if is_missing:
        return Condition.FAILED if any(step.state == StepState.FAILED for step in steps) else Condition.MISSING
    return Condition.STALE if section.id in stale else section.status


def is_unwritten(section: Section) -> bool:
    return bool(section.shape.body) and section.shape.body not in section.fields


def is_to_make(run: Run, section: Section, steps: Sequence[Made], *, is_short: bool) -> bool:
    """Whether the open run will come to this section: it was named, or is still short of its text."""
    begun = {step.key for step in steps if step.run_id == run.id}
    is_named = any(section.key in sections_named(key) and key not in begun for key in run.again)
    return is_named or (is_short and run.action == Run.WRITE and section.key not in begun)
