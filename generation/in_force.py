"""Which version of a prompt is in force and which agent answers it: kept in the process as long as their rows stand.

Every call asks, staff change them once in a while: they are read again when PostgreSQL has written one of them anew.
"""

from django.db import connection

from generation import agents, prompts
from generation.models import Agent, PromptVersion

# The transaction that wrote a row and the place where it lies: no two versions of a row share both.
STAMP = """
SELECT (p.xmin, p.ctid, v.xmin, v.ctid, a.xmin, a.ctid)::text
FROM generation_prompt p
JOIN generation_promptversion v ON v.id = p.production_id
JOIN generation_agent a ON a.name = coalesce(nullif(%(agent)s, ''), p.agent)
WHERE p.slot = %(slot)s
"""

Found = tuple[PromptVersion, Agent]
kept: dict[tuple[str, str], tuple[str, Found]] = {}


def find(slot: str, agent: str) -> Found:
    """The version for this slot, and this agent or the prompt's own. `not_found.prompt`, `not_found.agent`."""
    stamp = stamp_of(slot, agent)
    if not stamp:
        return read(slot, agent)
    known = kept.get((slot, agent))
    if known is None or known[0] != stamp:
        known = kept[slot, agent] = (stamp, read(slot, agent))
    return known[1]


def stamp_of(slot: str, agent: str) -> str:
    """Empty for what is not kept: a version that the environment puts above production, or rows that are missing."""
    if prompts.override_of(slot):
        return ""
    with connection.cursor() as sql:
        sql.execute(STAMP, {"slot": slot, "agent": agent})
        found = sql.fetchone()
    return str(found[0]) if found else ""


def read(slot: str, agent: str) -> Found:
    version = prompts.current(slot)
    return version, agents.get(agent or version.prompt.agent)
