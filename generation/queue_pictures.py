"""Runs as the queue shows them: what is at work, what waits and for whom, what ended lately."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from generation import pictures, saying
from generation.models import END_STATES, OPEN_STATES, Call, CallState, Claim, Run, RunQuerySet, RunState
from generation.paging import page
from generation.registry import ERRANDS, errand_of
from memory import sentences
from memory.base.text import excerpt
from memory.models import User, Workspace

MOST_OPEN = 100
ENDED_IN_DOCK = 5


@dataclass(frozen=True)
class Row:
    """A run in a list. `state` draws it, `word` says it, `left` is only there once it can be known."""

    run: Run
    title: str
    kind: str
    state: str
    word: str
    left: str
    about: str
    who: str
    used: str
    when: str
    is_open: bool
    is_running: bool
    is_asking: bool
    is_own: bool
    can_retry: bool
    place: str


def queue(user: User, workspace: Workspace, is_all: bool, cursor: str | None, *, ended: int = 0) -> dict[str, Any]:
    """The runs of a workspace, the user's or all; `ended` bounds those that ended, else they come by pages.

    What is open stands on the first page.
    """
    found = of(user, workspace, is_all)
    still = [] if cursor else list(found.filter(claim__state__in=OPEN_STATES).order_by("id")[:MOST_OPEN])
    past = found.filter(claim__state__in=END_STATES)
    if ended:
        over, following = list(past.order_by(F("pk").desc())[:ended]), None
    else:
        over, following = page(past, cursor)
    rows = drawn([*still, *over], user)
    return {
        "running": [row for row in rows if row.is_running],
        "waiting": [row for row in rows if row.is_open and not row.is_running],
        "ended": [row for row in rows if not row.is_open],
        "cursor": following,
        "open": len(still),
    }


def at_work(user: User, workspace: Workspace) -> list[Row]:
    """All open runs of the workspace that write documents, oldest first: what stands on top of its documents."""
    found = of(user, workspace, is_all=True).filter(claim__state__in=OPEN_STATES, document__present=True)
    return drawn(list(found.order_by("id")[:MOST_OPEN]), user, with_usage=False)


def of(user: User, workspace: Workspace, is_all: bool) -> RunQuerySet:
    # What is private and no errand of ours is of a conversation, which shows it itself.
    listed = Q(is_private=False) | Q(kind__in=ERRANDS)
    found: RunQuerySet = Run.objects.visible(user).filter(listed, workspace=workspace, parent=None)
    mine = found if is_all else found.filter(user=user)
    return mine.select_related("claim", "document", "user")


@dataclass(frozen=True)
class Standing:
    """Of a run that waits: how many stand before it in its queue; how many of its children have ended, of how many."""

    before: int = 0
    ended: int = 0
    children: int = 0


def standing(runs: Iterable[Run]) -> dict[UUID, Standing]:
    """Of those that wait, in one query; in none where nothing waits."""
    waiting = [run.id for run in runs if run.claim.state in (RunState.QUEUED, RunState.WAITING)]
    if not waiting:
        return {}
    front = Claim.objects.filter(state=RunState.QUEUED, queue=OuterRef("queue"), queued_at__lt=OuterRef("queued_at"))
    children = Claim.objects.filter(run__parent=OuterRef("pk"))
    found = Claim.objects.filter(run__in=waiting).values_list(
        "run_id",
        Case(When(state=RunState.QUEUED, then=number(front)), default=Value(0)),
        number(children.filter(state__in=END_STATES)),
        number(children),
    )
    return {run_id: Standing(*numbers) for run_id, *numbers in found}


def number(found: Any) -> Coalesce:
    counted = found.order_by().annotate(one=Value(1)).values("one").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def drawn(runs: Sequence[Run], user: User, *, with_usage: bool = True) -> list[Row]:
    used = usage(run.id for run in runs) if with_usage else {}
    places = standing(runs)
    return [draw(run, user, used.get(run.id, ""), places.get(run.id, Standing())) for run in runs]


def usage(runs: Iterable[UUID]) -> dict[UUID, str]:
    """Calls and money of each run, with those of its children, in one query."""
    unknown = Count("id", filter=Q(cost_usd=None) & ~Q(state=CallState.SENT))
    calls = Call.objects.filter(Q(run__in=(ids := list(runs))) | Q(run__parent__in=ids))
    grouped = calls.annotate(root=Coalesce("run__parent_id", "run_id")).values("root").order_by()
    sums = grouped.annotate(n=Count("id"), paid=Sum("cost_usd"), unknown=unknown)
    return {row["root"]: used(row["n"], row["paid"] or Decimal(0), row["unknown"]) for row in sums}


def used(calls: int, paid: Decimal, unknown: int) -> str:
    counted = ngettext("{n} call", "{n} calls", calls).format(n=calls)
    if unknown:
        return gettext("{calls}, cost unknown").format(calls=counted)
    return f"{counted}, {saying.money(paid)}" if paid else counted


def draw(run: Run, user: User, used: str, place: Standing) -> Row:
    claim = run.claim
    is_running = claim.state == RunState.RUNNING
    is_asking = claim.state == RunState.WAITING and claim.reason == "person"
    left = pictures.time_left(run)
    return Row(
        run=run,
        title=title_of(run),
        kind=saying.kind(run.kind),
        state=claim.state,
        word=word(run, place),
        left=gettext("about {duration} left").format(duration=saying.duration(left)) if left else "",
        about=about(run),
        who="" if run.user_id == user.pk else run.user.name,
        used=used,
        when=saying.moment(run.finished_at) if run.finished_at else "",
        is_open=claim.state in OPEN_STATES,
        is_running=is_running,
        is_asking=is_asking,
        is_own=run.is_own_of(user),
        can_retry=can_retry(run),
        place=place_of(run),
    )


def place_of(run: Run) -> str:
    """Where one sees what it makes; nothing when that is nowhere."""
    if run.document_id:
        return reverse("document", args=[run.document_id])
    errand = errand_of(run.kind)
    return errand.page(run) if errand else ""


def title_of(run: Run) -> str:
    title = run.document.title if run.document else ""
    return title or run.title or excerpt(run.brief, 80) or saying.kind(run.kind)


def word(run: Run, place: Standing) -> str:
    claim = run.claim
    if claim.state == RunState.WAITING and claim.reason == "children":
        return gettext("{n} of {all} parts written").format(n=place.ended, all=place.children)
    if claim.state == RunState.QUEUED:
        told = ngettext("{n} before it", "{n} before it", place.before).format(n=place.before)
        return told if place.before else gettext("Next in line")
    if claim.state == RunState.RUNNING:
        begun = saying.percent(run.progress) if run.progress >= 1 else gettext("Being written")
        return gettext("Stopping") if claim.cancel_requested else begun
    errand = errand_of(run.kind)
    if errand is None and claim.state == RunState.DONE and run.action == Run.WRITE and not run.retries_id:
        return gettext("Written in {duration}").format(duration=saying.duration(pictures.time_worked(run)))
    words = {
        RunState.WAITING: gettext("Waits for an answer"),
        RunState.DONE: gettext("Written"),
        RunState.PARTIAL: gettext("Written with stand-ins"),
        RunState.FAILED: gettext("Failed"),
        RunState.CANCELLED: gettext("Stopped"),
    }
    state = RunState(claim.state)
    return gettext(errand.words[state]) if errand and state in errand.words else words[state]


def about(run: Run) -> str:
    """What it is at, what it waits for, or how it ended."""
    claim = run.claim
    if claim.state == RunState.WAITING and claim.reason == "person":
        return gettext("Its outline can be read and changed. Nothing is written until you say so.")
    if claim.state == RunState.RUNNING:
        return saying.doing(run.label)
    if claim.state == RunState.FAILED and run.error:
        return sentences.say(str(run.error.get("error_code")), run.error.get("params") or {})
    if claim.state == RunState.CANCELLED:
        return gettext("What was written is kept.")
    return ""


def can_retry(run: Run) -> bool:
    """It ended short, and nothing newer was begun for its document since. Errands are asked for again elsewhere."""
    if run.claim.state not in (RunState.PARTIAL, RunState.FAILED, RunState.CANCELLED) or errand_of(run.kind):
        return False
    return run.document is None or (run.document.present and run.document.run_id == run.id)


@dataclass(frozen=True)
class Today:
    """What a user has used since midnight, and what is left of their budget (None: there is no limit)."""

    calls: int
    paid: str
    left: str


def today(user: User) -> Today:
    begun = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    sums = Call.objects.filter(user=user, created_at__gte=begun).aggregate(
        n=Count("id"),
        paid=Sum(Case(When(state=CallState.SENT, then="reserved_usd"), default="cost_usd")),
    )
    paid = sums["paid"] or Decimal(0)
    limit = Decimal(str(settings.BUDGET_USER_DAY_USD))
    return Today(
        sums["n"], saying.money(paid) if paid else "", saying.money(max(Decimal(0), limit - paid)) if limit else ""
    )
