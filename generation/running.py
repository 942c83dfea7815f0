"""What a recipe is given: its run, and the verbs that make work durable — step, gather, ask, spread.

A recipe is ordinary async Python that only computes between steps. After a crash it runs from the top: recorded steps
return what they recorded and cost nothing, the others are made.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection
from pydantic import BaseModel, TypeAdapter, ValidationError
from structlog.contextvars import bound_contextvars

from generation import waiting
from generation.calls import error_data
from generation.claims import after_commit
from generation.events import Draft, LostClaim, patiently
from generation.gateway import Gateway
from generation.ledger import Cancelled, Ledger
from generation.models import RECORDED_STATES, Run, Step, StepState
from generation.rings import ring_run
from generation.scribe import Read, Scribe, versions
from generation.slots import LetGo, Slots
from generation.steps import StepInProgress
from generation.waiting import Child, Parked
from memory.base import metrics
from memory.base.database import db
from memory.base.errors import RunError, ScriptoriumError
from memory.base.ids import new_id
from memory.base.text import as_json, clean_json

T = TypeVar("T")
F = TypeVar("F")
M = TypeVar("M", bound=BaseModel)

INTERRUPTIONS = (LostClaim, Cancelled, LetGo, Parked)

BEGIN_STEP = """
WITH step AS (
    INSERT INTO generation_step AS s (id, run_id, key, label, state, attempts, is_fallback, text)
    VALUES (%(id)s, %(run)s, %(key)s, %(label)s, 'running', %(attempt)s, false, '')
    ON CONFLICT (run_id, key) DO UPDATE
    SET label = excluded.label, state = excluded.state, attempts = excluded.attempts, is_fallback = false, text = '',
        result = NULL, error = NULL, copied_from = NULL,
        started_at = CASE WHEN s.finished_at IS NULL THEN s.started_at ELSE now() END, finished_at = NULL
)
UPDATE generation_run SET label = %(label)s WHERE id = %(run)s
"""

END_STEP = """
WITH step AS (
    UPDATE generation_step
    SET state = %(state)s, attempts = %(attempt)s, is_fallback = %(is_fallback)s, result = %(result)s::jsonb,
        text = %(text)s, error = %(error)s::jsonb, finished_at = now()
    WHERE run_id = %(run)s AND key = %(key)s
)
UPDATE generation_run SET progress = %(progress)s WHERE id = %(run)s
"""


class StepFailed(RunError):
    """A step ended without a result and without a fallback; `params` hold its key and its error."""


@dataclass(frozen=True)
class Acted:
    """What came of something that was done, as it is recorded, and what is told of it."""

    result: Any
    drafts: Sequence[Draft] = ()


class Running:
    def __init__(self, ledger: Ledger, gateway: Gateway) -> None:
        self.ledger = ledger
        self.gateway = gateway
        self.run = ledger.run
        self.slots = Slots(settings.RUN_PARALLEL)
        self.weights: Mapping[str, float] = {}
        self.progress = ledger.run.progress
        self.read: Read = {}

    # --- what recipes call

    def plan(self, weights: Mapping[str, float]) -> None:
        """How much of the whole each step is. Progress is the share of what is recorded; it never falls."""
        self.weights = weights

    def divide(self, key: str, steps: Sequence[str]) -> None:
        """What was planned as one weight is shared by these steps, now that they are known; without any it is gone."""
        weights = dict(self.weights)
        weight = weights.pop(key, 0)
        self.weights = {**weights, **dict.fromkeys(steps, weight / max(1, len(steps)))}

    async def step(
        self,
        key: str,
        produce: Callable[[StepInProgress], Awaitable[T]],
        *,
        returns: Any = Any,
        label: Mapping[str, Any] | None = None,
        fallback: Callable[[ScriptoriumError], T] | None = None,
        write: Callable[[T, Scribe], None] | None = None,
    ) -> T:
        """The recorded result of this step, or what `produce` returns, recorded now with what `write` puts on paper.

        `returns` is the result's type (anything pydantic can check). When `produce` fails with a typed error, the
        result is the `fallback`, labelled as such; without one the step is recorded as failed and StepFailed is raised.
        """
        adapter: TypeAdapter[T] = TypeAdapter(returns)
        known = self.ledger.steps.get(key)
        because = None
        if known and known.state in RECORDED_STATES:
            try:
                return recall(known, adapter)
            except ValidationError:
                because = waiting.DOES_NOT_FIT
        async with self.slots.taken():
            with bound_contextvars(step=key):
                step = self.begin(key, label or {"code": key}, because)
                return await self.make(step, produce, adapter, fallback, write)

    async def act(
        self,
        key: str,
        act: Callable[[F], Acted],
        *,
        look: Callable[[], Awaitable[F]],
        label: Mapping[str, Any] | None = None,
    ) -> Any:
        """The recorded result of this step, or what `act` does now: it reads and writes rows, in the very transaction
        that records its result and tells of it. So it is done once, or not at all. What it raises ends the run.

        It is given what `look` has brought, which runs before, outside of that transaction: it may ask others over a
        network, writes nothing, and may run twice."""
        known = self.ledger.steps.get(key)
        if known and known.state in RECORDED_STATES:
            return known.result
        async with self.slots.taken():
            with bound_contextvars(step=key):
                step = self.begin(key, label or {"code": key}, None)
                found = await look()

                def do(row: Step) -> list[Draft]:
                    acted = act(found)
                    row.result = clean_json(acted.result)
                    return list(acted.drafts)

                return (await self.record_step(step, StepState.DONE, None, None, do)).result

    def has_recorded(self, prefix: str) -> bool:
        """Whether a step of this beginning is there already: made before a crash, or copied from the run retried."""
        steps = self.ledger.steps.items()
        return any(key.startswith(prefix) and step.state in RECORDED_STATES for key, step in steps)

    async def read_document(self) -> None:
        """Fix what this run knows of a document that was there before it: people's later changes stand."""
        document = self.run.document
        if document is None or (self.run.retries_id is None and self.run.action == Run.WRITE):
            return  # what this run makes itself, it makes at version 1

        async def produce(_: StepInProgress) -> dict[str, int]:
            return await db(patiently, versions, self.run, document)

        self.read = await self.step("read", produce, returns=dict[str, int])

    async def gather(self, *work: Awaitable[T]) -> list[T]:
        """All results in order, made in parallel (RUN_PARALLEL at once). All end before the first error is raised."""
        tasks = [asyncio.ensure_future(one) for one in work]
        try:
            await until_done(tasks)
        finally:
            await stop(tasks)
        errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
        for error in sorted(errors, key=lambda error: not isinstance(error, INTERRUPTIONS)):
            raise error
        return [task.result() for task in tasks]

    async def ask(self, key: str, schema: type[M], shown: Any = None) -> M:
        """A person's answer, checked by this schema. Until it comes the run waits and nobody carries it."""
        return await waiting.ask(self.ledger, self.slots, key, schema, shown)

    async def spread(self, key: str, children: Sequence[Child]) -> list[Run]:
        """Child runs on `high`, over all workers; returns them in order, ended, whatever their state."""
        return await waiting.spread(self.ledger, self.slots, key, children)

    # --- how a step is made

    def begin(self, key: str, label: Mapping[str, Any], because: str | None) -> StepInProgress:
        known = self.ledger.steps.get(key)
        attempt = known.attempts + 1 if known else 1
        facts = {"because": because} if because else {}
        # Progress is told by ends alone: they are written in the order in which they raise it, what is deferred is not.
        draft = Draft.of("step", key=key, label=label, state=StepState.RUNNING, attempt=attempt, **facts)
        self.ledger.outbox.defer(draft, lambda: write_begin(self.run, key, label, attempt))
        return StepInProgress(self.ledger, self.gateway.router, key, attempt)

    async def make(
        self,
        step: StepInProgress,
        produce: Callable[[StepInProgress], Awaitable[T]],
        adapter: TypeAdapter[T],
        fallback: Callable[[ScriptoriumError], T] | None,
        write: Callable[[T, Scribe], None] | None,
    ) -> T:
        try:
            result = await produce(step)
            state, error = StepState.DONE, None
        except ScriptoriumError as failure:
            error = error_data(failure)
            if fallback is None:
                await self.record_step(step, StepState.FAILED, None, error)
                raise StepFailed("step_failed", step=step.key, error=error) from failure
            result, state = fallback(failure), StepState.FALLBACK
            step.fall_back()
            if isinstance(result, str):
                step.say(result)
            metrics.fallbacks.labels(self.run.kind, step.key.split("/")[0]).inc()
        value = clean_json(adapter.dump_python(result, mode="json"))

        def put_down(_: Step) -> list[Draft]:
            if write is None:
                return []
            scribe = Scribe(self.run, step.key, self.read, error if state == StepState.FALLBACK else None)
            write(result, scribe)
            return scribe.drafts()

        await self.record_step(step, state, value, error, put_down)
        return adapter.validate_python(value)

    async def record_step(
        self,
        step: StepInProgress,
        state: StepState,
        value: Any,
        error: dict[str, Any] | None,
        write: Callable[[Step], list[Draft]] = lambda row: [],
    ) -> Step:
        """The step's end: what `write` writes and tells, the row, progress and events in one fenced transaction."""
        step.close_streams()
        is_fallback = state == StepState.FALLBACK
        row = Step(
            key=step.key,
            state=state,
            attempts=step.attempt,
            is_fallback=is_fallback,
            result=value,
            text=step.text,
            error=error,
        )
        facts: dict[str, Any] = {"attempt": step.attempt, "is_fallback": is_fallback}
        facts |= {"error": error} if error else {"trimmed": step.trimmed} if step.trimmed else {}

        def write_all() -> list[Draft]:
            written = write(row)
            # Not sooner: what was told while this step waited for its turn comes before it, and must not say more.
            self.ledger.steps[step.key] = row
            self.progress = max(self.progress, self.share_recorded())
            write_end(self.run, row, self.progress)
            return [*written, Draft.of("step", key=step.key, state=state, progress=self.progress, **facts)]

        await self.ledger.record([], write_all, lambda drafts: drafts or (), crashes=0, has_progressed=True)
        self.ledger.has_crashed = False
        return row

    def share_recorded(self) -> float:
        """Percent of the planned weight that is recorded; below 100 until the run has ended."""
        total = sum(self.weights.values())
        if not total:
            return self.progress
        recorded = (
            weight
            for key, weight in self.weights.items()
            if (step := self.ledger.steps.get(key)) and step.state in RECORDED_STATES
        )
        return min(99.0, round(100 * sum(recorded) / total, 1))


def write_begin(run: Run, key: str, label: Mapping[str, Any], attempt: int) -> None:
    facts: dict[str, Any] = {"id": new_id(), "run": run.id, "key": key, "attempt": attempt}
    with connection.cursor() as sql:
        sql.execute(BEGIN_STEP, {**facts, "label": as_json(clean_json(dict(label)))})


def write_end(run: Run, row: Step, progress: float) -> None:
    with connection.cursor() as sql:
        sql.execute(
            END_STEP,
            {
                "run": run.id,
                "key": row.key,
                "state": row.state,
                "attempt": row.attempts,
                "is_fallback": row.is_fallback,
                "result": as_json(row.result),
                "text": row.text,
                "error": as_json(row.error),
                "progress": progress,
            },
        )
    after_commit(lambda: ring_run(run))


async def until_done(tasks: Sequence["asyncio.Future[Any]"]) -> None:
    """Wait for all, but no longer once the claim is lost."""
    open_tasks = set(tasks)
    while open_tasks:
        done, open_tasks = await asyncio.wait(open_tasks, return_when=asyncio.FIRST_EXCEPTION)
        if any(not task.cancelled() and isinstance(task.exception(), LostClaim) for task in done):
            return


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
