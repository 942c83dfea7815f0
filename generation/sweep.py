"""What nobody else will do: runs of dead carriers go back into the queue, lost nudges are sent again, orphaned calls
settled. One process at a time sweeps, under an advisory lock; every part is short and may run twice without harm."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from generation import attempts, calls, lines
from generation.claims import CRASHES_TO_FAIL, after_commit, count_active_seconds, lock, seize
from generation.endings import end_unclaimed
from generation.events import Draft
from generation.models import OPEN_STATES, Claim, Queue, Run, RunState, StepState
from generation.nudges import nudge, were_forgotten
from generation.rings import ring_batches, ring_run
from memory.base import metrics
from memory.base.errors import RunError

log = structlog.get_logger()

SWEEP_LOCK = 7_301_001

# After a restart of the database every lease may look expired although all owners live: they get one lease of time.
EXPIRED = "lease_until < now() AND now() - pg_postmaster_start_time() > %s * interval '1 second'"


def once() -> bool:
    """One sweep; False when another process is at it."""
    with sweeping() as mine:
        if mine:
            release_dead()
            resume_parents()
            lines.advance_left_standing()
            nudge_forgotten()
            calls.settle_orphans()
            attempts.end_due()
            measure()
        return mine


@contextmanager
def sweeping() -> Iterator[bool]:
    with connection.cursor() as sql:
        sql.execute("SELECT pg_try_advisory_lock(%s)", [SWEEP_LOCK])
        mine = bool(sql.fetchone()[0])
        try:
            yield mine
        finally:
            if mine:
                sql.execute("SELECT pg_advisory_unlock(%s)", [SWEEP_LOCK])


def release_dead(owner: str | None = None) -> int:
    """Put the runs of dead carriers back: whose lease ran out, or of the carrier whose name begins with `owner`."""
    candidates = Claim.objects.filter(state=RunState.RUNNING)
    candidates = candidates.filter(owner__startswith=owner) if owner else expired(candidates)
    released = 0
    for run_id in list(candidates.order_by("queued_at").values_list("run_id", flat=True)):
        released += release(run_id, owner)
    return released


def expired(claims: "QuerySet[Claim]") -> "QuerySet[Claim]":
    return claims.extra(where=[EXPIRED], params=[settings.LEASE_SECONDS])  # noqa: S610 constant SQL


@transaction.atomic
def release(run_id: UUID, owner: str | None = None) -> bool:
    """Take the run from its dead owner. A claim that recorded a step is no sign against the run."""
    run = Run.objects.select_related("workspace").get(id=run_id)
    if run.parent_id:
        lock(run.parent_id)
    held = Claim.objects.select_for_update(skip_locked=True).filter(run_id=run_id, state=RunState.RUNNING)
    claim = (held.filter(owner__startswith=owner) if owner else expired(held)).first()
    if claim is None:
        return False
    count_active_seconds(run, claim)
    crashes = 0 if claim.has_progressed else claim.crashes + 1
    log.warning("run_released", run=str(run_id), owner=claim.owner, crashes=crashes)
    if crashes >= CRASHES_TO_FAIL and not claim.cancel_requested:
        end_unclaimed(run, claim, RunState.FAILED, crashed(run).as_data())
    else:
        requeue(run, claim, "crashed", crashes)
    return True


def crashed(run: Run) -> RunError:
    steps = list(run.steps.filter(state=StepState.RUNNING).order_by("started_at").values_list("key", flat=True))
    return RunError("crashed", steps=steps)


def requeue(run: Run, claim: Claim, reason: str, crashes: int) -> None:
    """Let another go on. What a person cancelled ends instead."""
    if claim.cancel_requested:
        end_unclaimed(run, claim, RunState.CANCELLED)
        return
    batch = seize(
        claim,
        [Draft.of("status", state=RunState.QUEUED, reason=reason)],
        state=RunState.QUEUED,
        owner="",
        lease_until=None,
        crashes=crashes,
    )
    after_commit(lambda: ring_batches([batch]))
    after_commit(lambda: ring_run(run))
    after_commit(lambda: nudge(run.id, nudged_queue(claim.queue, crashes)))


def give_back(run_id: UUID, owner: str) -> None:
    """A claim this owner holds by the rows and does not carry (its answer was lost): back into the queue, no crash."""
    with transaction.atomic():
        run = Run.objects.get(id=run_id)
        claim = lock(run_id, below=run.parent_id)
        if claim.state == RunState.RUNNING and claim.owner == owner:
            requeue(run, claim, "let_go", claim.crashes)


def nudged_queue(queue: str, crashes: int) -> str:
    """A run that crashed is carried by a horse alone, a chat turn too."""
    return Queue.DEFAULT if crashes and queue == Queue.WEB else queue


def nudge_again(run_id: UUID) -> None:
    claim = Claim.objects.get(run_id=run_id)
    if claim.state == RunState.QUEUED:
        nudge(run_id, nudged_queue(claim.queue, claim.crashes))


def nudge_forgotten() -> None:
    """Nudge what has waited RENUDGE_SECONDS since it was queued or last nudged; all that waits if Redis forgot."""
    waiting = Claim.objects.filter(state=RunState.QUEUED, queued_at__lt=Now() - timedelta(seconds=1))
    if not waiting.exists():
        return
    if not were_forgotten():
        long_ago = Now() - timedelta(seconds=settings.RENUDGE_SECONDS)
        waiting = waiting.filter(Q(nudged_at=None) | Q(nudged_at__lt=long_ago), queued_at__lt=long_ago)
    for run_id, queue, crashes in list(waiting.order_by("queued_at").values_list("run_id", "queue", "crashes")[:200]):
        if not nudge(run_id, nudged_queue(queue, crashes)):
            return  # Redis is away; the web carrier takes what waits


def resume_parents() -> None:
    """Queue a parent whose children have all ended, should its last child not have done so."""
    waiting = Claim.objects.filter(state=RunState.WAITING, reason="children")
    for run_id in waiting.exclude(run__children__claim__state__in=OPEN_STATES).values_list("run_id", flat=True):
        resume(run_id)


@transaction.atomic
def resume(run_id: UUID) -> None:
    claim = lock(run_id)
    if claim.state != RunState.WAITING or claim.reason != "children":
        return
    batch = seize(claim, [Draft.of("status", state=RunState.QUEUED)], state=RunState.QUEUED, reason="")
    after_commit(lambda: ring_batches([batch]))
    after_commit(lambda: nudge(run_id, claim.queue))


def measure() -> None:
    """Gauges of what waits and what is open."""
    waiting = (
        Claim.objects.filter(state=RunState.QUEUED).values("queue").annotate(n=Count("run_id"), oldest=Min("queued_at"))
    )
    found = {row["queue"]: row for row in waiting}
    for queue in Queue:
        row = found.get(queue.value)
        metrics.queue_length.labels(queue.value).set(row["n"] if row else 0)
        age = (timezone.now() - row["oldest"]).total_seconds() if row else 0
        metrics.queue_age.labels(queue.value).set(max(0, age))
    states = dict(Claim.objects.filter(state__in=OPEN_STATES).values_list("state").annotate(n=Count("run_id")))
    for state in OPEN_STATES:
        metrics.runs_open.labels(state.value).set(states.get(state.value, 0))
