"""Answers that models gave in an experiment, scored by a critic: all at once, each alone when it fails.

Its run is the asker's alone and writes no document. What is kept of it outside the run are the scores.
"""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_noop as _
from pydantic import BaseModel, Field

from generation.house import CRITIC
from generation.models import Call, Critique, Run, RunState, Step
from generation.recipes.base import Errand, Options, Recipe
from generation.running import Running
from generation.scribe import Scribe
from generation.sources import fenced
from generation.steps import StepInProgress
from memory.base.database import db
from memory.base.errors import ScriptoriumError

MOST_CALLS = 200
MOST_SHOWN = 24_000  # characters of what was asked, and of what was answered


class CritiqueOptions(Options):
    experiment: UUID
    calls: list[UUID] = Field(min_length=1, max_length=MOST_CALLS)


class Opinion(BaseModel):
    """Reasons come first: a score that follows them rests on them."""

    why: str = Field(
        min_length=1, max_length=2_000, description="What is good and what is not, in two to four sentences"
    )
    score: float = Field(ge=0, le=10, description="From 0, of no use, to 10, nothing to be better")


async def criticise(run: Running) -> None:
    calls = CritiqueOptions.model_validate(run.run.options).calls
    run.plan({key_of(call): 1 for call in calls})
    await run.gather(*(one(run, call, n, len(calls)) for n, call in enumerate(calls, 1)))


def key_of(call: UUID) -> str:
    return f"critique/{call}"


async def one(run: Running, call: UUID, n: int, of: int) -> None:
    async def produce(step: StepInProgress) -> Opinion | None:
        shown = await db(given, call)
        return await step.write_as(Opinion, CRITIC, shown) if shown else None

    def keep(said: Opinion | None, scribe: Scribe) -> None:
        if said is not None:
            Critique.objects.update_or_create(call_id=call, defaults={"score": said.score, "run": run.run})

    def fallback(error: ScriptoriumError) -> None:
        return None

    label = {"code": "critique", "number": n, "of": of}
    await run.step(key_of(call), produce, returns=Opinion | None, label=label, fallback=fallback, write=keep)


def given(call_id: UUID) -> dict[str, Any] | None:
    """What the critic is shown; None once it is not remembered any more."""
    call = Call.objects.filter(id=call_id).first()
    if call is None or call.run_id is None or not call.messages:
        return None
    made = Step.objects.filter(run_id=call.run_id, key=call.step).first()
    if made is None or not made.text:
        return None
    asked = "\n\n".join(f"{message['role']}: {message['content']}" for message in call.messages)
    return {"asked": fenced(asked[:MOST_SHOWN]), "answered": fenced(made.text[:MOST_SHOWN])}


def page_of(run: Run) -> str:
    return reverse("admin:generation_experiment_change", args=[run.options["experiment"]])


WORDS = {
    RunState.DONE: _("Scored"),
    RunState.PARTIAL: _("Not all is scored"),
}
RECIPE = Recipe(
    kind="critique",
    job=f"{__name__}.{criticise.__name__}",
    options=CritiqueOptions,
    slots=(CRITIC,),
    errand=Errand(_("Answers to be scored"), WORDS, page_of),
)
