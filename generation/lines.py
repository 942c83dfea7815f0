"""Lines: runs that are carried one after another. Who joins waits behind those before it; who ends lets the next begin.

Both take the line's lock first, so that nobody joins behind a run that is just ending. A claim that somebody else holds
at this moment is passed over: who holds it ends it, and then looks for the next himself.
"""

from uuid import UUID

from django.db import connection, transaction

from generation.claims import after_commit, seize
from generation.events import Draft
from generation.models import Claim, Run, RunState
from generation.nudges import nudge
from generation.rings import ring_batches, ring_run

TURN = "turn"  # why a run waits

MOVING = (RunState.QUEUED, RunState.RUNNING)
LEFT_STANDING = """
SELECT DISTINCT r.line FROM generation_claim c JOIN generation_run r ON r.id = c.run_id
WHERE c.state = 'waiting' AND c.reason = 'turn' AND NOT EXISTS (
    SELECT FROM generation_run o JOIN generation_claim m ON m.run_id = o.id
    WHERE o.line = r.line AND m.state IN ('queued', 'running'))
"""


def lock(line: UUID) -> None:
    """Until the transaction ends nobody else joins the line, and none of it ends."""
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 3))", [str(line)])


def is_busy(line: UUID) -> bool:
    """Whether somebody who joins has to wait. The line is locked."""
    return Claim.objects.filter(run__line=line, state__in=(*MOVING, RunState.WAITING)).exists()


def let_next_begin(ending: Run) -> None:
    """In the transaction that ends the run: who has waited longest behind it is queued, unless another goes on."""
    if ending.line is not None:
        lock(ending.line)
        advance(ending.line, without=ending.id)


def advance(line: UUID, without: UUID | None = None) -> None:
    """Queue the first that waits, if none of the line is queued or at work. The line is locked."""
    beside = Claim.objects.filter(run__line=line)
    beside = beside.exclude(run_id=without) if without else beside
    if beside.filter(state__in=MOVING).exists():
        return
    waiting = beside.filter(state=RunState.WAITING, reason=TURN).select_related("run").order_by("run_id")
    first = waiting.select_for_update(skip_locked=True, of=("self",)).first()
    if first is None:
        return
    batch = seize(first, [Draft.of("status", state=RunState.QUEUED)], state=RunState.QUEUED, reason="")
    run = first.run
    after_commit(lambda: ring_batches([batch]))
    after_commit(lambda: ring_run(run))
    after_commit(lambda: nudge(run.id, first.queue))


def advance_left_standing() -> None:
    """What no end has moved on: whoever was passed over although it did not end after all."""
    with connection.cursor() as sql:
        sql.execute(LEFT_STANDING)
        lines = [line for (line,) in sql.fetchall()]
    for line in lines:
        with transaction.atomic():
            lock(line)
            advance(line)
