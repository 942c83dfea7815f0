"""What happened in a run, in time: its steps, the calls of each, and where on the run's own stretch of time they lie.

What was said to models and what they answered is its workspace's, and is not read here.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext

from generation.models import Call, CallState, Run, Step
from memory import sentences

WIDTH = 1000  # of a bar, in units of its drawing
THINNEST = 4  # what is too short to be seen still is


@dataclass(frozen=True)
class Stretch:
    """From when to when, and as a bar."""

    begun: timedelta
    took: timedelta
    x: int
    width: int

    @property
    def seconds(self) -> float:
        return self.took.total_seconds()

    @property
    def after(self) -> float:
        return self.begun.total_seconds()


@dataclass(frozen=True)
class CallLine:
    call: Call
    stretch: Stretch

    @property
    def answered_by(self) -> str:
        return f"{self.call.provider}:{self.call.model}"

    @property
    def why(self) -> str:
        """Why it was made, when it was not the first."""
        return "" if self.call.reason == "first" else gettext(self.call.reason.replace("_", " "))

    @property
    def error(self) -> str:
        return said(self.call.error)

    @property
    def is_red(self) -> bool:
        return self.call.state == CallState.FAILED


@dataclass(frozen=True)
class StepLine:
    key: str
    step: Step | None  # None: calls of no recorded step
    stretch: Stretch | None
    calls: list[CallLine]

    @property
    def error(self) -> str:
        return said(self.step.error) if self.step else ""


@dataclass(frozen=True)
class Sums:
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    retries: int = 0
    fallbacks: int = 0
    models: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TimeLine:
    seconds: float
    lines: list[StepLine]
    sums: Sums
    children: list[Run]


def of(run_id: UUID) -> TimeLine:
    """Three queries, however many steps and calls there are."""
    run = Run.objects.select_related("claim").get(pk=run_id)
    steps = list(Step.objects.filter(run=run).defer("result", "text").order_by("started_at", "id"))
    calls = list(Call.objects.filter(run=run).defer("messages", "variables").order_by("created_at", "id"))
    clock = Clock(run, steps, calls)
    return TimeLine(
        seconds=clock.length.total_seconds(),
        lines=lines_of(steps, calls, clock),
        sums=sums_of(steps, calls),
        children=list(run.children.select_related("claim").order_by("id")),
    )


class Clock:
    """The run's own time: from its start, or its first deed, to its end, its last deed, or now."""

    def __init__(self, run: Run, steps: Iterable[Step], calls: Iterable[Call]) -> None:
        deeds = [*(step.started_at for step in steps), *(call.created_at for call in calls)]
        ends = [*(step.finished_at for step in steps), *(ended(call) for call in calls)]
        self.begin = min([run.started_at or run.created_at, *deeds])
        self.end: datetime = max([run.finished_at or timezone.now(), *(end for end in ends if end)])
        self.length = max(self.end - self.begin, timedelta(milliseconds=1))

    def stretch(self, begun: datetime, ended: datetime | None) -> Stretch:
        took = max((ended or self.end) - begun, timedelta())
        width = min(max(round(WIDTH * (took / self.length)), THINNEST), WIDTH)
        x = min(round(WIDTH * ((begun - self.begin) / self.length)), WIDTH - width)
        return Stretch(begun - self.begin, took, x, width)


def ended(call: Call) -> datetime | None:
    if call.duration_ms is not None:
        return call.created_at + timedelta(milliseconds=call.duration_ms)
    return call.settled_at


def lines_of(steps: Iterable[Step], calls: Iterable[Call], clock: Clock) -> list[StepLine]:
    by_step: defaultdict[str, list[CallLine]] = defaultdict(list)
    for call in calls:
        by_step[call.step].append(CallLine(call, clock.stretch(call.created_at, ended(call))))
    lines = [StepLine(step.key, step, stretch_of(step, clock), by_step.pop(step.key, [])) for step in steps]
    return lines + [StepLine(key, None, None, rest) for key, rest in by_step.items()]


def stretch_of(step: Step, clock: Clock) -> Stretch | None:
    """None for what was taken over from an earlier run: it took no time of this one."""
    return None if step.copied_from else clock.stretch(step.started_at, step.finished_at)


def sums_of(steps: Iterable[Step], calls: list[Call]) -> Sums:
    return Sums(
        calls=len(calls),
        tokens_in=sum(call.tokens_in or 0 for call in calls),
        tokens_out=sum(call.tokens_out or 0 for call in calls),
        cost_usd=sum((call.cost_usd for call in calls if call.cost_usd is not None), Decimal(0)),
        unpriced=sum(call.cost_usd is None for call in calls),
        retries=sum(call.reason != "first" for call in calls),
        fallbacks=sum(step.is_fallback for step in steps),
        models=sorted({f"{call.provider}:{call.model}" for call in calls if call.state == CallState.DONE}),
    )


def said(error: dict[str, Any] | None) -> str:
    return sentences.say(error.get("error_code", ""), error.get("params") or {}) if error else ""
