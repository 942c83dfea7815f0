"""What an answer is made of, in order: what its agent thought, said and did. As a message keeps it, and while it grows.

A part is `reasoning` {text, ms}, `text` {text}, or `tool` {step, name, arguments, about, changes, run, error}.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from generation.models import RECORDED_STATES, Step
from generation.replay import OpenText, open_texts

Part = dict[str, Any]
NUMBER = re.compile(r"\d+")


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
    steps = Step.objects.filter(run_id=run_id, key__startswith=f"{prefix}round-")
    texts = {text.step: text for text in open_texts([run_id])}
    return made_of(list(steps), texts)


def made_of(steps: Sequence[Step], texts: Mapping[str, OpenText]) -> list[Part]:
    found: list[Part] = []
    spoken: dict[str, Spoken] = {}
    for step in sorted(steps, key=place):
        recorded = step.state in RECORDED_STATES and step.result is not None
        if "/tool-" in step.key:
            found += [tool(step, spoken)] if recorded else []
        elif recorded:
            spoken[step.key] = Spoken.model_validate(step.result)
            found += said(spoken[step.key])
        elif step.key in texts:
            text = texts[step.key]
            found += said(Spoken(reasoning=text.reasoning, content=text.content))
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
    return "\n\n".join(part["text"].strip() for part in parts if part["type"] == "text")
