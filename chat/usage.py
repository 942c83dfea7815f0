"""What an answer took: who was asked, who answered, tokens, money and time."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.utils.timezone import now

from generation import agents
from generation.models import Call, CallState
from memory.base.errors import ScriptoriumError


def calls_of(runs: Collection[UUID]) -> list[Call]:
    """The requests made for the answers of these runs, in order; without what they said."""
    found = Call.objects.filter(run__in=runs).defer("messages", "variables")
    return list(found.order_by("id")) if runs else []


def of(calls: Sequence[Call], run_id: UUID | None, prefix: str) -> list[Call]:
    """Those for the one answer of this run whose steps begin with this."""
    return [call for call in calls if call.run_id == run_id and call.step.startswith(f"{prefix}round-")]


def told(calls: Sequence[Call]) -> dict[str, Any]:
    """What it took until now, and who answered last; nothing when nobody was asked.

    `instead_of` is the model whose place the last one took, because it failed or rests; else it is empty.
    """
    if not calls:
        return {}
    first, last = calls[0], calls[-1]
    costs = [call.cost_usd for call in calls]
    return {
        "provider": last.provider,
        "model": last.model,
        "instead_of": instead_of([call for call in calls if call.step == last.step]),
        "failures": sum(call.state == CallState.FAILED for call in calls),
        "calls": len(calls),
        "tokens_in": sum(call.tokens_in or 0 for call in calls),
        "tokens_out": sum(call.tokens_out or 0 for call in calls),
        "cost_usd": float(sum(cost for cost in costs if cost is not None)),
        "is_cost_known": None not in costs,
        "seconds": round((now() - first.created_at).total_seconds(), 1),
    }


def instead_of(calls: Sequence[Call]) -> str:
    """Of the requests of one round."""
    first, last = calls[0], calls[-1]
    if first.model != last.model:
        return first.model
    return first_choice(first.agent) if first.reason == "next_model" else ""


def first_choice(agent: str) -> str:
    """A model that rests was not even asked: only the chain knows of it."""
    try:
        return agents.chain(agents.get(agent))[0].model
    except ScriptoriumError:  # the agent or its chain was taken away meanwhile
        return ""
