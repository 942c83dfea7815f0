"""What the rows say of models lately: how their calls ended, and who answered where another was asked first.

A call that was broken off from outside, whose process died or that is still under way says nothing of its model.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection

from generation.llm.values import ModelRef
from memory.base.ids import least_id

CLOCKS_APART = timedelta(minutes=5)  # of the processes that make ids and of PostgreSQL's, at most

# Said of the question, not of the model: it is there.
OF_THE_QUESTION = ("model.refusal", "model.content_filter", "model.too_long", "model.cut_at_limit")

BY_MODEL = """
WITH recent AS (
    SELECT provider, model, error, duration_ms, first_token_ms, state = 'done' AS is_answer,
        state = 'failed' AND error->>'error_code' LIKE 'model.%%' AS is_failure,
        state = 'sent' AS is_under_way, coalesce(settled_at, created_at) AS at,
        max(coalesce(settled_at, created_at)) FILTER (WHERE state = 'done') OVER (PARTITION BY provider, model) AS last
    FROM generation_call WHERE id >= %(least)s AND created_at >= %(since)s
)
SELECT provider, model, count(*) FILTER (WHERE is_answer), count(*) FILTER (WHERE is_failure),
    count(*) FILTER (WHERE is_under_way),
    count(*) FILTER (
        WHERE is_failure AND (last IS NULL OR at > last) AND NOT error->>'error_code' = ANY(%(of_the_question)s)
    ),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY duration_ms) FILTER (WHERE is_answer),
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY first_token_ms) FILTER (WHERE is_answer),
    max(last), max(at) FILTER (WHERE is_failure),
    (array_agg(error ORDER BY at DESC) FILTER (WHERE is_failure))[1]
FROM recent GROUP BY provider, model
"""

# A turn is what one model was asked for one question: its first request, and those that repeat it. What came just
# before it in the same step failed there, or was another question.
INSTEAD = """
WITH recent AS (
    SELECT id, coalesce(run_id, id) AS run, step, attempt, agent, provider || ':' || model AS model, reason, state,
        coalesce(settled_at, created_at) AS at, chain_assignment_id,
        count(*) FILTER (WHERE reason <> 'retry') OVER w AS turn,
        lag(provider || ':' || model) OVER w AS before, lag(state) OVER w AS state_before
    FROM generation_call WHERE id >= %(least)s AND created_at >= %(since)s
    WINDOW w AS (PARTITION BY coalesce(run_id, id), step ORDER BY attempt, id)
), turns AS (
    SELECT agent, model, chain_assignment_id, (array_agg(reason ORDER BY attempt, id))[1] AS why,
        (array_agg(CASE WHEN state_before = 'failed' THEN before END ORDER BY attempt, id))[1] AS failed,
        bool_or(state = 'done') AS is_answered, max(at) AS at
    FROM recent GROUP BY run, step, turn, agent, model, chain_assignment_id
)
SELECT agent, model, coalesce(arm.chain, '[]'), coalesce(failed, ''), count(*), max(at)
FROM turns LEFT JOIN generation_assignment given ON given.id = chain_assignment_id
LEFT JOIN generation_arm arm ON arm.id = given.arm_id
WHERE why = 'next_model' AND is_answered GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True)
class Spread:
    """Milliseconds: of the middle one, and of all but the slowest twentieth."""

    p50: int
    p95: int


@dataclass(frozen=True)
class Figures:
    """Of one model. `in_a_row`: failures of its own since it last answered."""

    answered: int = 0
    failed: int = 0
    under_way: int = 0
    in_a_row: int = 0
    took: Spread | None = None
    first_word: Spread | None = None
    last_answer: datetime | None = None
    last_failure: datetime | None = None
    last_error: dict[str, Any] | None = None

    @property
    def attempts(self) -> int:
        return self.answered + self.failed

    @property
    def share(self) -> float | None:
        return self.answered / self.attempts if self.attempts else None


@dataclass(frozen=True)
class Instead:
    """So many answers came from `model`, which was not the first to be asked: by the chain of this arm, or of the
    agent where there is none. `failed` was asked just before it, if anybody was."""

    agent: str
    model: ModelRef
    chain: tuple[str, ...]
    failed: str
    times: int
    last: datetime


def by_model(since: datetime) -> dict[ModelRef, Figures]:
    rows = asked(BY_MODEL, since, of_the_question=list(OF_THE_QUESTION))
    return {ModelRef(provider, model): figures(*facts) for provider, model, *facts in rows}


def figures(*facts: Any) -> Figures:
    answered, failed, under_way, in_a_row, took, first_word, last_answer, last_failure, error = facts
    return Figures(
        answered, failed, under_way, in_a_row, spread(took), spread(first_word), last_answer, last_failure, read(error)
    )


def instead(since: datetime) -> list[Instead]:
    return [
        Instead(agent, ModelRef.parse(model), tuple(read(chain) or ()), failed, times, last)
        for agent, model, chain, failed, times, last in asked(INSTEAD, since)
    ]


def asked(query: str, since: datetime, **more: Any) -> list[tuple[Any, ...]]:
    """Ids are ordered by time: the rows of an hour lie at the end of the primary key."""
    with connection.cursor() as sql:
        sql.execute(query, {"least": least_id(since - CLOCKS_APART), "since": since, **more})
        return sql.fetchall()


def spread(pair: list[float] | None) -> Spread | None:
    return Spread(*map(round, pair)) if pair and None not in pair else None


def read(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value
