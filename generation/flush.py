"""One statement a tick: the pending events of all runs of a carrier.

Rows are locked by id alone and skipped when busy; a row that comes back with another epoch is a lost claim; the number
the owner last saw is compared before it is set, so that a repeated statement sends only what is missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

import psycopg
from django.db import connections

from generation.events import Batch

FLUSH = """
WITH wanted AS (
    SELECT * FROM unnest(%(runs)s::uuid[], %(epochs)s::int[], %(afters)s::bigint[], %(counts)s::int[])
        AS w(run_id, epoch, after, n)
), locked AS (
    SELECT run_id, epoch, last_seq, cancel_requested, state FROM generation_claim
    WHERE run_id = ANY(%(runs)s::uuid[]) ORDER BY run_id FOR UPDATE SKIP LOCKED
), moved AS (
    UPDATE generation_claim c SET last_seq = w.after + w.n
    FROM wanted w JOIN locked l USING (run_id)
    WHERE c.run_id = w.run_id AND l.epoch = w.epoch AND l.last_seq = w.after AND l.state = 'running'
    RETURNING c.run_id
), written AS (
    INSERT INTO generation_event (run_id, seq, type, data, at)
    SELECT e.run_id, e.seq, e.type, e.data::jsonb, %(at)s
    FROM unnest(%(event_runs)s::uuid[], %(seqs)s::bigint[], %(types)s::text[], %(data)s::text[])
        AS e(run_id, seq, type, data)
    JOIN moved USING (run_id)
)
SELECT l.run_id, l.epoch, l.last_seq, l.cancel_requested, m.run_id IS NOT NULL
FROM locked l LEFT JOIN moved m USING (run_id)
"""


class Outcome(Enum):
    WRITTEN = "written"
    BUSY = "busy"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch with the epoch of the owner that wants it written."""

    batch: Batch
    epoch: int


@dataclass(frozen=True, slots=True)
class Flushed:
    outcome: Outcome
    cancel_requested: bool = False


def connect(name: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection of one thread's own, outside Django: statements are prepared, each is its own transaction."""
    params = connections["default"].get_connection_params()
    for django_only in ("pool", "cursor_factory", "prepare_threshold", "context"):
        params.pop(django_only, None)
    params["application_name"] = name
    return psycopg.connect(**params, autocommit=True, prepare_threshold=2)


def flush(sql: "psycopg.Connection[tuple[object, ...]]", pending: Sequence[Pending]) -> dict[UUID, Flushed]:
    """Write what can be written now; one outcome per run. Repeating the call with the same batches is safe."""
    batches = [item.batch for item in pending]
    events = [(batch.run_id, seq, draft) for batch in batches for seq, draft in batch.numbered()]
    rows = sql.execute(
        FLUSH,
        {
            "runs": [batch.run_id for batch in batches],
            "epochs": [item.epoch for item in pending],
            "afters": [batch.after for batch in batches],
            "counts": [len(batch.drafts) for batch in batches],
            "at": batches[0].at,
            "event_runs": [run_id for run_id, _, _ in events],
            "seqs": [seq for _, seq, _ in events],
            "types": [draft.type for _, _, draft in events],
            "data": [draft.data for _, _, draft in events],
        },
    ).fetchall()
    found = {row[0]: row for row in rows}
    return {item.batch.run_id: outcome_of(item, found.get(item.batch.run_id)) for item in pending}


def outcome_of(item: Pending, row: tuple[object, ...] | None) -> Flushed:
    if row is None:
        return Flushed(Outcome.BUSY)
    _, epoch, last_seq, cancel_requested, moved = row
    # Not moved, but our epoch and already our number: an earlier try of this very batch was in after all.
    landed = moved or (epoch == item.epoch and last_seq == item.batch.upto)
    return Flushed(Outcome.WRITTEN if landed else Outcome.LOST, bool(cancel_requested))
