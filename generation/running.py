"""What a recipe is given: its run, and the verbs that make work durable — step, gather, ask, spread.

A recipe is ordinary async Python that only computes between steps. After a crash it runs from the top: recorded steps
return what they recorded and cost nothing, the others are made.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import orjson
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pydantic import BaseModel, TypeAdapter, ValidationError

from generation import runs
from generation.calls import error_data
from generation.claims import after_commit, lock
from generation.events import LOST_CONNECTION, Cursor, Draft, LostClaim, patiently, record
from generation.gateway import Gateway
from generation.models import END_STATES, RECORDED_STATES, Claim, Queue, Run, RunState, Step, StepState
from generation.outbox import Outbox
from generation.recipes.base import Recipe
from generation.rings import ring_batches, ring_run
from generation.steps import StepInProgress
from memory.base import metrics
from memory.base.database import db, finished
from memory.base.errors import RunError, ScriptoriumError
from memory.base.ids import new_id
from memory.base.text import clean_json

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

LOOK_SECONDS = 0.5  # how often a claimed parent looks after its children


BEGIN_STEP = """
WITH step AS (
    INSERT INTO generation_step (id, run_id, key, label, state, attempts, is_fallback, text)
    VALUES (%(id)s, %(run)s, %(key)s, %(label)s, 'running', %(attempt)s, false, '')
    ON CONFLICT (run_id, key) DO UPDATE
    SET label = excluded.label, state = excluded.state, attempts = excluded.attempts, is_fallback = false, text = '',
        result = NULL, error = NULL
)
UPDATE generation_run SET label = %(label)s WHERE id = %(run)s
"""


class LetGo(BaseException):
    """The carrier gives the run back; another will go on after the last recorded step."""


class Parked(BaseException):
    """The run waits for a person or for children; that is recorded, and nobody carries it meanwhile."""


INTERRUPTIONS = (LostClaim, LetGo, Parked)


class StepFailed(RunError):
    """A step ended without a result and without a fallback; `params` hold its key and its error."""


@dataclass(frozen=True)
class Child:
    """One part of a spread: what to start, by which recipe."""

    recipe: Recipe
    order: runs.Order


class Running:
    def __init__(self, run: Run, cursor: Cursor, outbox: Outbox, gateway: Gateway, steps: dict[str, Step]) -> None:
        self.run = run
        self.cursor = cursor
        self.outbox = outbox
        self.gateway = gateway
        self.steps = steps
        self.weights: Mapping[str, float] = {}
        self.progress = run.progress
        self.leaving = False
        self.has_crashed = False
        self.slots = asyncio.Semaphore(settings.RUN_PARALLEL)
        self.settlements: set[Callable[[], object]] = set()
        self.failure: Exception | None = None
        self.active = 0
        self.idle = asyncio.Event()

    # --- what recipes call

    def plan(self, weights: Mapping[str, float]) -> None:
        """How much of the whole each step is. Progress is the share of what is recorded; it never falls."""
        self.weights = weights

    async def step(
        self,
        key: str,
        produce: Callable[[StepInProgress], Awaitable[T]],
        *,
        returns: Any = Any,
        label: Mapping[str, Any] | None = None,
        fallback: Callable[[ScriptoriumError], T] | None = None,
        write: Callable[[T], None] | None = None,
    ) -> T:
        """The recorded result of this step, or what `produce` returns, recorded now together with `write`.

        `returns` is the result's type (anything pydantic can check). When `produce` fails with a typed error, the
        result is the `fallback`, labelled as such; without one the step is recorded as failed and StepFailed is raised.
        """
        adapter: TypeAdapter[T] = TypeAdapter(returns)
        known = self.steps.get(key)
        because = None
        if known and known.state in RECORDED_STATES:
            try:
                return recall(known, adapter)
            except ValidationError:
                because = "result_does_not_fit"
        async with self.working():
            step = self.begin(key, label or {"code": key}, because)
            return await self.make(step, produce, adapter, fallback, write)

    async def gather(self, *work: Awaitable[T]) -> list[T]:
        """All results in order, made in parallel (RUN_PARALLEL at once). All end before the first error is raised."""
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            await self.until_done(tasks)
        finally:
            await stop(tasks)
        errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
        for error in sorted(errors, key=lambda error: not isinstance(error, INTERRUPTIONS)):
            raise error
        return [task.result() for task in tasks]

    async def ask(self, key: str, schema: type[M], shown: Any = None) -> M:
        """A person's answer, checked by this schema. Until it comes the run waits and nobody carries it."""
        known = self.steps.get(key)
        if known and known.state == StepState.DONE:
            return schema.model_validate(known.result)
        await self.until_idle()
        question = {"step": key, "schema": f"{schema.__module__}.{schema.__qualname__}", "shown": shown}
        question["form"] = schema.model_json_schema()
        await self.record(
            [
                Draft.of("step", key=key, state=StepState.WAITING, attempt=1),
                Draft.of("status", state=RunState.WAITING, reason="person", step=key, shown=shown),
            ],
            lambda: self.write_question(key, clean_json(question)),
            **parked("person"),
        )
        raise Parked

    async def spread(self, key: str, children: Sequence[Child]) -> list[Run]:
        """Child runs on `high`, over all workers; returns them in order, ended, whatever their state."""
        known = self.steps.get(key)
        if known is None:
            await self.record(
                [Draft.of("step", key=key, state=StepState.RUNNING, attempt=1, children=len(children))],
                lambda: self.write_children(key, children),
            )
            self.steps[key] = Step(key=key, state=StepState.RUNNING)
        while known is None or known.state not in RECORDED_STATES:
            if not await db(patiently, self.open_children, key):
                break
            if self.active == 0 and await self.park_for_children():
                raise Parked
            await asyncio.sleep(LOOK_SECONDS)
        ended = await db(patiently, self.children_of, key)
        if known is None or known.state not in RECORDED_STATES:
            await self.record_step(
                StepInProgress(self, key, 1), StepState.DONE, [str(child.id) for child in ended], None, None
            )
        return ended

    # --- how it is done

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A place among the run's parallel steps; none is given once the carrier is leaving."""
        async with self.slots:
            if self.leaving:
                await self.until_idle()
                raise LetGo
            self.active += 1
            self.idle.clear()
            try:
                yield
            finally:
                self.active -= 1
                if self.active == 0:
                    self.idle.set()

    async def until_idle(self) -> None:
        while self.active:
            await self.idle.wait()

    async def until_done(self, tasks: Sequence["asyncio.Future[Any]"]) -> None:
        """Wait for all, but no longer once the claim is lost."""
        waiting = set(tasks)
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
            if any(not task.cancelled() and isinstance(task.exception(), LostClaim) for task in done):
                return

    def begin(self, key: str, label: Mapping[str, Any], because: str | None) -> StepInProgress:
        known = self.steps.get(key)
        attempt = known.attempts + 1 if known else 1
        facts = {"because": because} if because else {}
        draft = Draft.of(
            "step", key=key, label=label, state=StepState.RUNNING, attempt=attempt, progress=self.progress, **facts
        )
        self.outbox.defer(draft, lambda: self.write_begin(key, label, attempt))
        return StepInProgress(self, key, attempt)

    async def make(
        self,
        step: StepInProgress,
        produce: Callable[[StepInProgress], Awaitable[T]],
        adapter: TypeAdapter[T],
        fallback: Callable[[ScriptoriumError], T] | None,
        write: Callable[[T], None] | None,
    ) -> T:
        try:
            result = await produce(step)
            state, error = StepState.DONE, None
        except ScriptoriumError as failure:
            error = error_data(failure)
            if fallback is None:
                await self.record_step(step, StepState.FAILED, None, error, None)
                raise StepFailed("step_failed", step=step.key, error=error) from failure
            result, state = fallback(failure), StepState.FALLBACK
            step.new_attempt()
            if isinstance(result, str):
                step.say(result)
            metrics.fallbacks.labels(self.run.kind, step.key.split("/")[0]).inc()
        value = clean_json(adapter.dump_python(result, mode="json"))
        await self.record_step(step, state, value, error, (lambda: write(result)) if write else None)
        return adapter.validate_python(value)

    async def record_step(
        self,
        step: StepInProgress,
        state: StepState,
        value: Any,
        error: dict[str, Any] | None,
        write: Callable[[], None] | None,
    ) -> None:
        """The step's end: result, what it wrote, progress and events in one fenced transaction."""
        step.close_streams()
        text, attempt = step.text, step.attempt
        self.steps[step.key] = Step(key=step.key, state=state, attempts=attempt, result=value, error=error)
        self.progress = max(self.progress, self.share_recorded())
        draft = Draft.of(
            "step",
            key=step.key,
            state=state,
            attempt=attempt,
            progress=self.progress,
            is_fallback=state == StepState.FALLBACK,
            **({"error": error} if error else {}),
        )

        def write_all() -> None:
            if write:
                write()
            Step.objects.filter(run_id=self.run.id, key=step.key).update(
                state=state,
                attempts=attempt,
                is_fallback=state == StepState.FALLBACK,
                result=value,
                text=text,
                error=error,
                finished_at=timezone.now(),
            )
            Run.objects.filter(id=self.run.id).update(progress=self.progress)
            after_commit(lambda: ring_run(self.run))

        await self.record([draft], write_all, crashes=0, has_progressed=True)
        self.has_crashed = False

    def share_recorded(self) -> float:
        """Percent of the planned weight that is recorded; below 100 until the run has ended."""
        total = sum(self.weights.values())
        if not total:
            return self.progress
        recorded = (
            weight
            for key, weight in self.weights.items()
            if (step := self.steps.get(key)) and step.state in RECORDED_STATES
        )
        return min(99.0, round(100 * sum(recorded) / total, 1))

    async def record(
        self, drafts: Sequence[Draft], write: Callable[[], T] | None = None, **claim_changes: Any
    ) -> T | None:
        """One fenced transaction: all that was told so far, these drafts, and `write`. Ends even when cancelled."""
        return await finished(asyncio.ensure_future(self._record(drafts, write, claim_changes)))

    async def _record(
        self, drafts: Sequence[Draft], write: Callable[[], T] | None, claim_changes: dict[str, Any]
    ) -> T | None:
        async with self.outbox.lock:
            if self.failure:
                failure, self.failure = self.failure, None
                raise failure
            told, writes = self.outbox.take(), self.outbox.take_writes()
            if not told and not drafts:
                return None

            def write_all() -> T | None:
                for deferred in writes:
                    deferred()
                return write() if write else None

            try:
                batch, written = await db(partial(record, self.cursor, [*told, *drafts], write_all, **claim_changes))
            except (*LOST_CONNECTION, LostClaim):
                self.outbox.put_back(told, writes)
                raise
            except BaseException:  # what a write cannot do once it can never do: it must not stop the run's end
                self.outbox.put_back(told)
                raise
            self.settlements.difference_update(writes)
        ring_batches([batch])
        return written

    async def record_deferred(self) -> None:
        """Write what was deferred and no other transaction has taken along. A failure is the next record's."""
        try:
            await self.record([])
        except Exception as failure:  # noqa: BLE001 kept for whoever records next
            self.failure = failure

    def settle_call(self, draft: Draft, write: Callable[[], object]) -> None:
        """Tell and record what a call used: with the next transaction, or by itself should the claim be lost."""
        self.settlements.add(write)
        self.outbox.defer(draft, write)

    def write_begin(self, key: str, label: Mapping[str, Any], attempt: int) -> None:
        cleaned = orjson.dumps(clean_json(dict(label))).decode()
        with connection.cursor() as sql:
            facts: dict[str, Any] = {"id": new_id(), "run": self.run.id, "key": key, "attempt": attempt}
            sql.execute(BEGIN_STEP, {**facts, "label": cleaned})

    def write_question(self, key: str, question: dict[str, Any]) -> None:
        Step.objects.update_or_create(run_id=self.run.id, key=key, defaults={"state": StepState.WAITING, "attempts": 1})
        Run.objects.filter(id=self.run.id).update(question=question)
        add_active_seconds(self.run)
        after_commit(lambda: ring_run(self.run))

    def write_children(self, key: str, children: Sequence[Child]) -> None:
        Step.objects.create(run_id=self.run.id, key=key, attempts=1, label={"code": key})
        for n, child in enumerate(children, 1):
            runs.create(
                child.recipe,
                child.order.cleaned(child.recipe),
                user=self.run.user,
                workspace=self.run.workspace,
                key=f"{self.run.id}/{key}/{n}",
                queue=Queue.HIGH,
                parent=self.run,
                parent_step=key,
            )

    def children_of(self, key: str) -> list[Run]:
        return list(Run.objects.filter(parent_id=self.run.id, parent_step=key).select_related("claim").order_by("id"))

    def open_children(self, key: str) -> int:
        return Run.objects.filter(parent_id=self.run.id, parent_step=key).exclude(claim__state__in=END_STATES).count()

    async def park_for_children(self) -> bool:
        """Wait for children, if one is still open once our own narrow row is locked; False: the last has just ended."""

        def write() -> None:
            lock(self.run.id)
            if not Claim.objects.filter(run__parent_id=self.run.id).exclude(state__in=END_STATES).exists():
                raise NoChildOpen
            add_active_seconds(self.run)

        try:
            await self.record(
                [Draft.of("status", state=RunState.WAITING, reason="children")], write, **parked("children")
            )
        except NoChildOpen:
            return False
        return True


class NoChildOpen(Exception):
    """Raised inside the transaction that would have parked the run, to roll it back."""


def parked(reason: str) -> dict[str, Any]:
    return {"state": RunState.WAITING, "reason": reason, "owner": "", "lease_until": None}


def add_active_seconds(run: Run) -> None:
    """Count the time of this claim towards the deadline; waiting does not count."""
    claimed_at = Claim.objects.values_list("claimed_at", flat=True).get(run_id=run.id)
    seconds = (timezone.now() - claimed_at).total_seconds() if claimed_at else 0
    Run.objects.filter(id=run.id).update(active_seconds=run.active_seconds + max(0.0, seconds))


def recall(step: Step, adapter: TypeAdapter[T]) -> T:
    """The recorded result in its type; a recorded failure fails again."""
    if step.state == StepState.FAILED:
        raise StepFailed("step_failed", step=step.key, error=step.error)
    return adapter.validate_python(step.result)


async def stop(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    """Cancel what still runs and wait until it has ended."""
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
