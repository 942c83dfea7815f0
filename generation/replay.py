"""Reading the log: ranges for whoever follows, and a run as it stands at one number.

A range `(after, upto]` folds to the same text as its single events: deltas of one stream are joined as long as no other
event of their step stands between them.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from generation.models import Claim, Run, StepState
from memory.base.errors import InvalidInput, NotFound

MOST_BYTES = 1_000_000
MOST_ROWS = 20_000
DELTAS = ("content_delta", "reasoning_delta", "tool_call_delta")

Row = tuple[int, str, str, datetime]

READ = """
SELECT seq, type, data::text, at FROM generation_event WHERE run_id = %s AND seq > %s ORDER BY seq LIMIT %s
"""
# Only the last attempt of what is still being made: all other text has ended in a step.
OPEN_TEXT = """
SELECT s.key, s.attempts,
       coalesce(string_agg(e.data->>'text', '' ORDER BY e.seq) FILTER (WHERE e.type = 'reasoning_delta'), ''),
       coalesce(string_agg(e.data->>'text', '' ORDER BY e.seq) FILTER (WHERE e.type = 'content_delta'), '')
FROM generation_step s
LEFT JOIN generation_event e ON e.run_id = s.run_id AND e.type IN ('content_delta', 'reasoning_delta')
     AND e.data->>'step' = s.key AND (e.data->>'attempt')::int = s.attempts
WHERE s.run_id = %s AND s.state = %s GROUP BY s.key, s.attempts, s.started_at ORDER BY s.started_at
"""


@dataclass(frozen=True, slots=True)
class Range:
    """Events `(after, upto]`. `reset`: the place asked for was joined away; begin anew from a snapshot or from 0."""

    after: int
    upto: int
    state: str
    events: list[dict[str, Any]] = field(default_factory=list)
    reset: bool = False

    def as_data(self) -> dict[str, Any]:
        data = {"after": self.after, "upto": self.upto, "events": self.events, "state": self.state}
        return data | {"reset": True} if self.reset else data


def read(run_id: UUID, since: int, most_bytes: int = MOST_BYTES) -> Range:
    """What happened after `since`, up to about `most_bytes`; `upto` says how far it reaches.

    Raises `not_found.run`, and `validation.since` for a number the run has not reached.
    """
    claim = Claim.objects.filter(run_id=run_id).values("state", "last_seq", "run__is_joined").first()
    if claim is None:
        raise NotFound("run")
    if not 0 <= since <= claim["last_seq"]:
        raise InvalidInput("since", since=since, last_seq=claim["last_seq"])
    if claim["run__is_joined"] and 0 < since < claim["last_seq"]:
        return Range(since, since, claim["state"], reset=True)
    with connection.cursor() as sql:
        sql.execute(READ, [run_id, since, MOST_ROWS])
        events, upto, whole = join(sql.fetchall(), since, most_bytes)
    if whole and claim["run__is_joined"]:
        upto = claim["last_seq"]
    return Range(since, upto, claim["state"], events)


def join(rows: Iterable[Row], since: int, most_bytes: int) -> tuple[list[dict[str, Any]], int, bool]:
    """The rows as events with joined deltas, the number reached, and whether all rows were taken."""
    events: list[dict[str, Any]] = []
    streams: dict[tuple[str, str, int], list[str]] = {}
    size, upto = 0, since
    for seq, kind, text, at in rows:
        if size > most_bytes:
            return finish(events), upto, False
        data = orjson.loads(text)
        size += len(text) + 80
        upto = seq
        if kind in DELTAS:
            stream = (kind, data["step"], data["attempt"])
            if stream in streams:
                streams[stream].append(data["text"])
                continue
            end_attempts_but(streams, data["step"], data["attempt"])
            data["text"] = streams[stream] = [data["text"]]
        else:
            end_streams(streams, data.get("step") or data.get("key"))
        events.append({"seq": seq, "type": kind, "data": data, "at": at.isoformat(timespec="milliseconds")})
    return finish(events), upto, True


def end_attempts_but(streams: dict[tuple[str, str, int], list[str]], step: str, attempt: int) -> None:
    for stream in [stream for stream in streams if stream[1] == step and stream[2] != attempt]:
        del streams[stream]


def end_streams(streams: dict[tuple[str, str, int], list[str]], step: str | None) -> None:
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
    with connection.cursor() as sql:
        sql.execute(OPEN_TEXT, [run.id, StepState.RUNNING])
        return [
            {"step": step, "attempt": attempt, "reasoning": reasoning, "content": content}
            for step, attempt, reasoning, content in sql.fetchall()
        ]
