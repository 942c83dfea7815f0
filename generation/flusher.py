"""The tick: gathers what all carried runs have to tell and writes it by one statement, as often as readers can feel.

The first word goes out at once; then at most one flush per tick. The tick grows with the number of streams, and with
the time the database takes.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import structlog

from generation.events import Batch, Draft, LostClaim
from generation.flush import Flushed, Outcome, Pending, connect, flush
from generation.ledger import Ledger
from generation.rings import ring_batches
from generation.tide import Tide
from memory.base import metrics
from memory.base.database import finished

log = structlog.get_logger()

QUICK_TICK = 0.010  # up to FEW streams
TICK = 0.025
SLOW_TICK = 0.100
FEW = 10
TICK_PER_STREAM = 0.0006  # past 40 streams: fewer, fuller frames, before a core is full
BUSY_SHARE = 4  # a flush may take this part of its tick; a slower database stretches the tick
PAUSES = (0.1, 0.3, 1.0, 2.0)

Told = tuple[Ledger, list[Draft]]


class Flusher:
    def __init__(self, on_cancel: Callable[[UUID], None], on_lost: Callable[[UUID], None]) -> None:
        self.on_cancel = on_cancel
        self.on_lost = on_lost
        self.ledgers: dict[UUID, Ledger] = {}
        self.dirty = asyncio.Event()
        self.tide = Tide()
        self.recording: set[asyncio.Future[None]] = set()
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self.sql: psycopg.Connection[tuple[object, ...]] | None = None

    def add(self, ledger: Ledger) -> None:
        self.ledgers[ledger.run.id] = ledger

    def remove(self, ledger: Ledger) -> None:
        if self.ledgers.get(ledger.run.id) is ledger:  # else it was taken again meanwhile
            del self.ledgers[ledger.run.id]

    def wake(self) -> None:
        self.dirty.set()

    async def run(self) -> None:
        while True:
            await self.dirty.wait()
            while self.dirty.is_set():
                self.dirty.clear()
                self.tide.hold()
                started = time.monotonic()
                streams = await self.once()
                await asyncio.sleep(tick(streams, time.monotonic() - started))
                await self.tide.turn()
            self.tide.rest()

    async def close(self) -> None:
        await self.once()
        await asyncio.get_running_loop().run_in_executor(self.executor, self.disconnect)
        self.executor.shutdown(wait=False)

    async def once(self) -> int:
        """Write what is pending now; how many runs had something to tell."""
        self.record_deferred()
        ready = [ledger for ledger in self.ledgers.values() if ledger.outbox.can_be_flushed()]
        for ledger in ready:
            await ledger.outbox.lock.acquire()  # free, so this does not wait
        try:
            # What was deferred while we waited for a lock is not ours to write.
            told = [(ledger, ledger.outbox.take()) for ledger in ready if not ledger.outbox.writes]
            if told:
                await finished(asyncio.ensure_future(self.write(told)))
        finally:
            for ledger in ready:
                ledger.outbox.lock.release()
        return len(ready)

    def record_deferred(self) -> None:
        """Events that come with writes need a transaction of their own run."""
        for ledger in self.ledgers.values():
            if ledger.outbox.is_due():
                task = asyncio.ensure_future(self.record(ledger))
                self.recording.add(task)
                task.add_done_callback(self.recording.discard)

    async def record(self, ledger: Ledger) -> None:
        try:
            await ledger.record_deferred()
        except LostClaim:
            self.on_lost(ledger.run.id)

    async def write(self, told: Sequence[Told]) -> None:
        pending = [
            Pending(Batch(ledger.run.id, ledger.cursor.last_seq, drafts), ledger.cursor.epoch)
            for ledger, drafts in told
        ]
        try:
            with metrics.event_flush.time():
                flushed = await self.until_answered(pending)
        except BaseException:
            for ledger, drafts in told:  # if they are in after all, the fence stops whoever writes them again
                ledger.outbox.put_back(drafts)
            raise
        written = []
        for (ledger, drafts), item in zip(told, pending, strict=True):
            if self.settle(ledger, drafts, item, flushed[item.batch.run_id]):
                written.append(item.batch)
        ring_batches(written)

    def settle(self, ledger: Ledger, drafts: list[Draft], item: Pending, flushed: Flushed) -> bool:
        if flushed.outcome is Outcome.BUSY:
            ledger.outbox.put_back(drafts)
        elif flushed.outcome is Outcome.LOST:
            self.on_lost(ledger.run.id)
        else:
            ledger.cursor.last_seq = item.batch.upto
        if flushed.cancel_requested:
            self.on_cancel(ledger.run.id)
        return flushed.outcome is Outcome.WRITTEN

    async def until_answered(self, pending: Sequence[Pending]) -> dict[UUID, Flushed]:
        """The same batches again and again while the database is away: a batch that was in is recognised."""
        loop = asyncio.get_running_loop()
        tries = 0
        while True:
            try:
                return await loop.run_in_executor(self.executor, self.flush, pending)
            except psycopg.OperationalError as error:
                log.warning("flush_failed", error=str(error).strip())
                self.tide.rest()  # a provider is not to wait for our database
                await asyncio.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
                tries += 1

    def flush(self, pending: Sequence[Pending]) -> dict[UUID, Flushed]:
        if self.sql is None or self.sql.closed:
            self.sql = connect("scriptorium-flush")
        try:
            return flush(self.sql, pending)
        except psycopg.OperationalError:
            self.disconnect()
            raise

    def disconnect(self) -> None:
        if self.sql is not None:
            self.sql.close()
            self.sql = None


def tick(streams: int, took: float) -> float:
    """Seconds until the next flush."""
    least = QUICK_TICK if streams <= FEW else max(TICK, streams * TICK_PER_STREAM)
    return min(SLOW_TICK, max(least, took * BUSY_SHARE))
