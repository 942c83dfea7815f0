"""A run as readers see it: one picture of rows at one moment."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum
from django.utils.timezone import now

from generation.models import Call, CallState, Run, RunQuerySet, RunState
from generation.paging import page
from generation.replay import one_moment, open_text
from memory.base.errors import NotFound
from memory.models import User


def visible(user: User, run_id: UUID) -> Run:
    """The run, if this user may see it; `not_found.run` otherwise, whether it exists or not."""
    run = Run.objects.visible(user).select_related("claim", "workspace", "user", "document").filter(id=run_id).first()
    if run is None:
        raise NotFound("run")
    return run


def check_visible(user: User, run_id: UUID) -> None:
    """`not_found.run` unless this user may see the run."""
    if not Run.objects.visible(user).filter(id=run_id).exists():
        raise NotFound("run")


def picture(user: User, run_id: UUID, with_text: bool = False) -> dict[str, Any]:
    """The run as of its `last_seq`; `with_text` adds the joined text of open steps. Follow from there."""
    with one_moment():
        return draw(visible(user, run_id), with_text)


def draw(run: Run, with_text: bool = False) -> dict[str, Any]:
    claim = run.claim
    return {
        **line(run),
        "workspace": run.workspace_id,
        "parent": run.parent_id,
        "retries": run.retries_id,
        "question": run.question,
        "steps": list(
            run.steps.order_by("started_at", "id").values("key", "label", "state", "attempts", "is_fallback", "error")
        ),
        "usage": usage(run),
        "error": run.error,
        "last_seq": claim.last_seq,
        "events_url": f"/api/v1/runs/{run.id}/events",
        "text": open_text(run) if with_text else None,
        "started_at": run.started_at,
    }


def line(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": run.kind,
        "title": run.title or (run.document.title if run.document else ""),
        "document": run.document_id,
        "state": run.claim.state,
        "reason": run.claim.reason or None,
        "progress": run.progress,
        "label": run.label,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
    }


TOLD_FROM = 15  # percent; before, the pace of the outline says nothing of the rest
TOLD_AFTER = timedelta(seconds=5)


def time_left(run: Run) -> timedelta | None:
    """How long the run will still be at work if it goes on as it went; None as long as that cannot be known.

    A retry begins with what others have made: its progress does not tell its pace.
    """
    worked = time_worked(run)
    is_at_work = run.claim.state == RunState.RUNNING and not run.claim.cancel_requested
    if not is_at_work or run.retries_id or not TOLD_FROM <= run.progress < 100 or worked < TOLD_AFTER:
        return None
    return worked * (100 - run.progress) / run.progress


def time_worked(run: Run) -> timedelta:
    """How long the run was at work; waiting does not count."""
    before = timedelta(seconds=run.active_seconds)
    is_at_work = run.claim.state == RunState.RUNNING
    until = now() if is_at_work else run.finished_at
    if until is None or run.claim.claimed_at is None:
        return before
    return before + max(timedelta(0), until - run.claim.claimed_at)


def usage(run: Run) -> dict[str, Any]:
    sums = Call.objects.filter(Q(run=run) | Q(run__parent=run)).aggregate(
        calls=Count("id"),
        read=Sum("tokens_in"),
        written=Sum("tokens_out"),
        paid=Sum("cost_usd"),
        unknown=Count("id", filter=Q(cost_usd=None) & ~Q(state=CallState.SENT)),
    )
    return {
        "calls": sums["calls"],
        "tokens_in": sums["read"] or 0,
        "tokens_out": sums["written"] or 0,
        "cost_usd": float(sums["paid"] or 0),
        "is_cost_known": not sums["unknown"],
    }


def listing(user: User, state: str | None, mine: bool, cursor: str | None) -> dict[str, Any]:
    """A page of the runs this user may see, newest first, by key: no page is slower than the first."""
    found: RunQuerySet = Run.objects.visible(user).filter(parent=None).select_related("claim", "document")
    if state:
        found = found.filter(claim__state__in=state.split(","))
    if mine:
        found = found.filter(user=user)
    rows, following = page(found, cursor)
    return {"items": [line(run) for run in rows], "cursor": following}
