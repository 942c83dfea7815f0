"""The verbs on an experiment: design, start, pause, stop, add an arm, close one, promote the one that won.

Ending it, in whatever way, is one update: everybody has what is in production with their next call.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from generation import decisions
from generation.decisions import EXPERIMENT, PROMOTE, Target
from generation.experiments.metrics import METRICS
from generation.models import (
    OPEN_EXPERIMENTS,
    Agent,
    Arm,
    Decision,
    Deed,
    Experiment,
    ExperimentState,
    Prompt,
    PromptVersion,
    Unit,
)
from memory import staff
from memory.base.errors import Conflict, InvalidInput, NotFound
from memory.base.text import clean_text
from memory.models import User

FEWEST_ARMS, MOST_ARMS = 2, 4


@dataclass(frozen=True)
class ArmIn:
    """An arm as it is asked for: `version` by number for a prompt, `chain` for an agent."""

    name: str
    share: int = 1
    version: int | None = None
    chain: Sequence[str] = ()


@dataclass(frozen=True)
class Design:
    """What an experiment is to compare; the first arm is the control."""

    title: str
    arms: Sequence[ArmIn]
    metric: str
    slot: str | None = None
    agent: str | None = None
    unit: Unit = Unit.USER
    guards: Sequence[str] = field(default_factory=tuple)
    minimum: int = 100


@transaction.atomic
def design(wanted: Design, by: User) -> Experiment:
    """A draft. Raises `permission.right`, `not_found.prompt`, `not_found.agent`, and the errors of `check`."""
    staff.require(by, EXPERIMENT)
    prompt, agent = target_of(wanted)
    experiment = Experiment.objects.create(
        title=clean_text(wanted.title).strip()[:200],
        prompt=prompt,
        agent=agent,
        unit=wanted.unit,
        metric=wanted.metric,
        guards=list(wanted.guards),
        minimum=wanted.minimum,
        created_by=by,
    )
    for index, arm in enumerate(wanted.arms):
        create_arm(experiment, arm, is_control=index == 0)
    check(experiment)
    return experiment


def keep(draft: Experiment, by: User, changed: Sequence[str]) -> None:
    """Save a draft from a form: all of a new one, else these of its fields. It may not be whole yet."""
    staff.require(by, EXPERIMENT)
    if draft._state.adding:
        draft.created_by = by
        draft.save()
    elif changed:
        draft.save(update_fields=changed)


def target_of(wanted: Design) -> tuple[Prompt | None, Agent | None]:
    """Raises `validation.experiment_target` unless it is exactly one of the two."""
    if bool(wanted.slot) == bool(wanted.agent):
        raise InvalidInput("experiment_target")
    if wanted.agent:
        agent = Agent.objects.filter(name=wanted.agent).first()
        if agent is None:
            raise NotFound("agent", agent=wanted.agent)
        return None, agent
    prompt = Prompt.objects.filter(slot=wanted.slot).first()
    if prompt is None:
        raise NotFound("prompt", slot=wanted.slot, version="production")
    return prompt, None


def create_arm(experiment: Experiment, arm: ArmIn, *, is_control: bool = False) -> Arm:
    if experiment.arms.filter(name=arm.name).exists():
        raise InvalidInput("experiment_arm", arm=arm.name)
    version = PromptVersion.objects.filter(prompt=experiment.prompt_id, number=arm.version or 0).first()
    return Arm.objects.create(
        experiment=experiment,
        name=arm.name,
        share=arm.share,
        version=version,
        chain=list(arm.chain),
        is_control=is_control,
    )


def check(experiment: Experiment) -> list[Arm]:
    """The open arms, when it could be started.

    Raises `validation.experiment_metric`, `validation.experiment_arms` (two to four, one of them the control, shares
    from 1), `validation.experiment_arm` for an arm that is no version of the prompt or no chain, or is there twice.
    """
    if experiment.metric not in METRICS or not set(experiment.guards) <= set(METRICS) - {experiment.metric}:
        raise InvalidInput("experiment_metric", metric=experiment.metric, allowed=sorted(METRICS))
    arms = list(experiment.arms.select_related("version__prompt").filter(is_open=True))
    controls = sum(arm.is_control for arm in arms)
    if not FEWEST_ARMS <= len(arms) <= MOST_ARMS or controls != 1 or experiment.minimum < FEWEST_ARMS:
        raise InvalidInput("experiment_arms", least=FEWEST_ARMS, most=MOST_ARMS)
    told = []
    for arm in arms:
        what = check_arm(experiment, arm)
        if what in told or not 1 <= arm.share <= 1_000:
            raise InvalidInput("experiment_arm", arm=arm.name)
        told.append(what)
    return arms


def check_arm(experiment: Experiment, arm: Arm) -> Any:
    """What it gives: a version that can be rendered, or a chain."""
    if experiment.agent_id:
        chain = decisions.clean_chain(experiment.agent_id, arm.chain)
        if not chain or arm.version_id:
            raise InvalidInput("experiment_arm", arm=arm.name)
        return chain
    if arm.version is None or arm.version.prompt_id != experiment.prompt_id or arm.chain:
        raise InvalidInput("experiment_arm", arm=arm.name)
    decisions.check_renders(arm.version)
    return arm.version_id


@transaction.atomic
def start(experiment: Experiment, by: User, reason: str) -> Decision:
    """Give its arms from now on, or again after a pause: whoever had one has the same.

    Raises the errors of `check`, `conflict.experiment_open` for a second one on its target, `conflict.experiment_over`.
    """
    staff.require(by, EXPERIMENT)
    target, standing = locked(experiment)
    if standing.state == ExperimentState.STOPPED:
        raise Conflict("experiment_over")
    arms = check(standing)
    if not standing.plans:
        plan(standing, arms)
    return decisions.decide(target, Deed.START, {"state": ExperimentState.RUNNING.value}, by, reason)


@transaction.atomic
def pause(experiment: Experiment, by: User, reason: str) -> Decision:
    """Everybody has what is in production until it is started again. Raises `conflict.experiment_over`."""
    staff.require(by, EXPERIMENT)
    target, standing = locked(experiment)
    if standing.state != ExperimentState.RUNNING:
        raise Conflict("experiment_over")
    return decisions.decide(target, Deed.PAUSE, {"state": ExperimentState.PAUSED.value}, by, reason)


@transaction.atomic
def stop(experiment: Experiment, by: User, reason: str) -> Decision:
    """Everybody has what is in production; what it has shown stays. Raises `conflict.experiment_over`."""
    staff.require(by, EXPERIMENT)
    target, standing = locked(experiment)
    if standing.state not in OPEN_EXPERIMENTS:
        raise Conflict("experiment_over")
    return decisions.decide(target, Deed.STOP, {"state": ExperimentState.STOPPED.value}, by, reason)


@transaction.atomic
def promote(arm: Arm, by: User, reason: str) -> Decision:
    """Stop the experiment and put what this arm gives in production: one decision, which is undone as one.

    What is in production already stays so. Raises `conflict.arm_closed`, the errors of `stop` and those of
    `decisions.promote`.
    """
    for right in (PROMOTE, EXPERIMENT):
        staff.require(by, right)
    target, standing = locked(arm.experiment)
    if standing.state not in OPEN_EXPERIMENTS:
        raise Conflict("experiment_over")
    if not standing.arms.filter(pk=arm.pk, is_open=True).exists():
        raise Conflict("arm_closed")
    facts: dict[str, Any] = {"state": ExperimentState.STOPPED.value}
    if arm.version:
        facts["production"] = arm.version.number
    else:
        facts["chain"] = decisions.clean_chain(standing.agent_id or "", arm.chain)
    return decisions.decide(target, Deed.PROMOTE, facts, by, reason)


@transaction.atomic
def add_arm(experiment: Experiment, arm: ArmIn, by: User, reason: str) -> Arm:
    """One more arm for those who come from now on; whoever has one keeps it. Raises the errors of `check`."""
    staff.require(by, EXPERIMENT)
    target, standing = locked(experiment)
    if standing.state == ExperimentState.STOPPED:
        raise Conflict("experiment_over")
    made = create_arm(standing, arm)
    replan(target, standing, by, reason)
    return made


@transaction.atomic
def close_arm(arm: Arm, by: User, reason: str) -> None:
    """Nobody is given it any more; whoever has it gets what is in production, and counts for no other arm.

    Raises `conflict.arm_needed` for the control, and when it would leave less than two.
    """
    staff.require(by, EXPERIMENT)
    target, standing = locked(arm.experiment)
    if standing.state == ExperimentState.STOPPED:
        raise Conflict("experiment_over")
    opened = standing.arms.filter(is_open=True)
    if not opened.filter(pk=arm.pk).exists():
        raise Conflict("arm_closed")
    left = opened.exclude(pk=arm.pk)
    if arm.is_control or left.count() < FEWEST_ARMS:
        raise Conflict("arm_needed")
    Arm.objects.filter(pk=arm.pk).update(is_open=False)
    replan(target, standing, by, reason)


def replan(target: Target, experiment: Experiment, by: User, reason: str) -> None:
    before = experiment.plans[-1] if experiment.plans else {}
    arms = check(experiment)
    if experiment.plans:
        plan(experiment, arms)
    after = {arm.name: arm.share for arm in arms}
    decisions.record(target, Deed.ARMS, {"arms": before}, {"arms": after}, by, reason)


def plan(experiment: Experiment, arms: Sequence[Arm]) -> None:
    shares: Mapping[str, int] = {arm.name: arm.share for arm in arms}
    experiment.plans = [*experiment.plans, shares]
    experiment.save(update_fields=["plans"])


def locked(experiment: Experiment) -> tuple[Target, Experiment]:
    target = Target.locked(experiment=experiment)
    if target.experiment is None:
        raise ValueError(f"{experiment} was not locked")
    return target, target.experiment
