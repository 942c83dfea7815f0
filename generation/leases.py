"""The lease thread: renews all leases of a carrier once a second, whatever its event loop is busy with.

It also looks whether the loop still turns: a carrier that cannot work loses its runs after STUCK_SECONDS, and one that
does not recover ends its process, to be started again.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import psycopg
import structlog
from django.conf import settings

from generation import claims
from generation.flush import connect
from memory.base.vital import end_stuck_process, vital_thread

log = structlog.get_logger()

Renewed = dict[UUID, tuple[int, bool]]
STUCK_SECONDS = 60
LOST_SECONDS = 120


class LeaseThread(threading.Thread):
    """`on_renewed(held, lost)` is called in the loop after each renewal."""

    def __init__(
        self, owner: str, loop: asyncio.AbstractEventLoop, on_renewed: Callable[[Renewed, Sequence[UUID]], None]
    ) -> None:
        super().__init__(name="leases", daemon=True)
        self.owner = owner
        self.loop = loop
        self.on_renewed = on_renewed
        self.held: Renewed = {}
        self.unanswered = 0.0  # seconds in which this thread could run, and the loop did not
        self.stopping = threading.Event()

    def run(self) -> None:
        with vital_thread("leases"):
            self.renew_until_stopped()

    def renew_until_stopped(self) -> None:
        sql: psycopg.Connection[tuple[object, ...]] | None = None
        pause = min(1.0, settings.LEASE_SECONDS / 4)
        while not self.stopping.wait(pause):
            if self.unanswered > LOST_SECONDS:
                end_stuck_process("loop")
            # Asked whatever the database does: else a long absence of it would look like a stuck loop, for ever.
            self.unanswered += pause
            self.in_loop(self.on_turn)
            try:
                sql = sql if sql and not sql.closed else connect("scriptorium-leases")
                if self.unanswered < STUCK_SECONDS:
                    self.renew(sql)
            except psycopg.Error as error:
                log.warning("renewal_failed", error=str(error).strip())
                if sql:
                    sql.close()
        if sql:
            sql.close()

    def renew(self, sql: "psycopg.Connection[tuple[object, ...]]") -> None:
        renewed = claims.renew(sql, self.owner)
        missing = [run_id for run_id in self.held if run_id not in renewed]
        now = claims.epochs(sql, missing) if missing else {}
        busy = {run_id: self.held[run_id] for run_id, (epoch, _) in now.items() if epoch == self.held[run_id][0]}
        lost = [run_id for run_id in missing if run_id not in busy]
        self.held = renewed | {run_id: held for run_id, held in busy.items() if now[run_id][1] == "running"}
        self.in_loop(self.on_renewed, renewed, lost)

    def on_turn(self) -> None:
        self.unanswered = 0.0

    def in_loop(self, act: Callable[..., None], *facts: Any) -> None:
        try:
            self.loop.call_soon_threadsafe(act, *facts)
        except RuntimeError:  # the loop has closed: the carrier is gone
            self.stopping.set()

    def stop(self) -> None:
        self.stopping.set()
        self.join(timeout=2)
