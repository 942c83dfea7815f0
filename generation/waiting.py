"""Runs that wait without being carried: for a person's answer, or for the children they were spread over."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from pydantic import BaseModel, ValidationError

from generation import runs
from generation.events import Draft, patiently
from generation.ledger import Ledger
from generation.models import END_STATES, Claim, Queue, Run, RunState, Step, StepState
from generation.orders import Order
from generation.recipes.base import Recipe
from generation.slots import Slots
from memory.base.database import db
from memory.base.text import clean_json

M = TypeVar("M", bound=BaseModel)

DOES_NOT_FIT = "result_does_not_fit"  # why what was recorded is produced again: its schema has changed since
LOOK_SECONDS = 0.5  # how often a parent that is carried looks after its children


class Parked(BaseException):
    """The run waits for a person or for children; that is recorded, and nobody carries it meanwhile."""


class NoChildOpen(Exception):
    """Raised inside the transaction that would have parked the run, to roll it back."""


@dataclass(frozen=True)
class Child:
    """One part of a spread: what to start, by which recipe."""

    recipe: Recipe
    order: Order


async def ask(ledger: Ledger, slots: Slots, key: str, schema: type[M], shown: Any) -> M:
    """The recorded answer, else Parked once the question is recorded and no other step is being made.

    An answer that no longer fits is asked for again.
    """
    known = ledger.steps.get(key)
    facts: dict[str, Any] = {}
    if known and known.state == StepState.DONE:
        try:
            return schema.model_validate(known.result)
        except ValidationError:
            facts = {"because": DOES_NOT_FIT}
    attempt = known.attempts + 1 if known else 1
    await slots.until_idle()
    question = {
        "step": key,
        "schema": f"{schema.__module__}.{schema.__qualname__}",
        "form": schema.model_json_schema(),
        "shown": shown,
    }
    drafts = [
        Draft.of("step", key=key, state=StepState.WAITING, attempt=attempt, **facts),
        Draft.of("status", state=RunState.WAITING, reason="person", step=key, shown=shown),
    ]
    await ledger.let_go(
        drafts,
        lambda: write_question(ledger.run, key, attempt, clean_json(question)),
        state=RunState.WAITING,
        reason="person",
    )
    raise Parked


async def spread(ledger: Ledger, slots: Slots, key: str, children: Sequence[Child]) -> list[Run]:
    """Start the children once, and return them when all have ended; Parked as long as there is nothing else to do."""
    known = ledger.steps.get(key)
    if known is None:
        known = ledger.steps[key] = Step(key=key, state=StepState.RUNNING)
        draft = Draft.of("step", key=key, state=StepState.RUNNING, attempt=1, children=len(children))
        await ledger.record([draft], lambda: write_children(ledger.run, key, children))
    if known.state == StepState.RUNNING:
        known = await until_ended(ledger, slots, key)
    return await db(patiently, recorded_children, known.result or [])


async def until_ended(ledger: Ledger, slots: Slots, key: str) -> Step:
    while await db(patiently, count_open, ledger.run, children_by(key)):
        if slots.active == 0 and await park_for_children(ledger):
            raise Parked
        await asyncio.sleep(LOOK_SECONDS)
    draft = Draft.of("step", key=key, state=StepState.DONE, attempt=1)
    children = await ledger.record([draft], lambda: write_ended(ledger.run, key), crashes=0, has_progressed=True)
    ledger.steps[key] = Step(key=key, state=StepState.DONE, result=children)
    return ledger.steps[key]


async def park_for_children(ledger: Ledger) -> bool:
    """Wait for children, if one is still open once our own narrow row is locked; False: the last has just ended."""

    def check() -> None:
        if not count_open(ledger.run, Q()):
            raise NoChildOpen

    told = Draft.of("status", state=RunState.WAITING, reason="children")
    try:
        await ledger.let_go([told], check, state=RunState.WAITING, reason="children")
    except NoChildOpen:
        return False
    return True


def write_question(run: Run, key: str, attempt: int, question: dict[str, Any]) -> None:
    asked = {"state": StepState.WAITING, "attempts": attempt, "result": None, "finished_at": None, "copied_from": None}
    Step.objects.update_or_create(run_id=run.id, key=key, defaults=asked)
    Run.objects.filter(id=run.id).update(question=question)


def write_children(run: Run, key: str, children: Sequence[Child]) -> None:
    Step.objects.create(run_id=run.id, key=key, attempts=1, label={"code": key})
    for n, child in enumerate(children, 1):
        runs.create(
            child.recipe,
            child.order.cleaned(child.recipe),
            user=run.user,
            workspace=run.workspace,
            key=f"{run.id}/{key}/{n}",
            queue=Queue.HIGH,
            parent=run,
            parent_step=key,
        )


def write_ended(run: Run, key: str) -> list[str]:
    children = [str(child) for child in children_of(run, key).values_list("id", flat=True)]
    Step.objects.filter(run_id=run.id, key=key).update(
        state=StepState.DONE, finished_at=timezone.now(), result=children
    )
    return children


def children_by(key: str) -> Q:
    return Q(run__parent_step=key)


def children_of(run: Run, key: str) -> "QuerySet[Run]":
    return Run.objects.filter(parent_id=run.id, parent_step=key).order_by("id")


def recorded_children(ids: Sequence[str]) -> list[Run]:
    """By what the step recorded, not by their parent: a retry has the children of the run it copied."""
    return list(Run.objects.filter(id__in=ids).select_related("claim").order_by("id"))


def count_open(run: Run, which: Q) -> int:
    return Claim.objects.filter(which, run__parent_id=run.id).exclude(state__in=END_STATES).count()
