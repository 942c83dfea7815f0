"""The verbs that put something in force, with who, when and why: the production of a prompt, the chain of an agent.

The next call of every process goes by it. Taking one back is a decision, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from generation import agents, prompt_checks
from generation.models import (
    OPEN_EXPERIMENTS,
    Agent,
    Decision,
    Deed,
    Experiment,
    ExperimentState,
    Prompt,
    PromptVersion,
)
from memory import staff
from memory.base.errors import Conflict, InvalidInput
from memory.base.text import clean_text
from memory.models import User

log = structlog.get_logger()

PROMOTE, EXPERIMENT = "generation.promote_prompt", "generation.run_experiment"
RIGHTS = {"production": PROMOTE, "chain": PROMOTE, "state": EXPERIMENT}
MOST_REASON = 500

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """What a decision is about, locked until the transaction ends; a prompt or agent before its experiment."""

    prompt: Prompt | None = None
    agent: Agent | None = None
    experiment: Experiment | None = None

    @classmethod
    def locked(
        cls, prompt_id: str | None = None, agent_id: str | None = None, experiment: Experiment | None = None
    ) -> "Target":
        if experiment:
            prompt_id, agent_id = prompt_id or experiment.prompt_id, agent_id or experiment.agent_id
        return cls(
            prompt=Prompt.objects.select_for_update().get(pk=prompt_id) if prompt_id else None,
            agent=Agent.objects.select_for_update().get(pk=agent_id) if agent_id else None,
            experiment=Experiment.objects.select_for_update().get(pk=experiment.pk) if experiment else None,
        )

    def facts(self, names: Facts) -> dict[str, Any]:
        """How these stand now."""
        facts: dict[str, Any] = {}
        if self.prompt and "production" in names:
            facts["production"] = self.prompt.production.number if self.prompt.production else None
        if self.agent and "chain" in names:
            facts["chain"] = self.agent.chain
        if self.experiment and "state" in names:
            facts["state"] = self.experiment.state
        return facts

    def put(self, facts: Facts) -> None:
        """Make them stand so. Raises `conflict.experiment_open` for a second experiment on one target, and
        `validation.prompt_version` for a version that cannot be rendered with what the prompt is given by now."""
        now = timezone.now()
        if self.prompt and "production" in facts:
            version = self.prompt.versions.get(number=facts["production"])
            prompt_checks.demand(version.text, self.prompt, version.number)
            Prompt.objects.filter(pk=self.prompt.pk).update(production=version, updated_at=now)
        if self.agent and "chain" in facts:
            Agent.objects.filter(pk=self.agent.pk).update(chain=facts["chain"], updated_at=now)
        if self.experiment and "state" in facts:
            self.put_state(self.experiment, facts["state"])

    def put_state(self, experiment: Experiment, state: str) -> None:
        if state in OPEN_EXPERIMENTS:
            others = Experiment.objects.filter(prompt=experiment.prompt_id, agent=experiment.agent_id)
            if others.filter(state__in=OPEN_EXPERIMENTS).exclude(pk=experiment.pk).exists():
                raise Conflict("experiment_open", target=experiment.target)
        changes: dict[str, Any] = {"state": state}
        changes["stopped_at"] = timezone.now() if state == ExperimentState.STOPPED else None
        if experiment.started_at is None:
            changes["started_at"] = timezone.now()
        Experiment.objects.filter(pk=experiment.pk).update(**changes)


@transaction.atomic
def promote(version: PromptVersion, by: User, reason: str) -> Decision:
    """Put the version in production; one that is older than the one in production is a rollback.

    Raises `permission.right`, `validation.reason`, `conflict.in_production`, and `validation.prompt_version` for a
    text that cannot be rendered with what the prompt is given by now.
    """
    staff.require(by, PROMOTE)
    target = Target.locked(prompt_id=version.prompt_id)
    return decide(target, deed_of(target, version), {"production": version.number}, by, reason)


def deed_of(target: Target, version: PromptVersion) -> Deed:
    before = target.prompt.production if target.prompt else None
    return Deed.ROLL_BACK if before and version.number < before.number else Deed.PROMOTE


def check_renders(version: PromptVersion) -> None:
    prompt_checks.demand(version.text, version.prompt, version.number)


@transaction.atomic
def set_chain(agent: Agent, chain: list[str], by: User, reason: str) -> Decision:
    """Give the agent this chain of models. Raises `permission.right`, `validation.reason`, `validation.chain`."""
    staff.require(by, PROMOTE)
    target = Target.locked(agent_id=agent.pk)
    return decide(target, Deed.CHAIN, {"chain": clean_chain(agent.name, chain)}, by, reason)


def clean_chain(agent: str, chain: Any) -> list[str]:
    """The names of models, each as `provider:model`. Raises `validation.chain`."""
    return [str(model) for model in agents.parse(agent, chain if isinstance(chain, list) else [chain])]


def decide(target: Target, deed: Deed, after: Facts, by: User, reason: str) -> Decision:
    """Put these facts, and keep who did it and why. Raises `validation.reason`, `conflict.in_force_already`."""
    before = target.facts(after)
    if before == dict(after):
        raise Conflict("in_force_already")
    target.put(after)
    return record(target, deed, before, after, by, reason)


def record(
    target: Target, deed: Deed, before: Facts, after: Facts, by: User, reason: str, undoes: Decision | None = None
) -> Decision:
    decision = Decision.objects.create(
        deed=deed,
        prompt=target.prompt,
        agent=target.agent,
        experiment=target.experiment,
        before=dict(before),
        after=dict(after),
        user=by,
        reason=clean_reason(reason),
        undoes=undoes,
    )
    log.info("decision", decision=str(decision), by=str(by.pk))
    return decision


def clean_reason(reason: str) -> str:
    """Raises `validation.reason` for none, or one of more than MOST_REASON characters."""
    reason = clean_text(reason).strip()
    if not reason or len(reason) > MOST_REASON:
        raise InvalidInput("reason", limit=MOST_REASON)
    return reason


def can_be_undone(decision: Decision) -> bool:
    """Whether there is a way back at all; whether it still stands is asked when it is gone."""
    state = decision.before.get("state")
    return bool(decision.before) and set(decision.before) <= set(RIGHTS) and state != ExperimentState.DRAFT


@transaction.atomic
def undo(decision: Decision, by: User, reason: str) -> Decision:
    """Make things stand as they did before it; that can be undone, too.

    Raises `permission.right`, `validation.reason`, `validation.prompt_version`, and `conflict.decision_passed` when
    what it put in force is so no longer.
    """
    for name in decision.before:
        staff.require(by, RIGHTS.get(name, EXPERIMENT))
    target = Target.locked(decision.prompt_id, decision.agent_id, decision.experiment)
    is_passed = Decision.objects.filter(undoes=decision).exists() or target.facts(decision.after) != decision.after
    if is_passed or not can_be_undone(decision):
        raise Conflict("decision_passed")
    target.put(decision.before)
    return record(target, Deed.UNDO, decision.after, decision.before, by, reason, undoes=decision)
