"""What an answer is made of, in order: what its agent thought, said and did. As a message keeps it, and while it grows.

A part is `reasoning` {text, ms}, `text` {text}, `tool` {step, name, arguments, about, changes, run, error}, or `broken`
{text}: what an attempt had said that broke off and was made again. While it is being said, `live` {step, attempt,
reasoning, content}.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from pydantic import BaseModel

from generation.models import RECORDED_STATES, Step, StepState
from generation.replay import OpenText, open_texts

Part = dict[str, Any]
NUMBER = re.compile(r"\d+")

BROKEN = """
SELECT s.key, string_agg(e.data->>'text', '' ORDER BY e.seq)
FROM generation_step s JOIN generation_event e ON e.run_id = s.run_id AND e.type = 'content_delta'
     AND e.data->>'step' = s.key AND ((e.data->>'attempt')::int < s.attempts OR s.state = 'failed')
WHERE s.run_id = %(run)s AND s.key = ANY(%(steps)s)
GROUP BY s.key, (e.data->>'attempt')::int ORDER BY s.key, (e.data->>'attempt')::int
"""


class Asked(BaseModel):
    """A tool that the model wants to use; `arguments` is the text it wrote."""

    name: str
    arguments: str


class Spoken(BaseModel):
    """What came of one round of the model."""

    reasoning: str = ""
    ms: int = 0
    content: str = ""
    calls: list[Asked] = []


class Outcome(BaseModel):
    """What came of using a tool: what the model is told, and what people see of it."""

    told: str
    about: dict[str, Any] = {}
    changes: list[UUID] = []
    run: UUID | None = None
    versions: dict[str, int] = {}
    error: dict[str, Any] | None = None


def of(run_id: UUID, prefix: str = "") -> list[Part]:
    """Of the steps of a run that begin with this, recorded or not."""
    return of_steps(list(Step.objects.filter(run_id=run_id, key__startswith=f"{prefix}round-")))


def of_steps(steps: Sequence[Step]) -> list[Part]:
    """Of these steps of one run. What is being said is looked for only where something is."""
    runs = {step.run_id for step in steps if step.state not in RECORDED_STATES}
    texts = {text.step: text for text in open_texts(list(runs))}
    return made_of(steps, texts, broken_off([step for step in steps if may_have_broken(step)]))


def may_have_broken(step: Step) -> bool:
    return step.attempts > 1 or step.state == StepState.FAILED


def ended(parts: Iterable[Part]) -> list[Part]:
    """When nothing more is said, what was being said stands as it is."""
    found: list[Part] = []
    for part in parts:
        found += said(Spoken.model_validate(part)) if part["type"] == "live" else [part]
    return found


def broken_off(steps: Sequence[Step]) -> dict[str, list[str]]:
    """What attempts at these steps had said that came to nothing."""
    if not steps:
        return {}
    with connection.cursor() as sql:
        sql.execute(BROKEN, {"run": steps[0].run_id, "steps": [step.key for step in steps]})
        found: dict[str, list[str]] = {}
        for step, text in sql.fetchall():
            found.setdefault(step, []).append(text)
        return found


def made_of(steps: Sequence[Step], texts: Mapping[str, OpenText], broken: Mapping[str, list[str]]) -> list[Part]:
    found: list[Part] = []
    spoken: dict[str, Spoken] = {}
    for step in sorted(steps, key=place):
        found += [{"type": "broken", "text": text} for text in broken.get(step.key, ())]
        recorded = step.state in RECORDED_STATES and step.result is not None
        if "/tool-" in step.key:
            found += [tool(step, spoken)] if recorded else []
        elif recorded:
            spoken[step.key] = Spoken.model_validate(step.result)
            found += said(spoken[step.key])
        elif step.key in texts:
            text = texts[step.key]
            found.append(
                {
                    "type": "live",
                    "step": step.key,
                    "attempt": text.attempt,
                    "reasoning": text.reasoning,
                    "content": text.content,
                }
            )
    return found


def place(step: Step) -> list[int]:
    return [int(number) for number in NUMBER.findall(step.key[step.key.index("round-") :])]


def said(spoken: Spoken) -> list[Part]:
    thought = [{"type": "reasoning", "text": spoken.reasoning, "ms": spoken.ms}] if spoken.reasoning else []
    return [*thought, *([{"type": "text", "text": spoken.content}] if spoken.content.strip() else [])]


def tool(step: Step, spoken: Mapping[str, Spoken]) -> Part:
    round_key, _, number = step.key.rpartition("/tool-")
    asked = spoken[round_key].calls[int(number) - 1]
    outcome = Outcome.model_validate(step.result)
    return {
        "type": "tool",
        "step": step.key,
        "name": asked.name,
        "arguments": asked.arguments,
        "about": outcome.about,
        "changes": [str(change) for change in outcome.changes],
        "run": str(outcome.run) if outcome.run else None,
        "error": outcome.error,
    }


def text_of(parts: Iterable[Part]) -> str:
    """All that was said, as one text."""
    return "\n\n".join(part["text"].strip() for part in ended(parts) if part["type"] == "text")
