"""Calls to models as rows: each is inserted before its request leaves and settled whatever becomes of it."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from generation import budgets, in_force
from generation.events import Draft
from generation.in_force import InForce
from generation.llm.journal import Attempt, Outcome
from generation.llm.usage import cost, estimate_request, estimate_tokens
from generation.llm.values import Message, ModelRef, ModelRequest, Usage
from generation.models import END_STATES, Agent, Call, CallState, Event, PromptVersion, Run, Step
from memory.base import metrics
from memory.base.errors import ScriptoriumError
from memory.base.ids import new_id
from memory.base.text import clean_json, clean_text

log = structlog.get_logger()

CALLS_AT_ONCE = 500
DELTAS = ("content_delta", "reasoning_delta", "tool_call_delta")


FRESH_SECONDS = 0.5  # so long what was in force when a question was composed is taken to be so still


class Outdated(Exception):
    """Something else is in force by now than when the question was composed: it is to be composed anew."""


@dataclass(frozen=True)
class Purpose:
    """Why a call is made: what was in force for which slot when it was composed, filled with which values."""

    slot: str
    asked_agent: str
    in_force: InForce
    variables: dict[str, Any]
    composed_at: float = field(default_factory=time.monotonic)

    @property
    def agent(self) -> Agent:
        return self.in_force.agent

    @property
    def version(self) -> PromptVersion:
        return self.in_force.version

    def check(self, run: Run) -> None:
        """Raises Outdated: who waited for room, or was refused and tries again, asks what is in force now."""
        if time.monotonic() - self.composed_at < FRESH_SECONDS:
            return
        now = in_force.find(self.slot, self.asked_agent, run)
        if now.what() != self.in_force.what():
            raise Outdated


def open_call(
    run: Run, epoch: int, step: str, number: int, purpose: Purpose, attempt: Attempt, request: ModelRequest
) -> UUID:
    """Insert the call as `sent` with its reservation, in the transaction that tells of it.

    Raises Outdated and the errors of `budgets.reserve`; then nothing is inserted and nothing leaves.
    """
    reservation = reserve_for(attempt.model, request)
    budgets.reserve(run, reservation)
    purpose.check(run)  # after it: who waits for the locks of a budget waits for no known time
    call = Call.objects.create(
        id=new_id(),
        run_id=run.id,
        origin=run.id,
        workspace_id=run.workspace_id,
        user_id=run.user_id,
        step=step,
        attempt=number,
        epoch=epoch,
        reason=attempt.reason,
        agent=purpose.agent.name,
        provider=attempt.model.provider,
        model=attempt.model.model,
        prompt_version=purpose.version,
        assignment=purpose.in_force.assignment,
        chain_assignment=purpose.in_force.chain_assignment,
        reserved_tokens=reservation.tokens,
        reserved_usd=reservation.usd,
        messages=clean_json([as_data(message) for message in request.messages]),
        variables=clean_json(purpose.variables),
    )
    return call.id


def reserve_for(model: ModelRef, request: ModelRequest) -> budgets.Reservation:
    tokens_in, tokens_out = estimate_request(request), request.max_tokens or 4_000
    return budgets.Reservation(tokens_in + tokens_out, cost(model, Usage(tokens_in, tokens_out)))


def as_data(message: Message) -> dict[str, Any]:
    data: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        data["tool_calls"] = [asdict(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        data["tool_call_id"] = message.tool_call_id
    return data


def settle(call_id: UUID, attempt: Attempt, outcome: Outcome) -> Usage:
    """What the call really used. Not fenced: the money is spent whoever owns the run by now."""
    usage = outcome.usage
    Call.objects.filter(id=call_id, state__in=(CallState.SENT, CallState.UNKNOWN)).update(
        state=CallState.FAILED if outcome.error else CallState.DONE,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        tokens_estimated=usage.estimated,
        cost_usd=cost(attempt.model, usage),
        first_token_ms=outcome.first_token_ms,
        duration_ms=outcome.duration_ms,
        finish_reason=clean_text(outcome.finish_reason or "")[:30],
        error=error_data(outcome.error) if outcome.error else None,
        settled_at=timezone.now(),
    )
    return usage


def error_data(error: BaseException) -> dict[str, Any]:
    """An error as rows and events keep it; what is not typed shows its class only, its text goes to the log."""
    if isinstance(error, ScriptoriumError):
        return cast("dict[str, Any]", clean_json(error.as_data()))
    return {"error_code": f"internal.{type(error).__name__}", "params": {}, "permanent": True}


def count(attempt: Attempt, outcome: Outcome) -> None:
    """The metrics of one settled call."""
    model, usage = str(attempt.model), outcome.usage
    metrics.llm_tokens.labels(model, "in").inc(usage.tokens_in)
    metrics.llm_tokens.labels(model, "out").inc(usage.tokens_out)
    metrics.llm_cost.labels(model).inc(float(cost(attempt.model, usage) or 0))
    metrics.llm_duration.labels(model).observe(outcome.duration_ms / 1000)
    if outcome.first_token_ms is not None:
        metrics.llm_first_token.labels(model).observe(outcome.first_token_ms / 1000)
    if isinstance(outcome.error, ScriptoriumError):
        metrics.llm_errors.labels(attempt.model.provider, attempt.model.model, outcome.error.code).inc()


def usage_draft(step: str, number: int, attempt: Attempt, usage: Usage) -> Draft:
    price = cost(attempt.model, usage)
    return Draft.of(
        "usage",
        step=step,
        attempt=number,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        cost_usd=None if price is None else float(price),
        is_estimate=usage.estimated,
    )


def orphans() -> Sequence[Call]:
    """Calls still `sent` whose run has ended, has another owner by now, or was deleted."""
    gone = Q(run__claim__state__in=END_STATES) | Q(run__claim__epoch__gt=F("epoch")) | Q(run=None)
    stale = timezone.now() - timedelta(seconds=settings.LEASE_SECONDS)
    return list(Call.objects.filter(gone, state=CallState.SENT, created_at__lt=stale)[:500])


def settle_orphans() -> int:
    """Close the calls of dead owners as `unknown`, with tokens estimated from the deltas that were recorded."""
    found = orphans()
    for call in found:
        usage = recorded_usage(call)
        Call.objects.filter(id=call.id, state=CallState.SENT).update(
            state=CallState.UNKNOWN,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            tokens_estimated=True,
            cost_usd=cost(ModelRef(call.provider, call.model), usage),
            settled_at=timezone.now(),
        )
    return len(found)


def recorded_usage(call: Call) -> Usage:
    if call.run_id is None:
        return Usage(call.reserved_tokens, 0, estimated=True)  # its log is gone: all that was held back counts
    texts = Event.objects.filter(
        run_id=call.run_id,
        type__in=DELTAS,
        data__step=call.step,
        data__attempt=call.attempt,
    ).values_list("data__text", flat=True)
    asked = "".join(message["content"] for message in call.messages or [])
    return Usage(estimate_tokens(asked), estimate_tokens("".join(texts)), estimated=True)


def forget_old_messages() -> int:
    """Drop what some calls sent to models CALL_RETENTION_DAYS ago, figures and versions stay; how many calls."""
    oldest = list(remembered().values_list("id", flat=True)[:CALLS_AT_ONCE])
    return Call.objects.filter(id__in=oldest).update(messages=None, variables=None)


def remembered() -> QuerySet[Call]:
    """Calls whose messages are kept although they are old enough to be forgotten, oldest first."""
    old = timezone.now() - timedelta(days=settings.CALL_RETENTION_DAYS)
    return Call.objects.filter(created_at__lt=old, messages__isnull=False).order_by("created_at")


def bump_attempt(run: Run, step: str, number: int) -> None:
    Step.objects.filter(run_id=run.id, key=step).update(attempts=number)
