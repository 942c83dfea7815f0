"""What an answer is made of, in order: what its agent thought, said and did. As a message keeps it, and while it grows.

A part is `reasoning` {text, ms}, `text` {text, unlinked?}, `tool` {step, name, arguments, about, changes, run, error},
or `broken` {text}: what an attempt had said that broke off and was made again. While it is being said, `live` {step,
attempt, reasoning, content}, and `calling` {name, arguments}: a tool that is being used, or about to be.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Self
from uuid import UUID

from django.db import connection
from pydantic import BaseModel, ValidationError

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


class Kept(BaseModel):
    """What a step has recorded."""

    @classmethod
    def read(cls, result: Any) -> Self | None:
        """None for what another release has recorded and nobody can read any more: it must not take the rest along."""
        try:
            return cls.model_validate(result)
        except ValidationError:
            return None


class Asked(BaseModel):
    """A tool that the model wants to use; `arguments` is the text it wrote."""

    name: str
    arguments: str


class Spoken(Kept):
    """What came of one round of the model."""

    reasoning: str = ""
    ms: int = 0
    content: str = ""
    calls: list[Asked] = []
    unlinked: int = 0  # addresses that no source gave: they stand in it as text


class Outcome(Kept):
    """What came of using a tool: what the model is told, and what people see of it."""

    told: str
    about: dict[str, Any] = {}
    changes: list[UUID] = []
    run: UUID | None = None
    versions: dict[str, int] = {}
    error: dict[str, Any] | None = None


LOST = Outcome(
    told='{"error": "run.result_does_not_fit"}', error={"error_code": "run.result_does_not_fit", "params": {}}
)


def is_whole(steps: Sequence[Step]) -> bool:
    """Whether the answer that these steps made has come to its own end, however its run ends."""
    rounds = sorted((step for step in steps if "/tool-" not in step.key), key=place)
    if not rounds or rounds[-1].state not in RECORDED_STATES:
        return False
    last = Spoken.read(rounds[-1].result)
    return last is not None and not last.calls


def has_failed(steps: Sequence[Step]) -> bool:
    return any(step.state == StepState.FAILED for step in steps)


def steps_of(runs: Collection[UUID]) -> dict[UUID, list[Step]]:
    """All steps of these runs, recorded or not."""
    found: dict[UUID, list[Step]] = {run: [] for run in runs}
    for step in Step.objects.filter(run_id__in=runs) if runs else ():
        found[step.run_id].append(step)
    return found


def own(steps: Iterable[Step], prefix: str) -> list[Step]:
    """Those for the one answer whose steps begin with this."""
    return [step for step in steps if step.key.startswith(f"{prefix}round-")]


def of_steps(steps: Sequence[Step]) -> list[Part]:
    """Of these steps of one run. What is being said is looked for only where something is."""
    runs = {step.run_id for step in steps if step.state not in RECORDED_STATES}
    texts = {text.step: text for text in open_texts(list(runs))}
    return made_of(steps, texts, broken_off([step for step in steps if may_have_broken(step)]))


def may_have_broken(step: Step) -> bool:
    return step.attempts > 1 or step.state == StepState.FAILED


def ended(parts: Iterable[Part]) -> list[Part]:
    """When nothing more is said, what was being said stands as it is; what was about to be done is not."""
    found: list[Part] = []
    for part in parts:
        if part["type"] == "live":
            found += said(Spoken.model_validate(part))
        elif part["type"] != "calling":
            found.append(part)
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
            spoken[step.key] = Spoken.read(step.result) or Spoken()
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
    return [*found, *called(spoken, {step.key for step in steps})]


def called(spoken: Mapping[str, Spoken], keys: Collection[str]) -> list[Part]:
    """The tools of the last round that have not been used yet."""
    if not spoken:
        return []
    last = list(spoken)[-1]
    waiting = [call for n, call in enumerate(spoken[last].calls, 1) if f"{last}/tool-{n}" not in keys]
    return [{"type": "calling", "name": call.name, "arguments": call.arguments} for call in waiting]


def place(step: Step) -> list[int]:
    return [int(number) for number in NUMBER.findall(step.key[step.key.index("round-") :])]


def said(spoken: Spoken) -> list[Part]:
    thought = [{"type": "reasoning", "text": spoken.reasoning, "ms": spoken.ms}] if spoken.reasoning else []
    text = {"type": "text", "text": spoken.content, **({"unlinked": spoken.unlinked} if spoken.unlinked else {})}
    return [*thought, *([text] if spoken.content.strip() else [])]


def tool(step: Step, spoken: Mapping[str, Spoken]) -> Part:
    round_key, _, number = step.key.rpartition("/tool-")
    calls = spoken.get(round_key, Spoken()).calls
    asked = calls[int(number) - 1] if int(number) <= len(calls) else None
    outcome = Outcome.read(step.result) or LOST
    return {
        "type": "tool",
        "step": step.key,
        "name": asked.name if asked else step.label.get("name", ""),
        "arguments": asked.arguments if asked else "",
        "about": outcome.about,
        "changes": [str(change) for change in outcome.changes],
        "run": str(outcome.run) if outcome.run else None,
        "error": outcome.error,
    }


def text_of(parts: Iterable[Part]) -> str:
    """All that was said, as one text."""
    return "\n\n".join(part["text"].strip() for part in ended(parts) if part["type"] == "text")
