"""The open answers of an attempt, graded by the examiner: all at once, each alone when it fails.

Its run is its asker's alone and belongs to no document. It holds the attempt's id and what the examiner said; what was
answered stays in the attempt.
"""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_noop as _
from pydantic import BaseModel, Field

from generation import grades
from generation.models import Attempt, Run, RunState
from generation.recipes.base import Errand, Options, Recipe
from generation.running import Running
from generation.scribe import Scribe
from generation.steps import StepInProgress
from memory.base.database import db
from memory.base.errors import ScriptoriumError


class GradingOptions(Options):
    attempt: UUID


class Grade(BaseModel):
    is_right: bool = Field(description="Whether the answer is right")
    feedback: str = Field(
        min_length=1, max_length=2_000, description="To the learner: what is right and what is missing, in short"
    )


async def grade(run: Running) -> None:
    attempt = GradingOptions.model_validate(run.run.options).attempt

    async def produce(step: StepInProgress) -> list[str]:
        return await db(open_answers, attempt)

    waiting = await run.step("read/answers", produce, returns=list[str])
    run.plan({key_of(question): 1 for question in waiting})
    await run.gather(*(one(run, attempt, name, n, len(waiting)) for n, name in enumerate(waiting, 1)))


def open_answers(attempt_id: UUID) -> list[str]:
    attempt = Attempt.objects.filter(id=attempt_id).first()
    return attempt.ungraded if attempt else []


def key_of(question: str) -> str:
    return f"answer-{question}"


async def one(run: Running, attempt: UUID, question: str, n: int, of: int) -> None:
    async def produce(step: StepInProgress) -> Grade | None:
        variables = await db(asked, attempt, question)
        return await step.write_as(Grade, "course/grade", variables)

    def keep(said: Grade | None, scribe: Scribe) -> None:
        grades.keep(attempt, question, verdict(said, scribe.fallback))

    def fallback(error: ScriptoriumError) -> None:
        return None

    label = {"code": "grade", "number": n, "of": of}
    await run.step(key_of(question), produce, returns=Grade | None, label=label, fallback=fallback, write=keep)


def asked(attempt_id: UUID, name: str) -> dict[str, Any]:
    """What the examiner is told: the attempt has ended, so that it says the same each time."""
    attempt = Attempt.objects.get(id=attempt_id)
    question = attempt.question(name) or {}
    return {
        "question": question.get("text", ""),
        "expected": question.get("expected", ""),
        "explanation": question.get("explanation", ""),
        "given": attempt.answers[name],
    }


def verdict(said: Grade | None, error: dict[str, Any] | None) -> grades.Result:
    return grades.result(None, error=error) if said is None else grades.result(said.is_right, said.feedback)


def page_of(run: Run) -> str:
    return reverse("attempt", args=[run.options["attempt"]])


WORDS = {
    RunState.WAITING: _("Being graded"),
    RunState.DONE: _("Graded"),
    RunState.PARTIAL: _("Not all is graded"),
}
RECIPE = Recipe(
    kind="grading",
    job=f"{__name__}.{grade.__name__}",
    options=GradingOptions,
    errand=Errand(_("Answers to be graded"), WORDS, page_of),
)
