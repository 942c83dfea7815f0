"""What must be true of runs whatever was killed, as SQL: each rule finds the rows that break it and says so.

I1 the log is contiguous and ends once. I3 steps, text and events tell the same. I4 nothing works without a live owner.
I5 what was recorded was recorded once and paid once. I6 every request the provider counted is a call of ours. (I2, what
followers saw, is `followers.Reader`.)
"""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from tests.generation.history_model import State, put
from tests.patience import PATIENCE_SECONDS

Sql = psycopg.Connection[tuple[Any, ...]]

ENDED = "('done', 'partial', 'failed', 'cancelled')"
RECORDED = "('done', 'fallback', 'failed')"
CRASHES_TO_FAIL = 3  # what generation.claims says; whoever judges from outside loads no Django
BLANKS = r"E' \n\t\r'"


@dataclass(frozen=True)
class Rule:
    """`sql` gives the rows that break the rule, to fill the sentence with."""

    sentence: str
    sql: str


RULES = (
    Rule(
        "run {}: {} events, {} numbers from {} to {}, but the claim says {}",
        """
        SELECT c.run_id, count(e.seq), count(DISTINCT e.seq), min(e.seq), max(e.seq), c.last_seq
        FROM generation_claim c JOIN generation_run r ON r.id = c.run_id AND NOT r.is_joined
        LEFT JOIN generation_event e USING (run_id) WHERE c.run_id = ANY(%(runs)s) GROUP BY c.run_id, c.last_seq
        HAVING count(e.seq) <> c.last_seq OR count(DISTINCT e.seq) <> c.last_seq
            OR min(e.seq) IS DISTINCT FROM 1 OR max(e.seq) IS DISTINCT FROM c.last_seq
        """,
    ),
    Rule(
        "run {} is {} and has {} done events, the last with number {} of {}, which says {}",
        f"""
        SELECT c.run_id, c.state, count(e.seq), max(e.seq), c.last_seq, max(e.data->>'state')
        FROM generation_claim c LEFT JOIN generation_event e ON e.run_id = c.run_id AND e.type = 'done'
        WHERE c.run_id = ANY(%(runs)s) GROUP BY c.run_id, c.state, c.last_seq
        HAVING count(e.seq) <> (c.state IN {ENDED})::int
            OR (c.state IN {ENDED} AND (max(e.seq) <> c.last_seq OR max(e.data->>'state') <> c.state))
        """,
    ),
    Rule(
        "run {} is {} with owner {!r}, lease {}, finished at {}, progress {}, error {}",
        f"""
        SELECT c.run_id, c.state, c.owner, c.lease_until, r.finished_at, r.progress, r.error
        FROM generation_claim c JOIN generation_run r ON r.id = c.run_id WHERE c.run_id = ANY(%(runs)s) AND (
            (c.state = 'running') <> (c.owner <> '') OR (c.state = 'running') <> (c.lease_until IS NOT NULL)
            OR (c.state IN {ENDED}) <> (r.finished_at IS NOT NULL)
            OR (c.state IN ('done', 'partial')) <> (r.progress = 100)
            OR (c.state = 'failed') <> (r.error IS NOT NULL)
        )
        """,
    ),
    Rule(
        "run {} is running, but the lease of {} ended {} ago",
        """
        SELECT run_id, owner, now() - lease_until FROM generation_claim
        WHERE run_id = ANY(%(runs)s) AND state = 'running' AND lease_until < now()
        """,
    ),
    Rule(
        "run {} failed by an error that no type foresaw: {}",
        """
        SELECT id, error->>'error_code' FROM generation_run
        WHERE id = ANY(%(runs)s) AND error->>'error_code' LIKE 'internal.%%'
        """,
    ),
    Rule(
        "run {} was taken for the cause of its crashes after {} since its last step",
        f"""
        SELECT r.id, count(e.seq) + 1 FROM generation_run r LEFT JOIN generation_event e
            ON e.run_id = r.id AND e.type = 'status' AND e.data->>'reason' = 'crashed' AND e.seq > (
                SELECT coalesce(max(s.seq), 0) FROM generation_event s
                WHERE s.run_id = r.id AND s.type = 'step' AND s.data->>'state' IN {RECORDED}
            )
        WHERE r.id = ANY(%(runs)s) AND r.error->>'error_code' = 'run.crashed'
        GROUP BY r.id HAVING count(e.seq) + 1 < {CRASHES_TO_FAIL}
        """,
    ),
    Rule(
        "run {}: progress fell to {} at event {}",
        """
        SELECT run_id, progress, seq FROM (
            SELECT run_id, seq, (data->>'progress')::float AS progress,
                   lag((data->>'progress')::float) OVER (PARTITION BY run_id ORDER BY seq) AS before
            FROM generation_event WHERE run_id = ANY(%(runs)s) AND data ? 'progress'
        ) p WHERE progress < before
        """,
    ),
    Rule(
        "run {}: step {} has {} rows",
        """
        SELECT run_id, key, count(*) FROM generation_step WHERE run_id = ANY(%(runs)s)
        GROUP BY run_id, key HAVING count(*) > 1
        """,
    ),
    Rule(
        "run {} has ended, its step {} is {}",
        f"""
        SELECT s.run_id, s.key, s.state FROM generation_step s JOIN generation_claim c USING (run_id)
        WHERE s.run_id = ANY(%(runs)s) AND c.state IN {ENDED} AND s.state IN ('running', 'waiting')
        """,
    ),
    Rule(
        "run {}: step {} is {} and was recorded {} times in the log",
        f"""
        SELECT s.run_id, s.key, s.state, count(e.seq) FROM generation_step s
        LEFT JOIN generation_event e ON e.run_id = s.run_id AND e.type = 'step' AND e.data->>'key' = s.key
            AND e.data->>'state' IN {RECORDED}
        WHERE s.run_id = ANY(%(runs)s) GROUP BY s.run_id, s.key, s.state
        HAVING count(e.seq) <> (s.state IN {RECORDED})::int
        """,
    ),
    Rule(
        "run {}: the log records step {}, which is {} in the rows",
        f"""
        SELECT e.run_id, e.data->>'key', s.state FROM generation_event e
        LEFT JOIN generation_step s ON s.run_id = e.run_id AND s.key = e.data->>'key'
        WHERE e.run_id = ANY(%(runs)s) AND e.type = 'step' AND e.data->>'state' IN {RECORDED}
            AND s.state IS DISTINCT FROM e.data->>'state'
        """,
    ),
    Rule(
        "run {}: step {} recorded {} characters, the deltas of its last attempt {} have {}",
        f"""
        SELECT s.run_id, s.key, length(s.text), s.attempts, length(d.text) FROM generation_step s
        CROSS JOIN LATERAL (
            SELECT coalesce(string_agg(e.data->>'text', '' ORDER BY e.seq), '') AS text FROM generation_event e
            WHERE e.run_id = s.run_id AND e.type = 'content_delta' AND e.data->>'step' = s.key
                AND (e.data->>'attempt')::int = s.attempts
        ) d
        WHERE s.run_id = ANY(%(runs)s) AND s.state IN {RECORDED} AND s.copied_from IS NULL AND d.text <> s.text
        """,
    ),
    Rule(
        "run {}: step {} streamed its attempt {} after its attempt {} had begun, at event {}",
        """
        SELECT run_id, step, attempt, highest, seq FROM (
            SELECT run_id, seq, type, coalesce(data->>'step', data->>'key') AS step, (data->>'attempt')::int AS attempt,
                   max((data->>'attempt')::int) OVER (
                       PARTITION BY run_id, coalesce(data->>'step', data->>'key') ORDER BY seq) AS highest
            FROM generation_event WHERE run_id = ANY(%(runs)s) AND data ? 'attempt'
        ) e WHERE type IN ('content_delta', 'reasoning_delta') AND attempt < highest
        """,
    ),
    Rule(
        "run {}: step {} was recorded at event {}, and its text went on at event {}",
        f"""
        SELECT r.run_id, r.data->>'key', r.seq, d.seq FROM generation_event r
        JOIN generation_event d ON d.run_id = r.run_id AND d.data->>'step' = r.data->>'key'
            AND d.type IN ('content_delta', 'reasoning_delta')
        WHERE r.run_id = ANY(%(runs)s) AND r.type = 'step' AND r.data->>'state' IN {RECORDED} AND d.seq > r.seq
        """,
    ),
    Rule(
        "run {}: step {} was recorded at event {}, and a call for it begun at event {}",
        f"""
        SELECT r.run_id, r.data->>'key', r.seq, m.seq FROM generation_event r
        JOIN generation_event m ON m.run_id = r.run_id AND m.type = 'model' AND m.data->>'step' = r.data->>'key'
        WHERE r.run_id = ANY(%(runs)s) AND r.type = 'step' AND r.data->>'state' IN {RECORDED} AND m.seq > r.seq
        """,
    ),
    Rule(
        "run {}: attempt {} of step {} has {} calls and was told {} times",
        """
        SELECT run_id, attempt, step, sum(calls), sum(told) FROM (
            SELECT run_id, step, attempt, 1 AS calls, 0 AS told FROM generation_call WHERE run_id = ANY(%(runs)s)
            UNION ALL
            SELECT run_id, data->>'step', (data->>'attempt')::int, 0, 1 FROM generation_event
            WHERE run_id = ANY(%(runs)s) AND type = 'model'
        ) b GROUP BY run_id, attempt, step HAVING sum(calls) <> 1 OR sum(told) <> 1
        """,
    ),
    Rule(
        "run {}: step {} is done by attempt {}, whose call is {}",
        """
        SELECT s.run_id, s.key, s.attempts, c.state FROM generation_step s
        LEFT JOIN generation_call c ON c.run_id = s.run_id AND c.step = s.key AND c.attempt = s.attempts
        WHERE s.run_id = ANY(%(runs)s) AND s.state = 'done' AND s.copied_from IS NULL
            AND c.state IS DISTINCT FROM 'done'
            AND EXISTS (SELECT 1 FROM generation_call o WHERE o.run_id = s.run_id AND o.step = s.key)
        """,
    ),
    Rule(
        "run {}: a call for step {} is done without a finish reason",
        """
        SELECT run_id, step FROM generation_call
        WHERE run_id = ANY(%(runs)s) AND state = 'done' AND finish_reason = ''
        """,
    ),
    Rule(
        "run {} has ended, its call for step {} is still open",
        f"""
        SELECT k.run_id, k.step FROM generation_call k JOIN generation_claim c USING (run_id)
        WHERE k.run_id = ANY(%(runs)s) AND k.state = 'sent' AND c.state IN {ENDED}
        """,
    ),
)


def check(sql: Sql, runs: Sequence[UUID], requests: Iterable[Mapping[str, Any]] | None = None) -> list[str]:
    """Every violation as a sentence. `requests` is the demo model's log; all its requests must be of these runs."""
    found = []
    for rule in RULES:
        found += [rule.sentence.format(*row) for row in sql.execute(rule.sql, {"runs": list(runs)}).fetchall()]
    return found if requests is None else [*found, *check_requests(sql, runs, requests)]


def check_requests(sql: Sql, runs: Sequence[UUID], requests: Iterable[Mapping[str, Any]]) -> list[str]:
    """Calls and what the provider counted: nothing unaccounted for, nothing sent twice, nothing invented."""
    served = Counter(request["id"] for request in requests)
    query = "SELECT id::text, state, step FROM generation_call WHERE run_id = ANY(%s)"
    calls = {call: (state, step) for call, state, step in sql.execute(query, [list(runs)]).fetchall()}
    strange = [f"the provider served {request!r}, which is no call" for request in served if request not in calls]
    twice = [f"call {call} was sent {times} times" for call, times in served.items() if times > 1]
    unseen = [
        f"call {call} for step {step} is done, but the provider never saw it"
        for call, (state, step) in calls.items()
        if state == "done" and call not in served
    ]
    return strange + twice + unseen


DOCUMENT_RULES = (
    Rule(
        "run {}: step {} wrote {} of {} {} times",
        """
        SELECT run_id, step, path, object_id, count(*) FROM memory_change
        WHERE run_id = ANY(%(runs)s) AND author = 'recipe' GROUP BY run_id, step, path, object_id HAVING count(*) > 1
        """,
    ),
    Rule(
        "object {} is at version {}, its changes say {} of {}",
        """
        SELECT o.id, o.version, max(c.version), count(DISTINCT c.version)
        FROM (SELECT id, version, id AS root FROM generation_document
              UNION ALL SELECT id, version, document_id FROM generation_section) o
        JOIN generation_run r ON r.document_id = o.root AND r.id = ANY(%(runs)s)
        LEFT JOIN memory_change c ON c.object_id = o.id
        GROUP BY o.id, o.version HAVING o.version IS DISTINCT FROM max(c.version)
            OR o.version <> count(DISTINCT c.version)
        """,
    ),
    Rule(
        "run {}: step {} is recorded, but section {} holds other text",
        f"""
        SELECT s.run_id, s.key, x.id FROM generation_step s JOIN generation_run r ON r.id = s.run_id
        JOIN generation_section x ON x.document_id = r.document_id AND x.key = s.key AND x.type = 'section'
        WHERE s.run_id = ANY(%(runs)s) AND s.state = 'done' AND x.fields->>'content' <> btrim(s.text, {BLANKS})
        """,
    ),
    Rule(
        "run {}: step {} is recorded, but its section is {}",
        """
        SELECT s.run_id, s.key, coalesce(x.status, 'missing') FROM generation_step s
        JOIN generation_run r ON r.id = s.run_id AND r.document_id IS NOT NULL
        LEFT JOIN generation_section x ON x.document_id = r.document_id AND x.key = s.key
        WHERE s.run_id = ANY(%(runs)s) AND s.state = 'done' AND s.key ~ '(section-|/lesson$|/exercises|/evaluation$)'
            AND x.status IS DISTINCT FROM 'ready'
        """,
    ),
    Rule(
        "run {}: lesson {} is recorded, but part {} is called {!r} and holds other text or none",
        f"""
        SELECT s.run_id, s.key, p.n, x.fields->>'title' FROM generation_step s
        JOIN generation_run r ON r.id = s.run_id AND r.document_id IS NOT NULL
        CROSS JOIN LATERAL jsonb_array_elements(s.result->'parts') WITH ORDINALITY p(said, n)
        LEFT JOIN generation_section x ON x.document_id = r.document_id AND x.key = s.key || '/part-' || p.n
            AND x.present
        WHERE s.run_id = ANY(%(runs)s) AND s.state = 'done' AND s.key ~ '/lesson$' AND (
            x.fields->>'title' IS DISTINCT FROM btrim(p.said->>'title', {BLANKS})
            OR x.fields->>'content' IS DISTINCT FROM btrim(p.said->>'content', {BLANKS}))
        """,
    ),
    Rule(
        "run {}: lesson {} has {} parts, the document {}",
        """
        SELECT s.run_id, s.key, jsonb_array_length(s.result->'parts'), count(x.id) FROM generation_step s
        JOIN generation_run r ON r.id = s.run_id AND r.document_id IS NOT NULL
        LEFT JOIN generation_section x ON x.document_id = r.document_id AND x.key ~ ('^' || s.key || '/part-')
            AND x.present
        WHERE s.run_id = ANY(%(runs)s) AND s.state = 'done' AND s.key ~ '/lesson$' GROUP BY s.run_id, s.key, s.result
        HAVING jsonb_array_length(s.result->'parts') <> count(x.id)
        """,
    ),
    Rule(
        "run {}: step {} recorded {} questions, its section holds {} or others",
        """
        SELECT s.run_id, s.key, jsonb_array_length(s.result), jsonb_array_length(x.fields->'questions')
        FROM generation_step s JOIN generation_run r ON r.id = s.run_id AND r.document_id IS NOT NULL
        LEFT JOIN generation_section x ON x.document_id = r.document_id AND x.key = s.key AND x.present
        WHERE s.run_id = ANY(%(runs)s) AND s.state = 'done' AND s.key ~ '(/block-[0-9]+|/evaluation)$'
            AND x.fields->'questions' IS DISTINCT FROM nullif(s.result, '[]')
        """,
    ),
)


def check_documents(sql: Sql, runs: Sequence[UUID]) -> list[str]:
    """What was written stands as it was recorded, each change once, and the history tells all of it."""
    found = []
    for rule in DOCUMENT_RULES:
        found += [rule.sentence.format(*row) for row in sql.execute(rule.sql, {"runs": list(runs)}).fetchall()]
    return [*found, *check_histories(sql, runs)]


STATES = """
SELECT o.id, o.fields || jsonb_strip_nulls(o.columns) FROM (
    SELECT id, id AS root, fields, jsonb_build_object(
        'title', title, 'language', language, 'folder', folder_id, 'status', status, 'present', present) AS columns
    FROM generation_document
    UNION ALL SELECT id, document_id, fields, jsonb_build_object(
        'parent', parent_id, 'rank', rank, 'present', present, 'status', status, 'locked', locked)
        || jsonb_build_object('fallback', nullif(fallback, 'null'))
    FROM generation_section
) o JOIN generation_run r ON r.document_id = o.root AND r.id = ANY(%(runs)s)
"""
CHANGES = """
SELECT c.object_id, c.path, c.after, c.place FROM memory_change c
JOIN generation_run r ON r.document_id = c.root_id AND r.id = ANY(%(runs)s) ORDER BY c.version, c.id
"""


def check_histories(sql: Sql, runs: Sequence[UUID]) -> list[str]:
    """Each object is what its changes, one after the other, make of nothing."""
    replayed: defaultdict[UUID, State] = defaultdict(dict)
    for thing, path, after, place in sql.execute(CHANGES, {"runs": list(runs)}).fetchall():
        put(replayed[thing], path, after, place)
    return [
        f"object {thing} is not what its changes make of it: {sorted(differences)}"
        for thing, state in sql.execute(STATES, {"runs": list(runs)}).fetchall()
        if (differences := differing(state, replayed[thing]))
    ]


def differing(one: State, other: State) -> set[str]:
    return {name for name in {*one, *other} if not is_same(one.get(name), other.get(name))}


def is_same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


OPEN = f"""
SELECT c.run_id, c.state, c.reason, c.owner, c.crashes, (SELECT count(*) FROM generation_call k
    WHERE k.run_id = c.run_id AND k.state = 'sent')
FROM generation_claim c WHERE c.run_id = ANY(%(runs)s) AND (
    c.state NOT IN {ENDED} OR EXISTS (SELECT 1 FROM generation_call k WHERE k.run_id = c.run_id AND k.state = 'sent'))
"""


def until_settled(sql: Sql, runs: Sequence[UUID], within: float = PATIENCE_SECONDS) -> None:
    """Returns once all runs have ended and their calls are settled."""
    until = time.monotonic() + within
    while still := sql.execute(OPEN, {"runs": list(runs)}).fetchall():
        assert time.monotonic() < until, f"not settled after {within} s: {still}"
        time.sleep(0.1)


def states(sql: Sql, runs: Sequence[UUID]) -> Counter[str]:
    """How the runs ended: `failed` with its error's code."""
    query = """
        SELECT c.state || coalesce(' ' || (r.error->>'error_code'), '')
        FROM generation_claim c JOIN generation_run r ON r.id = c.run_id WHERE c.run_id = ANY(%s)
    """
    return Counter(str(state) for (state,) in sql.execute(query, [list(runs)]).fetchall())


def recorded_texts(sql: Sql, runs: Sequence[UUID]) -> dict[tuple[UUID, str], str]:
    """What each recorded step says, by run and key."""
    query = f"SELECT run_id, key, text FROM generation_step WHERE run_id = ANY(%s) AND state IN {RECORDED}"
    return {(run, key): text for run, key, text in sql.execute(query, [list(runs)]).fetchall()}
