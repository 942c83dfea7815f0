"""Who works on a run. A claim is taken by one conditional UPDATE on the narrow row, by the database's clock.

Each taking raises `epoch`, the fence: whoever held the run before touches nothing from then on. What nobody holds is
changed by seizing it, which raises the epoch too.
"""

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils.timezone import now

from generation.events import Batch, Cursor, Draft, insert
from generation.models import Claim, Run

CRASHES_TO_FAIL = 3  # one among others, two alone

# Chosen first and once: within the join, the limit would count anew for each row that the plan comes to.
TAKE = """
WITH t AS MATERIALIZED (
    SELECT run_id FROM generation_claim
    WHERE state = 'queued' AND {which} ORDER BY queued_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE generation_claim c
SET state = 'running', reason = '', owner = %(owner)s, epoch = c.epoch + 1, claimed_at = now(), nudged_at = NULL,
    lease_until = now() + %(lease)s * interval '1 second', has_progressed = false
FROM t WHERE c.run_id = t.run_id
RETURNING c.run_id, c.epoch, c.last_seq, c.crashes
"""
WAITED = "queue = ANY(%(queues)s) AND crashes = 0 AND queued_at <= now() - %(waited)s * interval '1 second'"
NAMED = "run_id = %(run)s AND crashes <= %(most_crashes)s"

RENEW = """
UPDATE generation_claim c SET lease_until = now() + %(lease)s * interval '1 second'
FROM (
    SELECT run_id FROM generation_claim
    WHERE owner = %(owner)s AND state = 'running' ORDER BY run_id FOR UPDATE SKIP LOCKED
) t
WHERE c.run_id = t.run_id RETURNING c.run_id, c.epoch, c.cancel_requested
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A claim just taken: the fence to write behind, and how often the run has crashed without progress."""

    cursor: Cursor
    crashes: int


def new_owner() -> str:
    """A name no other carrier bears; `host:pid:` in front lets a parent name the carrier of its dead child."""
    return f"{owner_prefix(os.getpid())}{uuid4().hex[:8]}"


def owner_prefix(pid: int) -> str:
    return f"{socket.gethostname()}:{pid}:"


def take_waiting(owner: str, queues: Sequence[str], limit: int, waited: float) -> list[Taken]:
    """Up to `limit` runs of these queues that have waited this many seconds; never one that has crashed."""
    return _take(WAITED, owner, limit, queues=list(queues), waited=waited)


def take(owner: str, run_id: UUID, alone: bool) -> list[Taken]:
    """The named run if it is queued. One that crashed before is taken only by a carrier that holds nothing else."""
    return _take(NAMED, owner, 1, run=run_id, most_crashes=CRASHES_TO_FAIL if alone else 0)


def _take(which: str, owner: str, limit: int, **params: Any) -> list[Taken]:
    params |= {"owner": owner, "limit": limit, "lease": settings.LEASE_SECONDS}
    with connection.cursor() as sql:
        sql.execute(TAKE.format(which=which), params)
        return [Taken(Cursor(run_id, epoch, seq), crashes) for run_id, epoch, seq, crashes in sql.fetchall()]


def renew(sql: "psycopg.Connection[tuple[Any, ...]]", owner: str) -> dict[UUID, tuple[int, bool]]:
    """Lengthen all leases of the owner in one statement: run → (epoch, cancel requested).

    A row that is busy at this moment is left out and has its turn a second later.
    """
    rows = sql.execute(RENEW, {"owner": owner, "lease": settings.LEASE_SECONDS}).fetchall()
    return {run_id: (epoch, cancel) for run_id, epoch, cancel in rows}


def epochs(sql: "psycopg.Connection[tuple[Any, ...]]", run_ids: Iterable[UUID]) -> dict[UUID, tuple[int, str]]:
    """Epoch and state of the named claims, without waiting for their locks."""
    rows = sql.execute(
        "SELECT run_id, epoch, state FROM generation_claim WHERE run_id = ANY(%s)", [list(run_ids)]
    ).fetchall()
    return {run_id: (epoch, state) for run_id, epoch, state in rows}


def lock(run_id: UUID, below: UUID | None = None) -> Claim:
    """The claim, locked until the transaction ends. Parents are locked before their children, everywhere: whoever may
    end a child, and so tell its parent, names the parent as `below`."""
    if below:
        lock(below)
    return Claim.objects.select_for_update().get(run_id=run_id)


def seize(claim: Claim, drafts: Sequence[Draft], **changes: Any) -> Batch:
    """Change a locked claim that nobody works on (or whose owner is dead), raising the epoch against whoever did."""
    batch = Batch(claim.run_id, claim.last_seq, drafts, changes.get("state", claim.state))
    Claim.objects.filter(run_id=claim.run_id).update(epoch=F("epoch") + 1, last_seq=batch.upto, **changes)
    insert(batch)
    claim.refresh_from_db()
    return batch


def count_active_seconds(run: Run, claim: Claim) -> None:
    """The claim ends, the run goes on: its time counts towards the deadline; waiting does not count."""
    if claim.claimed_at:
        seconds = max(0.0, (now() - claim.claimed_at).total_seconds())
        Run.objects.filter(id=run.id).update(active_seconds=run.active_seconds + seconds)


def after_commit(act: Callable[[], object]) -> None:
    """Rings and nudges follow the rows they speak of, and their failure never fails the verb."""
    transaction.on_commit(act, robust=True)
