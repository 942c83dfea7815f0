"""A run that has ended, as its page tells it: how it went step by step, who answered, and what is left to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from generation import queue_pictures, telling, time_line
from generation.leaf_sections import DEMO
from generation.models import CallState, Run, RunState, StepState
from generation.time_line import CallLine, StepLine
from memory.models import User

# Steps that write nothing into a document, by the code of their label, and what is said of one that is done.
OTHERS: dict[str, Promise] = {
    "sources": _("the files"),
    "grade": _("answer {number}"),
    "critique": _("answer {number}"),
}
JUDGED: dict[str, Promise] = {"grade": _("Graded"), "critique": _("Scored")}
# How a step's state is drawn and said; the rest has its own name.
STATES = {StepState.RUNNING: "generating", StepState.DONE: "ready"}


@dataclass(frozen=True)
class StepRow:
    """`model` is who answered last, `instead_of` who was asked first and did not."""

    title: str
    state: str
    word: str
    is_copy: bool
    seconds: float | None
    model: str
    is_demo: bool
    instead_of: str
    failures: int
    cost: Decimal | None
    why: str


def ended(user: User, run_id: UUID) -> dict[str, Any]:
    """Raises `not_found.run`."""
    run = Run.objects.visible(user).select_related("claim", "document", "user").get(id=run_id)
    return told(run, user)


def told(run: Run, user: User) -> dict[str, Any]:
    line = time_line.of(run.id)
    return {
        "run": run,
        "row": queue_pictures.drawn([run], user)[0],
        "brief": Truncator(" ".join(run.brief.split())).chars(500) if run.action == Run.WRITE else "",
        "steps": [draw(each) for each in line.lines if is_told(each)],
        "tokens_in": number_format(line.sums.tokens_in, force_grouping=True),
        "tokens_out": number_format(line.sums.tokens_out, force_grouping=True),
        "closing": closing(run, line.sums.fallbacks),
        "later": run.retried_by.order_by("-id").first(),
    }


def is_told(line: StepLine) -> bool:
    """What only prepared, and went well, is nobody's news."""
    return bool(line.calls or line.error or (line.step and name_of(line.step.label)))


def name_of(label: dict[str, Any]) -> str:
    if code := OTHERS.get(str(label.get("code"))):
        return str(code).format(number=label.get("number", ""))
    return telling.made(label)


def draw(line: StepLine) -> StepRow:
    step = line.step
    name = (name_of(step.label) if step else "") or line.key
    state = drawing_of(line)
    asked = [each.call for each in line.calls]
    last, first = (asked[-1], asked[0]) if asked else (None, None)
    costs = [call.cost_usd for call in asked if call.cost_usd is not None]
    return StepRow(
        title=name[:1].upper() + name[1:],
        state=state,
        word=word_of(line, state),
        is_copy=bool(step and step.copied_from),
        seconds=line.stretch.seconds if line.stretch and step and step.finished_at else None,
        model=last.model if last else "",
        is_demo=bool(last and last.provider == DEMO),
        instead_of=first.model if first and last and first.model != last.model else "",
        failures=sum(call.state == CallState.FAILED for call in asked),
        cost=sum(costs, Decimal(0)) or None,
        why=telling.cause(step.error if step and step.error else None) or reason(line.calls),
    )


def word_of(line: StepLine, state: str) -> str:
    if state == StepState.CANCELLED:
        return gettext("Stopped")
    judged = JUDGED.get(str(line.step.label.get("code"))) if line.step and state == "ready" else None
    return str(judged) if judged else telling.state(state)


def drawing_of(line: StepLine) -> str:
    if line.step is None:
        return str(StepState.FAILED)
    return "fallback" if line.step.is_fallback else STATES.get(StepState(line.step.state), line.step.state)


def reason(calls: Sequence[CallLine]) -> str:
    """Why a model was asked once more, or another one."""
    failed = [each.call.error for each in calls if each.call.state == CallState.FAILED and each.call.error]
    return telling.cause(failed[-1]) if failed else ""


def closing(run: Run, standins: int) -> dict[str, str] | None:
    """What happened, for who wonders why there is not more; nothing for a run in which all went well."""
    heads = {
        RunState.PARTIAL: gettext("Not all of it could be done."),
        RunState.FAILED: gettext("It broke off."),
        RunState.CANCELLED: gettext("It was stopped."),
    }
    head = heads.get(RunState(run.claim.state))
    if head is None:
        return None
    state = "failed" if run.claim.state == RunState.FAILED else "fallback"
    counted = ngettext("{n} stand-in", "{n} stand-ins", standins).format(n=standins) + "." if standins else ""
    return {"head": head, "text": telling.cause(run.error) or counted, "state": state}
