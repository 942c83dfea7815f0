"""REST of experiments, for scripts of the staff: design, start, watch, decide."""

from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from ninja import Router, Status

from generation.api.prompting import as_decision
from generation.decisions import EXPERIMENT
from generation.experiments import critics, lifecycle, outcomes
from generation.experiments.evidence import Evidence
from generation.experiments.lifecycle import ArmIn, Design
from generation.experiments.outcomes import Outcome, Report
from generation.models import Arm, Experiment
from generation.prompting_schemas import (
    CritiqueIn,
    DecisionOut,
    ExperimentIn,
    ExperimentOut,
    NewArmIn,
    ReasonIn,
    WatchedOut,
)
from memory import staff
from memory.base.errors import NotFound
from memory.http import SignedInRequest
from memory.models import User

router = Router(tags=["staff"])

SEE = "generation.view_experiment"
SHOWN = 200


def of(user: User, experiment_id: UUID, right: str = EXPERIMENT) -> Experiment:
    staff.require(user, right)
    experiment = Experiment.objects.filter(id=experiment_id).first()
    if experiment is None:
        raise NotFound("experiment")
    return experiment


def arm_of(user: User, experiment_id: UUID, name: str) -> Arm:
    arm = of(user, experiment_id).arms.select_related("version__prompt", "experiment").filter(name=name).first()
    if arm is None:
        raise NotFound("arm")
    return arm


def as_experiment(experiment: Experiment) -> dict[str, Any]:
    names = ("id", "title", "unit", "metric", "guards", "minimum", "state", "created_at", "started_at", "stopped_at")
    facts = {name: getattr(experiment, name) for name in names}
    arms = [as_arm(arm) for arm in experiment.arms.all()]
    targets = {"prompt": experiment.prompt_id, "agent": experiment.agent_id}
    return {**facts, **targets, "arms": arms, "critique": experiment.critique_id}


def as_arm(arm: Arm) -> dict[str, Any]:
    facts = {name: getattr(arm, name) for name in ("name", "chain", "share", "is_control", "is_open")}
    return {**facts, "version": arm.version.number if arm.version else None}


def as_report(report: Report) -> dict[str, Any]:
    return {
        "until": report.until,
        "fillings": [
            {"arm": each.arm.name, "units": each.units, "expected": each.expected} for each in report.fillings
        ],
        "chance": report.chance,
        "is_mismatched": report.is_mismatched,
        "is_early": report.is_early,
        "outcomes": [as_outcome(each) for each in report.outcomes],
    }


def as_outcome(outcome: Outcome) -> dict[str, Any]:
    readings = []
    for each in outcome.readings:
        low, high = each.estimate.interval() if each.estimate else (None, None)
        facts: dict[str, Any] = {"low": low, "high": high, "value": each.estimate.value if each.estimate else None}
        facts |= {"arm": each.arm.name, "units": each.estimate.n if each.estimate else 0}
        found = each.difference
        said = {"value": found.value, "low": found.low, "high": found.high} if found else None
        verdict = each.verdict.value if each.verdict else "control"
        readings.append({**facts, "difference": said, "verdict": verdict})
    return {"metric": outcome.metric.name, "form": outcome.metric.form, "readings": readings}


@router.get("/experiments", response=list[ExperimentOut], summary="Experiments, newest first")
def index(request: SignedInRequest) -> list[dict[str, Any]]:
    """At most 200."""
    staff.require(request.user, SEE)
    rows = Experiment.objects.prefetch_related(Prefetch("arms", Arm.objects.select_related("version")))
    return [as_experiment(experiment) for experiment in rows.order_by("-id")[:SHOWN]]


@router.post("/experiments", response={201: ExperimentOut}, summary="Design an experiment")
def design(request: SignedInRequest, body: ExperimentIn) -> Status[dict[str, Any]]:
    """A draft: nobody is given an arm before it is started."""
    arms = [ArmIn(**arm.model_dump()) for arm in body.arms]
    facts = body.model_dump(exclude={"arms", "prompt"})
    experiment = lifecycle.design(Design(**facts, slot=body.prompt, arms=arms), request.user)
    return Status(201, as_experiment(experiment))


@router.get("/experiments/{uuid:experiment_id}", response=WatchedOut, summary="An experiment and what it has shown")
def show(request: SignedInRequest, experiment_id: UUID) -> dict[str, Any]:
    experiment = of(request.user, experiment_id, SEE)
    return {**as_experiment(experiment), "report": as_report(outcomes.report(Evidence(experiment)))}


@router.post("/experiments/{uuid:experiment_id}/start", response=DecisionOut, summary="Start it, or go on with it")
def start(request: SignedInRequest, experiment_id: UUID, body: ReasonIn) -> dict[str, Any]:
    return as_decision(lifecycle.start(of(request.user, experiment_id), request.user, body.reason))


@router.post("/experiments/{uuid:experiment_id}/pause", response=DecisionOut, summary="Pause it")
def pause(request: SignedInRequest, experiment_id: UUID, body: ReasonIn) -> dict[str, Any]:
    """Everybody has what is in production, until it is started again."""
    return as_decision(lifecycle.pause(of(request.user, experiment_id), request.user, body.reason))


@router.post("/experiments/{uuid:experiment_id}/stop", response=DecisionOut, summary="Stop it")
def stop(request: SignedInRequest, experiment_id: UUID, body: ReasonIn) -> dict[str, Any]:
    """Everybody has what is in production; what it has shown stays."""
    return as_decision(lifecycle.stop(of(request.user, experiment_id), request.user, body.reason))


@router.post("/experiments/{uuid:experiment_id}/arms", response={201: ExperimentOut}, summary="Add an arm")
def add_arm(request: SignedInRequest, experiment_id: UUID, body: NewArmIn) -> Status[dict[str, Any]]:
    """For those who come from now on; whoever has an arm keeps it."""
    experiment = of(request.user, experiment_id)
    lifecycle.add_arm(experiment, ArmIn(**body.arm.model_dump()), request.user, body.reason)
    return Status(201, as_experiment(experiment))


@router.post("/experiments/{uuid:experiment_id}/arms/{slug:name}/close", response=ExperimentOut, summary="Close an arm")
def close_arm(request: SignedInRequest, experiment_id: UUID, name: str, body: ReasonIn) -> dict[str, Any]:
    arm = arm_of(request.user, experiment_id, name)
    lifecycle.close_arm(arm, request.user, body.reason)
    return as_experiment(arm.experiment)


@router.post(
    "/experiments/{uuid:experiment_id}/arms/{slug:name}/promote",
    response=DecisionOut,
    summary="Put what an arm gives in production, and stop",
)
def promote(request: SignedInRequest, experiment_id: UUID, name: str, body: ReasonIn) -> dict[str, Any]:
    arm = arm_of(request.user, experiment_id, name)
    return as_decision(lifecycle.promote(arm, request.user, body.reason))


@router.post(
    "/experiments/{uuid:experiment_id}/critique",
    response={202: ExperimentOut},
    summary="Have answers scored by a critic",
)
def score(request: SignedInRequest, experiment_id: UUID, body: CritiqueIn) -> Status[dict[str, Any]]:
    """Of each arm up to so many, drawn at random, on your own account. Its run is named by `critique`."""
    experiment = of(request.user, experiment_id)
    critics.score(experiment, request.user, body.answers)
    experiment.refresh_from_db()
    return Status(202, as_experiment(experiment))
