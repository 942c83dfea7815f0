"""How models do, and what they can, as REST and commands show it."""

from typing import Any

from generation.chain_check import Check, Checked
from generation.health import ModelHealth
from generation.health_figures import Spread


def as_spread(spread: Spread | None) -> dict[str, int] | None:
    return {"p50": spread.p50, "p95": spread.p95} if spread else None


def as_health(each: ModelHealth) -> dict[str, Any]:
    figures = each.figures
    return {
        "model": str(each.model),
        "verdict": each.verdict,
        "answered": figures.answered,
        "failed": figures.failed,
        "failed_in_a_row": figures.in_a_row,
        "under_way": figures.under_way,
        "instead": [{"model": str(one.model), "times": one.times, "last": one.last} for one in each.stand_ins],
        "first_word_ms": as_spread(figures.first_word),
        "duration_ms": as_spread(figures.took),
        "last_answer": figures.last_answer,
        "last_failure": figures.last_failure,
        "last_error": {"error_code": each.error_code, "message": each.error_said} if each.error else None,
        "rests_for": each.rest.paused,
        "is_suspected": each.rest.suspected > 0,
        "first_choice_of": [agent.name for agent in each.first_of],
        "later_choice_of": [agent.name for agent in each.next_of],
    }


def as_checked(each: Checked) -> dict[str, Any]:
    return {
        "model": str(each.model),
        "is_good": each.is_good,
        "aspects": [
            {
                "name": aspect.name,
                "holds": aspect.holds,
                "error": {"error_code": aspect.error.code, "message": aspect.said} if aspect.error else None,
            }
            for aspect in each.aspects
        ],
        "first_word_ms": each.first_word_ms,
        "cost_usd": None if each.cost is None else float(each.cost),
    }


def as_check(check: Check) -> dict[str, Any]:
    return {
        "agent": check.agent.name,
        "is_good": check.is_good,
        "cost_usd": None if check.cost is None else float(check.cost),
        "models": [as_checked(each) for each in check.models],
    }
