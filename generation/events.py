"""The numbered log of a run, and the fence in front of it.

Every write of a run's owner goes through `record`: what it writes, the claim's new `last_seq` and the events that tell
it are one transaction, made only while the claim still bears the owner's epoch and the number the owner last saw.
Because the owner alone moves that number, a commit whose answer was lost can be recognised and is never made twice.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import orjson
from django.db import InterfaceError, OperationalError, connection, transaction

from generation.models import Claim, RunState
from memory.base.text import clean_json
from memory.models import Change

P = ParamSpec("P")
T = TypeVar("T")

LOST_CONNECTION = (OperationalError, InterfaceError)
PATIENCE_SECONDS = 120  # how long an owner tries to reach PostgreSQL again; its lease decides what that is worth

INSERT = """
INSERT INTO generation_event (run_id, seq, type, data, at)
SELECT %(run)s, e.seq, e.type, e.data::jsonb, %(at)s
FROM unnest(%(seqs)s::bigint[], %(types)s::text[], %(data)s::text[]) AS e(seq, type, data)
"""
# The fence: nothing is inserted unless the claim is still ours and stands where we left it.
APPEND = f"""
WITH moved AS (
    UPDATE generation_claim SET last_seq = %(upto)s{{changes}}
    WHERE run_id = %(run)s AND epoch = %(epoch)s AND last_seq = %(after)s AND state = 'running' RETURNING 1
) {INSERT} WHERE EXISTS (SELECT FROM moved)
"""  # noqa: S608 constant SQL; values are parameters


class LostClaim(BaseException):
    """Somebody else owns the run now. Not an Exception: no recipe may catch it and go on."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that has no number yet. `data` is JSON text, cleaned."""

    type: str
    data: str

    @classmethod
    def of(cls, type: str, **data: Any) -> "Draft":
        return cls(type, orjson.dumps(clean_json(data)).decode())


def objects_changed(changes: Iterable[Change], step: str) -> list[Draft]:
    """What followers are told of these changes: each object once, as it stands after the last of them."""
    return [
        Draft.of(
            "object",
            object=change.object_type,
            id=str(change.object_id),
            version=change.version,
            change=str(change.pk),
            step=step,
        )
        for change in {change.object_id: change for change in changes}.values()
    ]


@dataclass(slots=True)
class Cursor:
    """Where the owner of a claim stands: its epoch, and the number of the run's last event it has written."""

    run_id: UUID
    epoch: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Events `(after, upto]` of one run, written: what is rung to followers."""

    run_id: UUID
    after: int
    drafts: Sequence[Draft]
    state: str = RunState.RUNNING
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def upto(self) -> int:
        return self.after + len(self.drafts)

    def numbered(self) -> Iterable[tuple[int, Draft]]:
        return enumerate(self.drafts, self.after + 1)


def record(
    cursor: Cursor,
    drafts: Sequence[Draft],
    write: Callable[[], T] | None = None,
    tell: Callable[[T | None], Sequence[Draft]] = lambda written: (),
    **claim_changes: Any,
) -> tuple[Batch, T | None]:
    """Make `write` and tell it by `drafts` and what `tell` says of it (one at least), in one transaction in the fence.

    The cursor moves only when the transaction is in. A lost connection is tried again for PATIENCE_SECONDS.
    Raises LostClaim when the claim is no longer the cursor's; whatever `write` raises rolls everything back.
    """
    batch: Batch | None = None
    written: T | None = None
    for pause in pauses():
        try:
            if batch and has_landed(cursor, batch):
                break
            with transaction.atomic(durable=True):
                written = write() if write else None
                told = [*drafts, *tell(written)]
                batch = Batch(cursor.run_id, cursor.last_seq, told, claim_changes.get("state", RunState.RUNNING))
                append(cursor, batch, claim_changes)
            break
        except LOST_CONNECTION:
            connection.close()
            if pause is None:
                raise
            time.sleep(pause)
    if batch is None:
        raise AssertionError("patience ends by raising")
    cursor.last_seq = batch.upto
    return batch, written


def append(cursor: Cursor, batch: Batch, claim_changes: dict[str, Any]) -> None:
    """Move the claim and insert the events: last of a transaction, so that the narrow row is locked briefly."""
    changes = "".join(f", {column} = %({column})s" for column in claim_changes)
    with connection.cursor() as sql:
        sql.execute(
            APPEND.format(changes=changes),
            {**claim_changes, **columns(batch), "epoch": cursor.epoch, "after": batch.after, "upto": batch.upto},
        )
        if sql.rowcount != len(batch.drafts):
            raise LostClaim(cursor.run_id)


def columns(batch: Batch) -> dict[str, Any]:
    return {
        "run": batch.run_id,
        "at": batch.at,
        "seqs": [seq for seq, _ in batch.numbered()],
        "types": [draft.type for draft in batch.drafts],
        "data": [draft.data for draft in batch.drafts],
    }


def insert(batch: Batch) -> None:
    with connection.cursor() as sql:
        sql.execute(INSERT, columns(batch))


def has_landed(cursor: Cursor, batch: Batch) -> bool:
    """Whether the transaction whose answer was lost is in: nobody else moves `last_seq` under our epoch."""
    epoch, last_seq = Claim.objects.values_list("epoch", "last_seq").get(run_id=cursor.run_id)
    if epoch != cursor.epoch:
        raise LostClaim(cursor.run_id)
    return bool(last_seq == batch.upto)


def patiently(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do what may safely be done twice (a read, a write of the same values), again while the database is away."""
    for pause in pauses():
        try:
            return work(*args, **kwargs)
        except LOST_CONNECTION:
            connection.close()
            if pause is None:
                raise
            time.sleep(pause)
    raise AssertionError("patience ends by raising")


def pauses() -> Iterable[float | None]:
    """Seconds to wait before each next try; None when patience is at its end."""
    started = time.monotonic()
    for n in itertools.count():
        yield min(0.1 * 2**n, 2.0) if time.monotonic() - started < PATIENCE_SECONDS else None
