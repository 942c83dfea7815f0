"""What the rows of a house under test say, asked past the proxy."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from tests.chaos.invariants import Sql

STREAMING = """
SELECT count(DISTINCT (e.run_id, e.data->>'step')) FROM generation_claim c
JOIN generation_event e ON e.run_id = c.run_id AND e.type = 'content_delta'
    AND e.at > greatest(%s, now() - interval '0.5 seconds')
JOIN generation_step s ON s.run_id = c.run_id AND s.key = e.data->>'step' AND s.state = 'running'
WHERE c.state = 'running' AND c.lease_until > now()
"""

# What keeps a house busy: each open run, and the steps it has not recorded.
OPEN_WORK = """
SELECT concat_ws(' ', c.run_id, r.kind, c.state, nullif(c.reason, ''), 'in', c.queue, 'epoch', c.epoch, 'crashes',
    c.crashes, 'owner', nullif(c.owner, ''), 'lease', c.lease_until - now(), 'last event', now() - e.at, 'ago;',
    string_agg(concat_ws(' ', s.key, s.state, s.attempts, now() - s.started_at), ', ' ORDER BY s.key))
FROM generation_claim c JOIN generation_run r ON r.id = c.run_id
LEFT JOIN generation_event e ON e.run_id = c.run_id AND e.seq = c.last_seq
LEFT JOIN generation_step s ON s.run_id = c.run_id AND s.state IN ('running', 'waiting')
WHERE c.state IN ('queued', 'running', 'waiting') GROUP BY c.run_id, r.kind, e.at
"""

LATELY_UNWELL = """
SELECT concat_ws(' ', run_id, key, state, attempts, error->>'error_code') FROM generation_step
WHERE state IN ('failed', 'fallback', 'cancelled') AND finished_at > now() - interval '10 minutes'
ORDER BY finished_at DESC LIMIT 10
"""


class Rows:
    def __init__(self, folder: Path) -> None:
        self.folder = folder  # of the server's socket

    @contextmanager
    def sql(self) -> Iterator[Sql]:
        """A connection past the proxy."""
        with psycopg.connect(host=str(self.folder), user="scriptorium", dbname="scriptorium", autocommit=True) as sql:
            yield sql

    def number(self, query: str, *params: Any) -> int:
        """The one number that the query gives."""
        with self.sql() as sql:
            row = sql.execute(query, params).fetchone()
            return int(row[0] or 0) if row else 0

    def streaming(self, since: datetime) -> int:
        """How many steps have streamed text since then, and within the last half second."""
        with suppress(psycopg.OperationalError):
            return self.number(STREAMING, since)
        return 0

    def open_runs(self, runs: list[UUID] | None = None) -> int:
        """How many runs have not ended: of these, or of all there are."""
        query = "SELECT count(*) FROM generation_claim WHERE state IN ('queued', 'running', 'waiting')"
        return self.number(query) if runs is None else self.number(f"{query} AND run_id = ANY(%s)", runs)

    def open_work(self) -> str:
        """A line for each run that has not ended: who has it, since when nothing came, and what it is at."""
        with self.sql() as sql:
            return "\n".join(line for (line,) in sql.execute(OPEN_WORK).fetchall())

    def lately_unwell(self) -> str:
        """A line for each of the last steps that came to no good end, and why."""
        with self.sql() as sql:
            return "\n".join(line for (line,) in sql.execute(LATELY_UNWELL).fetchall())

    def is_running(self, run: UUID) -> bool:
        return bool(self.number("SELECT 1 FROM generation_claim WHERE run_id = %s AND state = 'running'", run))

    def owners(self, run: UUID) -> int:
        """How often the run was claimed."""
        return self.number("SELECT epoch FROM generation_claim WHERE run_id = %s", run)

    def last_seq(self, runs: list[UUID]) -> int:
        """The highest number of any of these runs."""
        return self.number("SELECT max(last_seq) FROM generation_claim WHERE run_id = ANY(%s)", runs)

    def made_twice(self, runs: list[UUID]) -> int:
        """Steps that needed more than one attempt."""
        return self.number("SELECT count(*) FROM generation_step WHERE run_id = ANY(%s) AND attempts > 1", runs)
