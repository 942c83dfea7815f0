"""Who answers: agents are rows, seeded from this table; a chain comes from the environment, the row, or the house."""

import os
from collections.abc import Sequence

from generation import gateway
from generation.llm.values import ModelRef
from generation.models import Agent
from memory.base.errors import InvalidInput, NotFound

ASSISTANT = "assistant"  # who answers in a conversation, unless another is chosen

# name, title, temperature, most tokens of one answer
DEFAULTS: tuple[tuple[str, str, float, int], ...] = (
    ("writer", "Writer", 0.7, 12_000),
    ("planner", "Planner", 0.4, 6_000),
    ("mermaid", "Mermaid diagrams", 0.2, 2_000),
    ("plantuml", "PlantUML diagrams", 0.2, 2_000),
    ("graphviz", "Graphviz diagrams", 0.2, 2_000),
    ("vegalite", "Vega-Lite charts", 0.2, 2_000),
    ("examiner", "Examiner", 0.3, 12_000),
    ("critic", "Critic", 0.2, 3_000),
    ("consistency", "Consistency", 0.1, 3_000),
    ("analyst", "Analyst", 0.1, 2_000),
    (ASSISTANT, "Assistant", 0.6, 6_000),
    ("anima", "Anima", 0.7, 4_000),
    ("neo", "Neo", 0.4, 4_000),
    ("nexus", "Nexus", 0.5, 4_000),
    ("tactical", "Tactical", 0.4, 1_500),
    ("emotional", "Emotional analyst", 0.2, 1_000),
    ("closing", "Closing detector", 0.2, 1_000),
    ("strategy", "Strategy advisor", 0.4, 1_500),
)


def sync() -> None:
    """Make the rows that are missing; what staff changed stays."""
    for name, title, temperature, max_tokens in DEFAULTS:
        Agent.objects.get_or_create(
            name=name, defaults={"title": title, "temperature": temperature, "max_tokens": max_tokens}
        )


def get(name: str) -> Agent:
    agent = Agent.objects.filter(name=name).first()
    if agent is None:
        raise NotFound("agent", agent=name)
    return agent


def edit(agent: Agent, changed: Sequence[str]) -> None:
    """Save these of its fields; another chain is a decision (`decisions.set_chain`)."""
    if changed:
        agent.save(update_fields=[*changed, "updated_at"])


def override_of(name: str) -> str:
    """The chain the environment puts above the row, as it stands there; empty without one."""
    return os.environ.get(f"AGENT_{name.upper().replace('-', '_')}_CHAIN", "").strip()


def chain(agent: Agent) -> tuple[ModelRef, ...]:
    """Models in order: the environment's, else the row's, else the house's default."""
    override = override_of(agent.name)
    names = [part.strip() for part in override.split(",")] if override else agent.chain or [default_model()]
    return parse(agent.name, names)


def parse(agent: str, names: Sequence[str]) -> tuple[ModelRef, ...]:
    """Raises `validation.chain` for what is no `provider:model`."""
    try:
        return tuple(ModelRef.parse(name) for name in names)
    except (AttributeError, TypeError, ValueError):
        raise InvalidInput("chain", agent=agent, chain=list(names)) from None


def default_model() -> str:
    """That of the first provider that is configured."""
    spec = gateway.specs()[0]
    return f"{spec.name}:{spec.model}"
