"""What calls, steps, feedback and changes say of an experiment, as queries: sums of each unit by stretch of time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from rapidfuzz.distance import Levenshtein

from generation.experiments import intervals
from generation.experiments.intervals import Estimate, Moments
from generation.experiments.metrics import COLUMNS, EDIT_DAYS, METRICS, Metric
from generation.models import Experiment, Unit

BUCKETS = 24  # points of a plot
BASELINE_DAYS = 30
MOST_BEFORE = 20_000  # calls that say how a target does anyway, the newest
LONGEST_COMPARED = 5_000  # characters of a text
NO_TEXTS = ["status", "rank", "parent", "locked", "present", "fallback"]  # paths that are strings, and nobody's words

# One row for each task of each unit: what a step of a run asked, with all its calls. What people stopped says nothing.
# What a tool wrote belongs to the step that wished for it.
TASKS = """
WITH exposed AS MATERIALIZED (
    SELECT {unit} AS unit, {arm} AS arm, c.id, c.run_id, coalesce(c.origin, c.run_id, c.id) AS place, c.step,
        c.state, c.reason, c.created_at, c.settled_at, c.tokens_in + c.tokens_out AS tokens, c.cost_usd,
        c.created_at + c.first_token_ms * interval '1 ms' AS spoke_at
    FROM {source}
    WHERE {exposed} AND c.state <> 'sent' AND c.created_at <= %(until)s
        AND coalesce(c.error ->> 'error_code', '') NOT IN ('internal.CancelledError', 'internal.GeneratorExit')
), asked AS MATERIALIZED (
    SELECT unit, arm, run_id, place, step, min(created_at) AS at, array_agg(id) AS calls,
        bool_or(state = 'done') AS answered, bool_or(reason = 'next_model')::int AS another,
        bool_or(reason = 'retry')::int AS retried, bool_or(reason = 'repair')::int AS repaired,
        CASE WHEN bool_and(tokens IS NOT NULL) THEN sum(tokens) END AS tokens,
        CASE WHEN bool_and(cost_usd IS NOT NULL) THEN sum(cost_usd) END AS usd,
        extract(epoch FROM max(settled_at) FILTER (WHERE state = 'done') - min(created_at)) * 1000 AS took,
        extract(epoch FROM min(spoke_at) FILTER (WHERE state = 'done') - min(created_at)) * 1000 AS first_ms
    FROM exposed
    GROUP BY unit, arm, place, run_id, step
), written AS MATERIALIZED (
    SELECT asked.unit, asked.arm, asked.place, asked.step, asked.at,
        change.id, change.object_id, change.path, change.version, change.after, change.created_at,
        change.path <> ALL (%(no_texts)s) AND jsonb_typeof(change.after) = 'string' AS is_text
    FROM asked
    JOIN memory_change change ON change."group" = asked.place
        AND (change.author = 'recipe' AND change.step = asked.step
            OR change.author = 'tool' AND starts_with(change.step, asked.step || '/'))
), taken_back AS MATERIALIZED (
    SELECT DISTINCT written.id FROM written
    JOIN memory_change undo ON undo.undoes_id = written.id AND undo.created_at < written.created_at + %(window)s
    WHERE NOT EXISTS (SELECT FROM memory_change redo WHERE redo.undoes_id = undo.id)
), pages AS MATERIALIZED (
    SELECT unit, arm, at, count(DISTINCT object_id) AS wrote, count(*) FILTER (WHERE is_text) AS texts,
        count(DISTINCT object_id) FILTER (WHERE taken_back.id IS NOT NULL) AS undone
    FROM written LEFT JOIN taken_back USING (id)
    GROUP BY unit, arm, at, place, step
)
"""

# How each column of a task is known; what it has written is known by itself, and joined to nothing: how many rows these
# are is hard to foresee, and a plan that goes wrong takes minutes.
OF_TASKS = {
    "task": "1",
    "done": "(answered AND coalesce(made.state NOT IN ('fallback', 'failed'), true))::int",
    "fallback": "made.is_fallback::int",
    "kept": "(made.state IN ('done', 'fallback', 'failed'))::int",
    "another": "another",
    "retried": "retried",
    "repaired": "repaired",
    "score": "critic.score",
    "scored": "critic.scored",
    "good": "thumbs.good",
    "rated": "thumbs.rated",
    "tokens": "tokens",
    "counted": "(tokens IS NOT NULL)::int",
    "usd": "usd",
    "priced": "(usd IS NOT NULL)::int",
    "took": "took",
    "timed": "(took IS NOT NULL)::int",
    "first_ms": "first_ms",
    "spoke": "(first_ms IS NOT NULL)::int",
}
OF_PAGES = {"wrote": "wrote", "texts": "texts", "undone": "undone"}

SUMS = """
SELECT unit, arm, width_bucket(extract(epoch FROM at), %(begin)s, %(end)s, %(buckets)s) AS bucket, {sums}
FROM (
    SELECT asked.unit, asked.arm, asked.at, {of_tasks}
    FROM asked
    LEFT JOIN generation_step made ON made.run_id = asked.run_id AND made.key = asked.step
    LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE is_good) AS good, count(*) AS rated
        FROM generation_feedback WHERE call_id = ANY (asked.calls)
    ) thumbs ON true
    LEFT JOIN LATERAL (
        SELECT sum(score) AS score, count(*) AS scored FROM generation_critique WHERE call_id = ANY (asked.calls)
    ) critic ON true
    UNION ALL
    SELECT unit, arm, at, {of_pages} FROM pages
) tasks
GROUP BY unit, arm, bucket
"""

# What people made of a text that was written: how it stood last within the window, before a machine wrote it anew.
EDITED = """
SELECT unit, width_bucket(extract(epoch FROM at), %(begin)s, %(end)s, %(buckets)s) AS bucket,
    written.after #>> '{{}}', said.after #>> '{{}}'
FROM written
JOIN LATERAL (
    SELECT after FROM memory_change said
    WHERE said.object_id = written.object_id AND said.path = written.path AND said.version > written.version
        AND said.author IN ('person', 'undo') AND said.created_at < written.created_at + %(window)s
        AND NOT EXISTS (
            SELECT FROM memory_change anew
            WHERE anew.object_id = said.object_id AND anew.path = said.path AND anew.author IN ('recipe', 'tool')
                AND anew.version BETWEEN written.version + 1 AND said.version
        )
    ORDER BY said.version DESC LIMIT 1
) said ON true
WHERE is_text
"""

# By id, which is by time: the newest are found without looking at the others.
BEFORE = """
(SELECT * FROM generation_call WHERE {} ORDER BY id DESC LIMIT %(most)s) c
LEFT JOIN generation_run r ON r.id = c.run_id
"""
BY_PROMPT = "prompt_version_id IN (SELECT id FROM generation_promptversion WHERE prompt_id = %(value)s)"
BY_AGENT = "agent = %(value)s"

TIMES = """
SELECT arm, took, unit, width_bucket(extract(epoch FROM at), %(begin)s, %(end)s, %(buckets)s) AS bucket
FROM asked WHERE took IS NOT NULL ORDER BY took
"""


@dataclass(frozen=True)
class Point:
    at: datetime
    estimate: Estimate


@dataclass(frozen=True)
class Exposed:
    """Where the calls are found, and what their units and arms are: SQL, with the value that it asks for."""

    source: str
    exposed: str
    unit: str
    arm: str
    value: Any

    @classmethod
    def by_experiment(cls, experiment: Experiment) -> "Exposed":
        column = "assignment_id" if experiment.prompt_id else "chain_assignment_id"
        source = f"generation_assignment a JOIN generation_call c ON a.id = c.{column}"
        return cls(source, "a.experiment_id = %(value)s", "a.id", "a.arm_id", experiment.id)

    @classmethod
    def in_no_experiment(cls, experiment: Experiment) -> "Exposed":
        """The work that its target does anyway, in the experiment's units, as one arm."""
        units = {Unit.USER: "c.user_id", Unit.SESSION: "coalesce(r.line, c.origin, c.run_id, c.id)"}
        unit = units.get(Unit(experiment.unit), "coalesce(c.origin, c.run_id, c.id)")
        source = BEFORE.format(BY_PROMPT if experiment.prompt_id else BY_AGENT)
        return cls(source, "c.created_at > %(from)s", unit, "'production'", experiment.target)


class Evidence:
    """The sums of all units of an experiment by stretch of time, read once."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.arms = list(experiment.arms.select_related("version", "experiment"))
        self.exposed = Exposed.by_experiment(experiment)
        self.begin = experiment.started_at or experiment.created_at
        self.until = experiment.stopped_at or timezone.now()
        # Width_bucket refuses a stretch of no length.
        self.end = max(self.until, self.begin + timedelta(seconds=1)) + timedelta(microseconds=1)
        rows = sorted(self.ask(SUMS), key=itemgetter(2))
        self.rows = [(row[:3], dict(zip(COLUMNS, row[3:], strict=True))) for row in rows]
        self.add_edits()

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        return ask(query, self.exposed, self.begin, self.until, self.end)

    def add_edits(self) -> None:
        by_place = {(unit, bucket): sums for (unit, _arm, bucket), sums in self.rows}
        for unit, bucket, written, said in self.ask(EDITED):
            if (unit, bucket) in by_place:  # all but what was settled between the two questions
                by_place[unit, bucket]["edited"] += distance(written, said or "")

    def moments(self, metric: Metric) -> Iterator[tuple[int, dict[UUID, Moments]]]:
        """By arm, after each stretch in which there was something, the last of them the whole."""
        sums: dict[UUID, tuple[float, float]] = {}
        so_far = {arm.id: Moments() for arm in self.arms}
        for bucket, rows in groupby(self.rows, key=lambda row: int(row[0][2])):
            for (unit, arm, _bucket), columns in rows:
                y, x = sums.get(unit, (0.0, 0.0))
                so_far.setdefault(arm, Moments()).add(y, x, sign=-1)
                sums[unit] = y + columns[metric.of], x + columns[metric.over]
                so_far[arm].add(*sums[unit])
            yield bucket, so_far

    def estimates(self, metric: Metric) -> Iterator[tuple[int, dict[UUID, Estimate | None]]]:
        if metric.quantile is not None:
            yield from self.quantiles(metric.quantile)
            return
        for bucket, so_far in self.moments(metric):
            yield bucket, {arm: moments.estimate() for arm, moments in so_far.items()}

    @cached_property
    def times(self) -> list[tuple[Any, ...]]:
        return self.ask(TIMES)

    def quantiles(self, at: float) -> Iterator[tuple[int, dict[UUID, Estimate | None]]]:
        for last in sorted({int(row[3]) for row in self.times}):
            yield last, self.quantile(at, last)

    def quantile(self, at: float, last: int) -> dict[UUID, Estimate | None]:
        """Of what was there by the end of that stretch."""
        by_arm: dict[UUID, list[tuple[float, Any]]] = {}
        for arm, took, unit, bucket in self.times:
            if bucket <= last:
                by_arm.setdefault(arm, []).append((float(took), unit))
        return {arm.id: intervals.quantile(by_arm.get(arm.id, []), at) for arm in self.arms}

    def whole(self, metric: Metric) -> dict[UUID, Estimate | None]:
        """What is known at the end."""
        if metric.quantile is not None:
            return self.quantile(metric.quantile, BUCKETS + 1)
        found: dict[UUID, Estimate | None] = {}
        for _bucket, estimates in self.estimates(metric):
            found = estimates
        return found

    def at(self, bucket: int) -> datetime:
        """The end of a stretch."""
        return min(self.until, self.begin + (self.end - self.begin) * bucket / BUCKETS)


def ask(query: str, exposed: Exposed, begin: datetime, until: datetime, end: datetime) -> list[tuple[Any, ...]]:
    """The rows of a query over the tasks that were exposed so, from `begin` on, in BUCKETS stretches up to `end`."""
    gaps = {name: getattr(exposed, name) for name in ("source", "exposed", "unit", "arm")}
    gaps["sums"] = ", ".join(f"coalesce(sum({name}), 0)::float8" for name in COLUMNS)
    for part, known in (("of_tasks", OF_TASKS), ("of_pages", OF_PAGES)):
        gaps[part] = ", ".join(f"{known.get(name, 0)} AS {name}" for name in COLUMNS)
    values: dict[str, Any] = {
        "value": exposed.value,
        "from": begin,
        "until": until,
        "begin": begin.timestamp(),
        "end": end.timestamp(),
        "buckets": BUCKETS,
        "window": timedelta(days=EDIT_DAYS),
        "no_texts": NO_TEXTS,
        "most": MOST_BEFORE,
    }
    with connection.cursor() as sql:
        sql.execute((TASKS + query).format(**gaps), values)
        return sql.fetchall()


def baseline(experiment: Experiment) -> Estimate | None:
    """The metric of the experiment as its target does anyway, over BASELINE_DAYS; None where that is not known."""
    metric = METRICS.get(experiment.metric)
    if metric is None or metric.quantile is not None or metric.of == "edited":
        return None
    now = timezone.now()
    units: dict[Any, tuple[float, float]] = {}
    begin = now - timedelta(days=BASELINE_DAYS)
    for unit, _arm, _bucket, *sums in ask(SUMS, Exposed.in_no_experiment(experiment), begin, now, now):
        columns = dict(zip(COLUMNS, sums, strict=True))
        y, x = units.get(unit, (0.0, 0.0))
        units[unit] = y + columns[metric.of], x + columns[metric.over]
    moments = Moments()
    for y, x in units.values():
        moments.add(y, x)
    return moments.estimate()


def distance(written: str, said: str) -> float:
    """How much of a text is not as it was written: 0 for nothing, 1 for all of it."""
    return Levenshtein.normalized_distance(written[:LONGEST_COMPARED], said[:LONGEST_COMPARED])
