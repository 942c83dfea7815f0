"""How runs end: whoever ends one does it here, in one transaction with all that follows from it.

That is its own rows, what its job keeps, its children, who waits for it above and behind it.
"""

from typing import Any

import structlog
from django.db import connection, transaction

from generation import lines
from generation.claims import after_commit, lock, seize
from generation.events import LOST_CONNECTION, Draft
from generation.models import END_STATES, OPEN_STATES, Claim, Queue, Run, RunState, StepState
from generation.nudges import nudge
from generation.recipes.base import Job, import_job
from generation.rings import ring_batches, ring_run
from memory.base.errors import RunError
from memory.base.news import CARRIERS, bell
from memory.base.text import as_json

log = structlog.get_logger()

CLOSE = """
WITH steps AS (
    UPDATE generation_step SET state = 'cancelled', finished_at = now()
    WHERE run_id = %(run)s AND state IN ('running', 'waiting')
)
UPDATE generation_run
SET finished_at = now(), error = %(error)s::jsonb, result = %(result)s::jsonb, question = NULL,
    progress = CASE WHEN %(state)s IN ('done', 'partial') THEN 100 ELSE progress END
WHERE id = %(run)s
RETURNING EXISTS (SELECT 1 FROM generation_run child WHERE child.parent_id = %(run)s)
"""


def halt(run: Run) -> None:
    """Cancel in the caller's transaction; parents are locked before children."""
    claim = lock(run.id, below=run.parent_id)
    if claim.state in END_STATES:
        return
    if claim.state == RunState.RUNNING:
        Claim.objects.filter(run_id=run.id).update(cancel_requested=True)
        after_commit(lambda: bell.ring(CARRIERS, cancel=str(run.id)))
        halt_children(run)  # its owner, too, will once it has heard, and meet those it had begun meanwhile
    else:
        end_unclaimed(run, claim, RunState.CANCELLED)


def halt_children(run: Run) -> None:
    """Nobody waits for them any more. In the transaction that ends their parent, since nobody adds to them then."""
    for child in Run.objects.filter(parent_id=run.id, claim__state__in=OPEN_STATES).order_by("id"):
        halt(child)


def end_unclaimed(run: Run, claim: Claim, state: RunState, error: dict[str, Any] | None = None) -> None:
    """End a run nobody works on, and its children; its claim is locked by the caller."""
    has_children = close(run, state, error)
    batch = seize(claim, end_drafts(state, error), state=state, reason="", owner="", lease_until=None)
    after_commit(lambda: ring_batches([batch]))
    if has_children:
        halt_children(run)  # not sooner: a parent that still waits is told of each child's end


def end_drafts(state: str, error: dict[str, Any] | None) -> list[Draft]:
    """The last events of a run: at most one `error`, then `done`, whatever the state."""
    told = [Draft.of("error", **error)] if error else []
    return [*told, Draft.of("done", state=state, **({"error": error} if error else {}))]


def close(run: Run, state: str, error: dict[str, Any] | None, result: Any = None) -> bool:
    """The rows of an end, in the transaction that ends the claim: parent's claim first, then run and steps.

    Says whether the run has children, who have to be halted.
    """
    parent = lock(run.parent_id) if run.parent_id else None
    keep(run, RunState(state), error)
    with connection.cursor() as sql:
        sql.execute(CLOSE, {"run": run.id, "state": state, "error": as_json(error), "result": as_json(result)})
        (has_children,) = sql.fetchone()
    if parent is not None:
        tell_parent(parent, run, state)
    lines.let_next_begin(run)
    after_commit(lambda: ring_run(run))
    return bool(has_children)


def keep(run: Run, state: RunState, error: dict[str, Any] | None) -> None:
    """Let the run's job keep what is its own, should it have such."""
    try:
        job = import_job(run.job)
    except RunError:  # why it ends is told already
        return
    if not isinstance(job, Job):
        return
    try:
        with transaction.atomic():
            job.keep(run, state, error)
    except LOST_CONNECTION:
        raise
    except Exception:  # a run must be able to end
        log.exception("not_kept", run=str(run.id))


def tell_parent(parent: Claim, child: Run, state: str) -> None:
    """A waiting parent hears of its child's end, and is queued at the front of `high` when this was the last.

    A parent that is being worked on looks for itself.
    """
    if parent.state != RunState.WAITING or parent.reason != "children":
        return
    others = Claim.objects.filter(run__parent_id=parent.run_id, state__in=OPEN_STATES).exclude(run_id=child.id)
    drafts = [Draft.of("step", key=child.parent_step, state=StepState.RUNNING, child=str(child.id), child_state=state)]
    changes: dict[str, Any] = {}
    if not others.exists():
        drafts.append(Draft.of("status", state=RunState.QUEUED))
        changes = {"state": RunState.QUEUED, "reason": "", "queue": Queue.HIGH, "queued_at": child.created_at}
        after_commit(lambda: nudge(parent.run_id, Queue.HIGH))
    batch = seize(parent, drafts, **changes)
    after_commit(lambda: ring_batches([batch]))
