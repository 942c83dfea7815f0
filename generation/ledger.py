"""The owner's pen on one run: all it writes goes through here, in order, under the fence, with what it tells."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from generation.budgets import Room
from generation.claims import after_commit, count_active_seconds, lock
from generation.events import LOST_CONNECTION, Cursor, Draft, LostClaim, record
from generation.models import Run, RunState, Step
from generation.outbox import Outbox
from generation.rings import ring_batches, ring_run
from generation.tide import Tide
from memory.base.database import db, finished

T = TypeVar("T")
Write = Callable[[], object]


class Cancelled(BaseException):
    """A person cancelled the run."""


class Ledger:
    """`steps` is what the run has recorded so far, by key; `has_crashed`: not since its last recorded step."""

    def __init__(
        self, run: Run, cursor: Cursor, outbox: Outbox, steps: dict[str, Step], tide: Tide | None = None
    ) -> None:
        self.run = run
        self.cursor = cursor
        self.outbox = outbox
        self.steps = steps
        self.tide = tide or Tide()
        self.has_crashed = False
        self.settlements: set[Write] = set()
        self.room = Room()
        self.failure: Exception | None = None

    async def record(
        self,
        drafts: Sequence[Draft],
        write: Callable[[], T] | None = None,
        tell: Callable[[T | None], Sequence[Draft]] = lambda written: (),
        **claim_changes: Any,
    ) -> T | None:
        """One fenced transaction: all that was told and deferred so far, then `write`, told by these drafts and `tell`.

        It ends even when the caller is cancelled. Raises LostClaim, or what `write` raised; then nothing is written.
        """
        return await finished(asyncio.ensure_future(self._record(drafts, write, tell, claim_changes)))

    async def _record(
        self,
        drafts: Sequence[Draft],
        write: Callable[[], T] | None,
        tell: Callable[[T | None], Sequence[Draft]],
        claim_changes: dict[str, Any],
    ) -> T | None:
        async with self.outbox.lock:
            if self.failure:
                failure, self.failure = self.failure, None
                raise failure
            told, writes = self.outbox.take(), self.outbox.take_writes()
            if not told and not drafts and write is None:
                return None

            stood, tried = self.cursor.last_seq, list[Write]()

            def write_all() -> T | None:
                for deferred in writes:
                    tried[:] = [deferred]
                    deferred()
                tried.clear()
                return write() if write else None

            try:
                batch, written = await db(
                    partial(record, self.cursor, [*told, *drafts], write_all, tell, **claim_changes)
                )
            except BaseException as error:
                if self.cursor.last_seq != stood:
                    raise  # it is in: what went wrong came after
                if isinstance(error, (*LOST_CONNECTION, LostClaim)):
                    self.outbox.put_back(told, writes)
                    raise
                # What a deferred write cannot do once it can never do: it must not stop the run's end. The others wait.
                self.outbox.put_back(told, [deferred for deferred in writes if deferred not in tried])
                raise
            self.settlements.difference_update(writes)
        ring_batches([batch])
        return written

    async def let_go(
        self, drafts: Sequence[Draft], write: Write = lambda: None, *, state: RunState, reason: str = ""
    ) -> None:
        """Record that nobody carries the run any more, and why, with `write`: it waits, or is queued again.

        Raises Cancelled when a person has asked for its end. The carrier may not have heard of it yet, and once the
        run is let go it would never act on it.
        """

        def write_all() -> None:
            claim = lock(self.run.id)
            if claim.cancel_requested:
                raise Cancelled
            write()
            count_active_seconds(self.run, claim)
            after_commit(lambda: ring_run(self.run))

        await self.record(drafts, write_all, state=state, reason=reason, owner="", lease_until=None)

    async def record_deferred(self) -> None:
        """Write what was deferred and no other transaction has taken along. A failure is the next record's."""
        try:
            await self.record([])
        except Exception as failure:  # noqa: BLE001 kept for whoever records next
            self.failure = failure

    def settle_call(self, draft: Draft, write: Write) -> None:
        """Tell and record what a call used: with the next transaction, or by itself should the claim be lost."""
        self.settlements.add(write)
        self.outbox.defer(draft, write)
        self.room.tell()  # whoever asks for room now writes what was deferred first
