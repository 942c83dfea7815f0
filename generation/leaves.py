"""A document as people read it, from rows of one moment: its sections with who wrote them, and what is being written.

All of it is one snapshot: `last_seq` of each open run, and the text of open steps up to that very number, so that who
follows from there misses nothing and hears nothing twice. As many queries for two hundred sections as for one.
"""

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, When

from generation import conditions, document_pictures, documents, makings, threads
from generation.conditions import Work
from generation.leaf import Leaf
from generation.makings import Making
from generation.models import Document, Issue, IssueState, RunState
from generation.replay import one_moment, open_texts
from memory import bases
from memory.base.errors import NotFound
from memory.models import AuthorKind, Change, User

# How many times a document was changed, the sections that runs made, to be filled, and of each open thread its section.
ITS_CHANGES = Change.objects.filter(root_id=OuterRef("pk")).order_by()
HAS_ISSUES = Exists(Issue.objects.filter(document=OuterRef("pk"), state=IssueState.OPEN))
GROUPS = Subquery(ITS_CHANGES.values("root_id").annotate(n=Count("group", distinct=True)).values("n"))
MADE = ArraySubquery(ITS_CHANGES.filter(version=1, author=AuthorKind.RECIPE).values("object_id").distinct())
TALKED_OF = ArraySubquery(threads.SECTIONS_TALKED_OF)


def read(user: User, document_id: UUID, *, with_text: bool = False) -> Leaf:
    """The document as it stands; `with_text`: with what open steps have written so far."""
    with one_moment():
        document = found(user, Q(id=document_id))
        if document is None:
            raise NotFound("document")
        return leaf_of(document, with_text)


def read_with(user: User, section_id: UUID) -> Leaf:
    """The document in which this section stands. Raises `not_found.section`."""
    with one_moment():
        document = found(user, Q(sections__id=section_id))
        if document is None:
            raise NotFound("section")
        return leaf_of(document, with_text=False)


def found(user: User, which: Q) -> Any:
    """The document with how often it was changed, if this user may see it."""
    whole = (
        Document.whole()
        .select_related("workspace", "user", "parent", "run__claim")
        .annotate(groups=GROUPS, made=MADE, has_issues=HAS_ISSUES, talked_of=TALKED_OF)
        .annotate(is_awaited=Case(When(conditions.IS_AWAITED, then=True), default=False))
    )
    return whole.filter(which, workspace__members=user).first()


def leaf_of(document: Any, with_text: bool) -> Leaf:
    rows = documents.sections_of(document)
    known = makings.of(document)
    runs = conditions.open_runs([document.id])
    steps: defaultdict[str, list[Making]] = defaultdict(list)
    for making in known:
        for key in conditions.sections_named(making.key):
            steps[key].append(making)
    planned = {place.id for place in conditions.empty_places(rows)} & set(document.made)
    return Leaf(
        document,
        rows,
        Work(runs, steps, planned),
        {making.key: making for making in known},
        bases.stale(document.id),
        document_pictures.open_proposals(document),
        document.groups,
        Counter(document.talked_of),
        open_texts([run.id for run in runs if run.claim.state == RunState.RUNNING]) if with_text else (),
    )
