"""What is in force for a call: the version of a prompt, the agent who answers it, and its chain of models.

The environment decides first, then a running experiment, then production. Every call asks, staff change rows once in a
while: they are kept in the process as long as PostgreSQL has not written one of them anew. The arm of an experiment is
known before anything that is kept is looked at.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings
from django.db import connection

from generation import agents, prompts
from generation.experiments import assignments
from generation.llm.values import ModelRef
from generation.models import Agent, Assignment, PromptVersion, Run, Unit

# The transaction that wrote a row and the place where it lies: no two versions of a row share both.
STANDING = """
SELECT (p.xmin, p.ctid, v.xmin, v.ctid, a.xmin, a.ctid)::text, e.id, e.unit, e.prompt_id IS NOT NULL
FROM generation_prompt p
JOIN generation_agent a ON a.name = coalesce(nullif(%(agent)s, ''), p.agent)
LEFT JOIN generation_promptversion v ON v.id = p.production_id
LEFT JOIN generation_experiment e ON e.state = 'running' AND (e.prompt_id = p.slot OR e.agent_id = a.name)
WHERE p.slot = %(slot)s
"""


@dataclass(frozen=True)
class InForce:
    """The assignments are those that made it so: of the experiment on the prompt, of the one on the agent."""

    version: PromptVersion
    agent: Agent
    chain: tuple[ModelRef, ...]
    assignment: Assignment | None = None
    chain_assignment: Assignment | None = None

    def what(self) -> tuple[object, ...]:
        """What a call is made with and counted for; rows that say the same are the same."""
        return self.version, self.chain, self.assignment, self.chain_assignment


Found = tuple[PromptVersion, Agent]
kept: dict[tuple[str, str], tuple[str, Found]] = {}


def find(slot: str, agent: str = "", run: Run | None = None) -> InForce:
    """For this slot, answered by this agent or the prompt's own; for a run, with the arms that its units were given.

    Raises `not_found.prompt`, `not_found.agent`, `validation.chain`.
    """
    stamp, experiments = standing(slot, agent)
    given = [assignments.of(each, unit, run) for each, unit in experiments] if run else []
    version, who = production(slot, agent, stamp)
    found = InForce(version, who, agents.chain(who))
    for assignment in given:
        found = exposed(found, assignment) if assignment else found
    return found


def standing(slot: str, agent: str) -> tuple[str, list[tuple[UUID, Unit]]]:
    """The stamp of the rows, and which experiments give their arms there: not where the environment has decided."""
    with connection.cursor() as sql:
        sql.execute(STANDING, {"slot": slot, "agent": agent})
        rows = sql.fetchall()
    decided = bool(prompts.override_of(slot))
    experiments = [
        (each, Unit(unit))
        for _stamp, each, unit, is_of_prompt in rows
        if each and settings.ENABLE_PROMPT_AB_TESTING and not (is_of_prompt and decided)
    ]
    return (str(rows[0][0]) if rows else "", experiments)


def production(slot: str, agent: str, stamp: str) -> Found:
    """As for work that is in no experiment. What the environment names is not kept: the stamp is another version's."""
    if not stamp or prompts.override_of(slot):
        return read(slot, agent)
    known = kept.get((slot, agent))
    if known is None or known[0] != stamp:
        known = kept[slot, agent] = (stamp, read(slot, agent))
    return known[1]


def read(slot: str, agent: str) -> Found:
    version = prompts.current(slot)
    return version, agents.get(agent or version.prompt.agent)


def exposed(found: InForce, assignment: Assignment) -> InForce:
    """With what the arm gives instead. A chain that the environment set stays."""
    arm = assignment.arm
    if arm.version is not None:
        return replace(found, version=arm.version, assignment=assignment)
    if agents.override_of(found.agent.name):
        return found
    return replace(found, chain=agents.parse(found.agent.name, arm.chain), chain_assignment=assignment)
