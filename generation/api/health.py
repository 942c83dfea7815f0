"""REST for scripts of the staff: how models do, and what those of an agent's chain can do."""

from typing import Any

from ninja import Router

from generation import agents, chain_check, health
from generation.health_pictures import as_check, as_health
from generation.health_schemas import CheckOut, HealthOut
from memory import staff
from memory.http import SignedInRequest

router = Router(tags=["staff"])

SEE, CHECK = "generation.view_agent", "generation.change_agent"


@router.get("/models/health", response=HealthOut, summary="How models have done in the last hour")
def show(request: SignedInRequest) -> dict[str, Any]:
    """First choices of agents that are in trouble come first."""
    staff.require(request.user, SEE)
    report = health.report()
    return {
        "at": report.at,
        "knows_rests": report.knows_rests,
        "models": [as_health(each) for each in report.models],
        "unreadable": [each.agent.name for each in report.unreadable],
    }


@router.post("/agents/{slug:name}/check", response=CheckOut, summary="Ask the models of a chain what they can do")
def check(request: SignedInRequest, name: str) -> dict[str, Any]:
    """Two tiny questions to each model of the chain in force. One check at a time."""
    staff.require(request.user, CHECK)
    return as_check(chain_check.check(agents.get(name)))
