"""How each step of a document was made: the newest of its name, with the calls behind it, in one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from generation.models import CallState, Document, StepState

# A step that a retry copied was paid for by the run it was copied from.
NEWEST = """
WITH paid AS (
    SELECT c.run_id, c.step, sum(c.cost_usd) AS cost,
           bool_and(c.cost_usd IS NOT NULL OR c.state = 'sent') AS is_cost_known,
           json_agg(json_build_object('provider', c.provider, 'model', c.model, 'state', c.state, 'reason', c.reason,
                                      'error', c.error->>'error_code') ORDER BY c.id)::text AS calls
    FROM generation_call c JOIN generation_run r ON r.id = c.run_id
    WHERE r.document_id = %(document)s GROUP BY c.run_id, c.step
)
SELECT s.key, s.run_id, s.state, s.label::text, s.error::text, s.attempts, s.started_at, s.finished_at,
       p.cost, coalesce(p.is_cost_known, true), coalesce(p.calls, '[]'),
       CASE WHEN s.key LIKE '%%/tool-%%' THEN (s.result->'error')::text END
FROM (
    SELECT DISTINCT ON (s.key) s.* FROM generation_step s JOIN generation_run r ON r.id = s.run_id
    WHERE r.document_id = %(document)s ORDER BY s.key, s.run_id DESC
) s LEFT JOIN paid p ON p.run_id = coalesce(s.copied_from, s.run_id) AND p.step = s.key
ORDER BY s.started_at, s.key
"""


@dataclass(frozen=True, slots=True)
class Making:
    key: str
    run_id: UUID
    state: str
    label: dict[str, Any]
    error: dict[str, Any] | None
    attempt: int
    started_at: datetime
    finished_at: datetime | None
    cost: Decimal | None
    is_cost_known: bool
    calls: Sequence[dict[str, Any]]
    refusal: dict[str, Any] | None = None  # of a tool: what went wrong, as the model was told

    @property
    def is_open(self) -> bool:
        return self.state == StepState.RUNNING

    @property
    def seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None

    @property
    def tries(self) -> int:
        """Of the model that was asked last, in a row."""
        asked = [call["model"] for call in self.calls]
        others = [n for n, model in enumerate(asked, 1) if model != asked[-1]]
        return len(asked) - (others[-1] if others else 0)

    @property
    def failures(self) -> int:
        return sum(call["state"] == CallState.FAILED for call in self.calls)

    @property
    def is_retrying(self) -> bool:
        """Its last request failed, and another will be made."""
        return self.is_open and bool(self.calls) and self.calls[-1]["state"] == CallState.FAILED


def of(document: Document) -> list[Making]:
    with connection.cursor() as sql:
        sql.execute(NEWEST, {"document": document.id})
        return [making(*row) for row in sql.fetchall()]


def making(key: str, run_id: UUID, state: str, label: str, error: str | None, *rest: Any) -> Making:
    attempt, started_at, finished_at, cost, is_cost_known, calls, refusal = rest
    why = orjson.loads(error) if error else None
    return Making(
        key,
        run_id,
        state,
        orjson.loads(label),
        why,
        attempt,
        started_at,
        finished_at,
        cost,
        is_cost_known,
        orjson.loads(calls),
        orjson.loads(refusal) if refusal else None,
    )
