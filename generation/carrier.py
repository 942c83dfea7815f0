"""The carrier: claims runs, runs each as a task, keeps its leases, flushes its streams, and lets go in good order.

A process has one: the web process for chat turns and whatever else waits on `web`, a horse for the runs of its queue.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.utils import timezone

from generation import chores, claims, endings, nudges, sweep
from generation.calls import error_data
from generation.claims import Taken, after_commit
from generation.events import LOST_CONNECTION, Draft, LostClaim
from generation.flusher import Flusher
from generation.gateway import Gateway
from generation.leases import LeaseThread
from generation.ledger import Cancelled, Ledger
from generation.models import Queue, Run, RunState, Step, StepState
from generation.outbox import Outbox
from generation.recipes.base import import_job
from generation.rings import ring_run
from generation.running import Running, StepFailed
from generation.slots import LetGo
from generation.waiting import Parked
from memory.base import metrics
from memory.base.database import db
from memory.base.errors import RunError, ScriptoriumError
from memory.base.news import CARRIERS, bell
from memory.base.vital import vital

log = structlog.get_logger()

LOOK_SECONDS = 0.25
LEAVE_SECONDS = 2.5
WAITED_SECONDS = 0.5  # before this a run belongs to the horse that was nudged for it
ALL_QUEUES = tuple(queue.value for queue in Queue)


class Carried:
    """A run in this carrier's hands."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.task: asyncio.Task[None] | None = None
        self.why_stopped: type[BaseException] | None = None

    def stop(self, why: type[BaseException]) -> None:
        """Cancel the recipe; the first reason counts."""
        if self.task and not self.task.done() and self.why_stopped is None:
            self.why_stopped = why
            self.task.cancel()


class Carrier:
    def __init__(self, queues: Sequence[str], capacity: int, *, waited: float = WAITED_SECONDS) -> None:
        self.owner = claims.new_owner()
        self.queues = tuple(queues)
        self.capacity = capacity
        self.waited = waited
        self.carried: dict[UUID, Carried] = {}
        self.claiming = True
        self.is_empty = asyncio.Event()
        self.woken = asyncio.Event()
        self.flusher = Flusher(self.on_cancel, self.on_lost)
        self.tasks: list[asyncio.Future[Any]] = []
        self.unknown: set[UUID] = set()

    # --- life

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.gateway = Gateway()
        self.leases = LeaseThread(self.owner, loop, self.on_renewed)
        self.leases.start()
        bell.listen(CARRIERS, self.on_ring)
        self.tasks = [vital(self.flusher.run(), "flush"), vital(self.sweep_for_ever(), "sweep")]

    async def claim_for_ever(self) -> None:
        """Claim what waits on the queues, at each wake-up and at least every LOOK_SECONDS."""
        while self.claiming:
            self.woken.clear()
            await self.claim_waiting()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self.woken.wait()

    async def close(self) -> None:
        """Claim no more, stop every recipe, tell what is pending, and give the runs back."""
        self.claiming = False
        for carried in list(self.carried.values()):
            carried.stop(LetGo)
        with suppress(TimeoutError):  # what cannot be given back now (no database) is found by its lease
            async with asyncio.timeout(LEAVE_SECONDS):
                await self.until_empty()
        bell.forget(CARRIERS, self.on_ring)
        await self.flusher.close()
        self.leases.stop()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.gateway.close()

    async def until_empty(self) -> None:
        while self.carried:
            self.is_empty.clear()
            await self.is_empty.wait()

    def leave(self) -> None:
        """Claim no more; each run is let go once what it is making has been recorded."""
        self.claiming = False
        for carried in self.carried.values():
            carried.running.slots.leaving = True

    # --- claiming

    @property
    def room(self) -> int:
        """How many more runs may be claimed; a run that crashed before is carried alone."""
        if not self.claiming or any(carried.running.ledger.has_crashed for carried in self.carried.values()):
            return 0
        return self.capacity - len(self.carried)

    async def claim_waiting(self) -> None:
        if self.room <= 0:
            return
        queues = ALL_QUEUES if Queue.WEB in self.queues and nudges.redis_is_away() else self.queues
        await self.take(lambda: claims.take_waiting(self.owner, queues, self.room, self.waited))

    async def claim(self, run_id: UUID) -> None:
        """Take the named run if it still waits and there is room."""
        if self.room > 0:
            await self.take(
                lambda: claims.take(self.owner, run_id, alone=not self.carried and Queue.WEB not in self.queues)
            )

    async def take(self, claim: Callable[[], list[Taken]]) -> None:
        try:
            loaded = await db(lambda: load(claim()))
        except LOST_CONNECTION as error:
            # If the claim went in all the same, the next renewal finds it and gives it back.
            log.warning("claim_failed", error=str(error))
            await asyncio.sleep(1)
            return
        for one, run, steps in loaded:
            self.carry(one, run, steps)

    def carry(self, taken: Taken, run: Run, steps: dict[str, Step]) -> None:
        ledger = Ledger(run, taken.cursor, Outbox(taken.cursor, self.flusher.wake), steps, self.flusher.tide)
        ledger.has_crashed = taken.crashes > 0
        carried = self.carried[run.id] = Carried(Running(ledger, self.gateway))
        self.flusher.add(ledger)
        carried.task = asyncio.create_task(self.work(carried), name=f"run {run.id}")

    # --- one run

    async def work(self, carried: Carried) -> None:
        run = carried.running.run
        with structlog.contextvars.bound_contextvars(run=str(run.id), user=str(run.user_id)):
            try:
                await self.outcome(carried)
            except LostClaim:
                log.warning("claim_lost")
            except LOST_CONNECTION as error:
                log.error("database_away", error=str(error))
            finally:
                await self.settle_calls(carried.running.ledger)
                self.flusher.remove(carried.running.ledger)
                had_room = self.room > 0
                if self.carried.get(run.id) is carried:
                    del self.carried[run.id]
                if not self.carried:
                    self.is_empty.set()
                if not had_room:  # else what waits has been claimed already
                    self.woken.set()

    async def settle_calls(self, ledger: Ledger) -> None:
        """Calls that no transaction of the run has settled, because the claim was lost: they were paid all the same."""
        for settle in ledger.settlements:
            try:
                await db(settle)
            except LOST_CONNECTION as error:
                log.warning("call_not_settled", error=str(error))

    async def outcome(self, carried: Carried) -> None:
        """Run the recipe and record how it ended."""
        running = carried.running
        try:
            running.ledger.outbox.defer(Draft.of("status", state=RunState.RUNNING), lambda: mark_started(running.run))
            job: Callable[[Running], Coroutine[Any, Any, Any]] = import_job(running.run.job)
            async with asyncio.timeout(settings.RUN_DEADLINE_SECONDS - running.run.active_seconds) as deadline:
                result = await job(running)
            await self.end(running, end_state(running.ledger.steps), None, result)
        except Parked:
            return
        except Cancelled:
            await self.end(running, RunState.CANCELLED, None)
        except (LetGo, *LOST_CONNECTION):  # what the database refused is no failure of the recipe
            await self.give_back(running)
        except asyncio.CancelledError:
            await self.stopped(carried)
        except TimeoutError as error:
            failure = RunError("deadline", seconds=settings.RUN_DEADLINE_SECONDS) if deadline.expired() else error
            await self.end(running, RunState.FAILED, error_data(failure))
        except ScriptoriumError as error:
            cause = error.params["error"] if isinstance(error, StepFailed) else error_data(error)
            await self.end(running, RunState.FAILED, cause)
        except Exception as error:  # the last door of a recipe: what no type foresaw is logged and told
            log.exception("recipe_failed")
            await self.end(running, RunState.FAILED, error_data(error))

    async def stopped(self, carried: Carried) -> None:
        """The recipe was cancelled: by a person, because it is not ours any more, or because we are leaving."""
        if task := asyncio.current_task():
            task.uncancel()
        if carried.why_stopped is Cancelled:
            await self.end(carried.running, RunState.CANCELLED, None)
        elif carried.why_stopped is LostClaim:
            raise LostClaim(carried.running.run.id)
        else:
            await self.give_back(carried.running)

    async def end(self, running: Running, state: RunState, error: dict[str, Any] | None, result: Any = None) -> None:
        run = running.run
        if state in (RunState.CANCELLED, RunState.FAILED):
            await running.ledger.record([])  # what broke off in the middle is kept from what is written

        def write() -> None:
            if endings.close(run, state, error, result):
                endings.halt_children(run)

        await running.ledger.record(
            endings.end_drafts(state, error),
            write,
            state=state,
            reason="",
            owner="",
            lease_until=None,
            cancel_requested=False,
        )
        metrics.run_duration.labels(run.kind, state).observe((timezone.now() - run.created_at).total_seconds())
        log.info("run_ended", kind=run.kind, state=state, error=error and error.get("error_code"))

    async def give_back(self, running: Running) -> None:
        """Back into the queue, where it was; another carrier is told. What a person cancelled ends instead."""
        told = Draft.of("status", state=RunState.QUEUED, reason="let_go")
        try:
            await running.ledger.let_go([told], state=RunState.QUEUED)
        except Cancelled:
            await self.end(running, RunState.CANCELLED, None)
        else:
            await db(sweep.nudge_again, running.run.id)

    # --- what others tell

    def on_ring(self, body: dict[str, Any]) -> None:
        if "cancel" in body and (carried := self.carried.get(UUID(body["cancel"]))):
            carried.stop(Cancelled)
        if "wake" in body and Queue.WEB in self.queues:
            self.woken.set()

    def on_cancel(self, run_id: UUID) -> None:
        if carried := self.carried.get(run_id):
            carried.stop(Cancelled)

    def on_lost(self, run_id: UUID) -> None:
        if carried := self.carried.get(run_id):
            carried.stop(LostClaim)

    def on_renewed(self, renewed: dict[UUID, tuple[int, bool]], lost: Sequence[UUID]) -> None:
        """Called in the loop after each renewal, with what this owner holds by the rows and what it lost.

        What it holds twice in a row without carrying it is a claim whose answer was lost: it goes back.
        """
        for run_id in lost:
            self.on_lost(run_id)
        for run_id, (_, cancel_requested) in renewed.items():
            if cancel_requested:
                self.on_cancel(run_id)
        unknown = {run_id for run_id in renewed if run_id not in self.carried}
        for run_id in unknown & self.unknown:
            self.background(db(sweep.give_back, run_id, self.owner))
        self.unknown = unknown

    def background(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.append(task)
        task.add_done_callback(self.tasks.remove)

    async def sweep_for_ever(self) -> None:
        while True:
            started = time.monotonic()
            try:
                await self.sweep_once()
            except LOST_CONNECTION as error:
                log.warning("sweep_failed", error=str(error))
            await asyncio.sleep(max(0.05, settings.SWEEP_SECONDS - (time.monotonic() - started)))

    async def sweep_once(self) -> None:
        """Sweep unless another process is at it, and begin what is due."""
        for chore in await db(chores.due) if await db(sweep.once) else ():
            self.background(self.do(chore))

    async def do(self, chore: str) -> None:
        """Beside the sweep, which goes on meanwhile. Whoever closes waits for the piece at hand and no longer."""
        try:
            while await db(chores.do_some, chore):
                pass
        except LOST_CONNECTION as error:
            log.warning("chore_failed", chore=chore, error=str(error))


def load(taken: Sequence[Taken]) -> list[tuple[Taken, Run, dict[str, Step]]]:
    """The runs of these claims, and what each has recorded."""
    wanted = [one.cursor.run_id for one in taken]
    found = Run.objects.select_related("user", "workspace", "document__workspace").in_bulk(wanted)
    steps: defaultdict[UUID, dict[str, Step]] = defaultdict(dict)
    for step in Step.objects.filter(run_id__in=wanted):
        steps[step.run_id][step.key] = step
    return [(one, found[one.cursor.run_id], steps[one.cursor.run_id]) for one in taken]


def mark_started(run: Run) -> None:
    Run.objects.filter(id=run.id, started_at=None).update(started_at=timezone.now())
    after_commit(lambda: ring_run(run))


def end_state(steps: dict[str, Step]) -> RunState:
    """`partial` when any step fell back or failed although the recipe went on to its end."""
    bad = (StepState.FALLBACK, StepState.FAILED)
    return RunState.PARTIAL if any(step.state in bad for step in steps.values()) else RunState.DONE
