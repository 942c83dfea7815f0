"""Reading the log: ranges for whoever follows, and a run as it stands at one number.

A range `(after, upto]` folds to the same text as its single events: deltas of one stream are joined as long as no other
event of their step stands between them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from generation.models import Run, StepState
from generation.outbox import TEXT, Stream
from memory.base.errors import InvalidInput, NotFound

MOST_BYTES = 1_000_000
PAGE_ROWS = 1_000
DELTAS = ("content_delta", "reasoning_delta", "tool_call_delta")

Row = tuple[int, str, str, datetime]

STANDING = """
SELECT c.state, c.last_seq, r.is_joined FROM generation_claim c JOIN generation_run r ON r.id = c.run_id
WHERE c.run_id = %s
"""
READ = """
SELECT seq, type, data::text, at FROM generation_event WHERE run_id = %s AND seq > %s ORDER BY seq LIMIT %s
"""
# Only the last attempt of what is still being made: all other text has ended in a step.
OPEN_TEXT = """
SELECT s.run_id, s.key, s.attempts,
       coalesce(string_agg(e.data->>'text', '' ORDER BY e.seq) FILTER (WHERE e.type = 'reasoning_delta'), ''),
       coalesce(string_agg(e.data->>'text', '' ORDER BY e.seq) FILTER (WHERE e.type = 'content_delta'), '')
FROM generation_step s
LEFT JOIN generation_event e ON e.run_id = s.run_id AND e.type IN ('content_delta', 'reasoning_delta')
     AND e.data->>'step' = s.key AND (e.data->>'attempt')::int = s.attempts
WHERE s.run_id = ANY(%s) AND s.state = %s GROUP BY s.run_id, s.key, s.attempts, s.started_at ORDER BY s.started_at
"""


# What a reader at one number had before it of the steps that were open there: those that are open still, or were told
# of since. An attempt that came later begins anew.
TEXT_BEFORE = """
SELECT run_id, data->>'step', (data->>'attempt')::int AS attempt, '', string_agg(data->>'text', '' ORDER BY seq)
FROM generation_event
WHERE run_id = %(run)s AND seq <= %(seq)s AND type = 'content_delta' AND data->>'step' IN (
    SELECT key FROM generation_step WHERE run_id = %(run)s AND state = %(open)s
    UNION SELECT data->>'key' FROM generation_event WHERE run_id = %(run)s AND seq > %(seq)s AND type = 'step')
GROUP BY run_id, data->>'step', attempt ORDER BY attempt
"""


@dataclass(frozen=True, slots=True)
class Range:
    """Events `(after, upto]`. `reset`: the place asked for was joined away; begin anew from a snapshot or from 0."""

    after: int
    upto: int
    state: str
    events: list[dict[str, Any]] = field(default_factory=list)
    reset: bool = False


def read(run_id: UUID, since: int, most_bytes: int = MOST_BYTES, *, joined: bool = True) -> Range:
    """What happened after `since`, up to about `most_bytes`; `upto` says how far it reaches.

    Not `joined`, every delta comes by itself, under its own number. Raises `not_found.run`, and `validation.since` for
    a number the run has not reached.
    """
    with connection.cursor() as sql:
        state, last_seq, is_joined = standing_at(sql, run_id, since)
        if is_joined and 0 < since < last_seq:
            return Range(since, since, state, reset=True)
        events, upto, is_last = join(rows_after(sql, run_id, since), since, most_bytes, DELTAS if joined else ())
        # Joined between two pages, they do not belong together.
        if not is_joined and upto - since >= PAGE_ROWS and standing_at(sql, run_id, since)[2]:
            return read(run_id, since, most_bytes, joined=joined)
    return Range(since, last_seq if is_last and is_joined else upto, state, events)


def rows_after(sql: CursorWrapper, run_id: UUID, since: int) -> Iterator[Row]:
    """Page by page: who takes a range of a long log holds no more of it than that."""
    while True:
        sql.execute(READ, [run_id, since, PAGE_ROWS])
        rows: list[Row] = sql.fetchall()
        yield from rows
        if len(rows) < PAGE_ROWS:
            return
        since = rows[-1][0]


def check_reached(run_id: UUID, since: int) -> None:
    """`not_found.run` or `validation.since` where `read` would raise it, without reading."""
    with connection.cursor() as sql:
        standing_at(sql, run_id, since)


def standing_at(sql: CursorWrapper, run_id: UUID, since: int) -> tuple[str, int, bool]:
    """State, last number, and whether the deltas were joined, of a run that has reached `since`."""
    sql.execute(STANDING, [run_id])
    standing: tuple[str, int, bool] | None = sql.fetchone()
    if standing is None:
        raise NotFound("run")
    if not 0 <= since <= standing[1]:
        raise InvalidInput("since", since=since, last_seq=standing[1])
    return standing


def join(
    rows: Iterable[Row], since: int, most_bytes: int, joining: Sequence[str] = DELTAS
) -> tuple[list[dict[str, Any]], int, bool]:
    """The rows as events with deltas of these types joined, the number reached, and whether all rows were taken."""
    events: list[dict[str, Any]] = []
    streams: dict[Stream, list[str]] = {}
    size, upto = 0, since
    for seq, kind, text, at in rows:
        if size > most_bytes:
            return finish(events), upto, False
        data = orjson.loads(text)
        size += len(text) + 80
        upto = seq
        if kind in joining:
            stream = (kind, data["step"], data["attempt"], data.get("index", TEXT))
            if stream in streams:
                streams[stream].append(data["text"])
                continue
            end_attempts_but(streams, data["step"], data["attempt"])
            data["text"] = streams[stream] = [data["text"]]
        else:
            end_streams(streams, data.get("step") or data.get("key"))
        events.append({"seq": seq, "type": kind, "data": data, "at": at.isoformat(timespec="milliseconds")})
    return finish(events), upto, True


def end_attempts_but(streams: dict[Stream, list[str]], step: str, attempt: int) -> None:
    for stream in [stream for stream in streams if stream[1] == step and stream[2] != attempt]:
        del streams[stream]


def end_streams(streams: dict[Stream, list[str]], step: str | None) -> None:
    for stream in [stream for stream in streams if step is None or stream[1] == step]:
        del streams[stream]


def finish(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for event in events:
        if event["type"] in DELTAS:
            event["data"]["text"] = "".join(event["data"]["text"])
    return events


@contextmanager
def one_moment() -> Iterator[None]:
    """All reads inside see the database as it stood at the first of them."""
    with transaction.atomic():
        with connection.cursor() as sql:
            sql.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def open_text(run: Run) -> list[dict[str, Any]]:
    """The text of the steps that are being made now, joined."""
    return [
        {"step": text.step, "attempt": text.attempt, "reasoning": text.reasoning, "content": text.content}
        for text in open_texts([run.id])
    ]


class OpenText(NamedTuple):
    run_id: UUID
    step: str
    attempt: int
    reasoning: str
    content: str


def open_texts(runs: Sequence[UUID]) -> list[OpenText]:
    """The same of several runs."""
    if not runs:
        return []
    with connection.cursor() as sql:
        sql.execute(OPEN_TEXT, [list(runs), StepState.RUNNING])
        return [OpenText(*row) for row in sql.fetchall()]


def texts_before(run_id: UUID, seq: int) -> list[OpenText]:
    """What the steps that were open at this number had written by then, each one's last attempt; no reasoning."""
    with connection.cursor() as sql:
        sql.execute(TEXT_BEFORE, {"run": run_id, "seq": seq, "open": StepState.RUNNING})
        latest = {text.step: text for text in (OpenText(*row) for row in sql.fetchall())}
    return list(latest.values())
