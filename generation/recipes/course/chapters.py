"""One chapter: its lesson with a diagram for each part, its exercises, its evaluation, all at once.

Each is a step of its own with a stand-in of its own, so that what fails is labelled, and made again, alone.
"""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from generation.diagrams import table
from generation.models import Document, Run, Section
from generation.recipes.course import answers, drawing
from generation.recipes.course.answers import (
    BlockKind,
    ChoiceQuestion,
    Evaluation,
    ExercisePlan,
    Lesson,
    OpenQuestion,
    Outline,
    Part,
    PlannedBlock,
    PlannedChapter,
)
from generation.recipes.course.schema import LevelDetail
from generation.running import Running
from generation.scribe import Scribe
from generation.sources import Extract, Sources
from generation.steps import StepInProgress
from memory import bases
from memory.base import metrics
from memory.base.errors import ScriptoriumError

CHAPTER_WEIGHT = 92.0
# How much of a chapter each place is: the call that plans or writes it, then all that it leads to.
SHARES = {
    "lesson": {"lesson": 0.35, "lesson/diagrams": 0.2},
    "exercises": {"exercises": 0.05, "exercises/blocks": 0.2},
    "evaluation": {"evaluation": 0.2},
}


class Course(BaseModel):
    """What every chapter needs to know of the whole. Lessons read brief and sources whole, exercises the extract."""

    brief: str
    sources: str = ""
    extract: Extract | None = None  # none in what was recorded before there were any
    title: str
    description: str = ""
    difficulty: str = ""
    level_detail: LevelDetail = LevelDetail.STANDARD
    exercises_per_chapter: int = 3
    evaluation_questions: int = 10
    evaluation_minutes: int | None = None
    chapters: list[str]

    @classmethod
    def planned(cls, run: Run, outline: Outline, given: Sources) -> "Course":
        titles = [chapter.title for chapter in outline.chapters]
        return cls(chapters=titles, **told(run.brief, given), **outline.model_dump(exclude={"chapters"}))

    @classmethod
    def written(cls, document: Document, titles: list[str], given: Sources) -> "Course":
        return cls(title=document.title, chapters=titles, **told(document.brief, given), **document.fields)


def told(brief: str, given: Sources) -> dict[str, Any]:
    return {"brief": brief, "sources": given.as_prompt(), "extract": given.extract(brief)}


@dataclass(frozen=True)
class Chapter:
    """`parts` are the lesson's as they stand, where only diagrams are to be made again."""

    course: Course
    key: str
    n: int
    title: str
    description: str
    parts: Mapping[str, Part] = field(default_factory=dict)

    def label(self, code: str, **more: Any) -> dict[str, Any]:
        return {"code": code, "title": self.title, "number": self.n, "of": len(self.course.chapters), **more}

    def variables(self) -> dict[str, Any]:
        """What the prompt of its lesson is told."""
        return {
            "brief": self.course.brief,
            "sources": self.course.sources,
            "course_title": self.course.title,
            "difficulty": self.course.difficulty,
            "chapters": self.course.chapters,
            "chapter_title": self.title,
            "chapter_description": self.description,
        }

    def extract(self) -> dict[str, Any]:
        """The same for those of exercises and evaluation, which are many: of brief and files as much as they need."""
        extract = self.course.extract
        return {**self.variables(), **(extract.model_dump() if extract else {})}


def key_of(n: int) -> str:
    return f"chapter-{n}"


def weights(key: str, share: float, holds: Sequence[str]) -> dict[str, float]:
    """How much of the whole each step of the chapter is, whose share this is; diagrams and blocks as one, until it is
    known how many they are."""
    own = {f"{key}/{name}": part for place in holds for name, part in SHARES[place].items()}
    return {name: share * part / sum(own.values()) for name, part in own.items()}


def places(exercises: int | None, questions: int | None) -> list[str]:
    """What a chapter of such a course holds."""
    return ["lesson", *(["exercises"] if exercises else []), *(["evaluation"] if questions else [])]


def set_up(scribe: Scribe, key: str, planned: PlannedChapter, holds: Sequence[str]) -> None:
    """The chapter with its places, still empty."""
    chapter = scribe.plan_section(key, "chapter", planned.model_dump())
    for place in holds:
        scribe.plan_section(f"{key}/{place}", place, {}, chapter)


async def write(run: Running, chapter: Chapter) -> None:
    makers = {"lesson": lesson, "exercises": exercises, "evaluation": evaluation}
    holds = places(chapter.course.exercises_per_chapter, chapter.course.evaluation_questions)
    is_new, began = not run.has_recorded(f"{chapter.key}/"), time.monotonic()
    await run.gather(*(makers[place](run, chapter) for place in holds))
    if is_new:  # what is gone on with, after a crash or in a retry, would count as quick
        metrics.chapter_generation_time.observe(time.monotonic() - began)


# --- the lesson


async def lesson(run: Running, chapter: Chapter) -> None:
    """One call writes all parts and chooses a diagram for each; then a specialist draws each, all at once."""
    key = f"{chapter.key}/lesson"

    async def produce(step: StepInProgress) -> Lesson:
        types = table.available()
        shape = answers.lesson_of(chapter.course.level_detail, types)
        least, most = answers.PARTS[chapter.course.level_detail]
        variables = {**chapter.variables(), "least": least, "most": most, "diagram_types": list(types)}
        return await step.write_as(shape, "course/lesson", variables)

    def fallback(_: ScriptoriumError) -> Lesson:
        part = Part(title=chapter.title, content=chapter.description, schema_description="-", diagram_type="")
        return Lesson(parts=[part])

    written = await run.step(
        key,
        produce,
        returns=Lesson,
        label=chapter.label("lesson"),
        fallback=fallback,
        write=lambda lesson, scribe: keep_lesson(lesson, scribe, chapter, key),
    )
    parts = {part_key(key, m): part for m, part in enumerate(written.parts, 1)} | dict(chapter.parts)
    drawn = {one: part for one, part in parts.items() if part.diagram_type}
    run.divide(f"{key}/diagrams", [drawing.step_of(one) for one in drawn])
    await run.gather(
        *(drawing.diagram(run, chapter.label("diagram", part=part.title), one, part) for one, part in drawn.items())
    )


def part_key(lesson_key: str, m: int) -> str:
    return f"{lesson_key}/part-{m}"


def keep_lesson(written: Lesson, scribe: Scribe, chapter: Chapter, key: str) -> None:
    section = scribe.write_section(key, {})
    keys = [part_key(key, m) for m in range(1, len(written.parts) + 1)]
    for one, part in zip(keys, written.parts, strict=True):
        values = part.model_dump(mode="json") if part.diagram_type else {"title": part.title, "content": part.content}
        scribe.write_section(one, values, "part", section)
    scribe.keep_only(section, keys)
    rest_on(chapter, section, scribe)


def rest_on(chapter: Chapter, section: Section, scribe: Scribe) -> None:
    """It was made for a chapter of this title and description; a stand-in for one was made from nothing."""
    if scribe.fallback is None:
        source = scribe.sections[chapter.key]
        bases.rest(section, [(source, "title", chapter.title), (source, "description", chapter.description)])


# --- the exercises


async def exercises(run: Running, chapter: Chapter) -> None:
    """A call plans the blocks; then each is written by a call of its own, all at once."""
    key = f"{chapter.key}/exercises"
    shape = answers.exercise_plan_of(chapter.course.exercises_per_chapter)

    async def produce(step: StepInProgress) -> ExercisePlan | None:
        variables = {**chapter.extract(), "count": chapter.course.exercises_per_chapter}
        return await step.write_as(shape, "course/exercises", variables)

    planned = await run.step(
        key,
        produce,
        returns=ExercisePlan | None,
        label=chapter.label("exercises"),
        fallback=lambda _: None,
        write=lambda plan, scribe: keep_plan(plan, scribe, chapter, key),
    )
    blocks = {block_key(key, m): each for m, each in enumerate(planned.blocks if planned else [], 1)}
    run.divide(f"{key}/blocks", list(blocks))
    await run.gather(*(block(run, chapter, one, each) for one, each in blocks.items()))


def block_key(exercises_key: str, m: int) -> str:
    return f"{exercises_key}/block-{m}"


def keep_plan(plan: ExercisePlan | None, scribe: Scribe, chapter: Chapter, key: str) -> None:
    section = scribe.write_section(key, {})
    blocks = plan.blocks if plan else []
    for m, each in enumerate(blocks, 1):
        scribe.plan_section(block_key(key, m), "exercise_block", {"topic": each.topic}, section)
    scribe.keep_only(section, [block_key(key, m) for m in range(1, len(blocks) + 1)])
    rest_on(chapter, section, scribe)


async def block(run: Running, chapter: Chapter, key: str, planned: PlannedBlock) -> None:
    async def produce(step: StepInProgress) -> list[dict[str, Any]]:
        variables = {**chapter.extract(), "topic": planned.topic}
        if planned.kind == BlockKind.OPEN:
            opens = await step.write_as(answers.OpenBlock, "course/open_block", variables)
            return [open_question(each) for each in opens.questions]
        choices = await step.write_as(answers.ChoiceBlock, "course/choice_block", variables)
        return [choice_question(each) for each in choices.questions]

    def keep(questions: list[dict[str, Any]], scribe: Scribe) -> None:
        scribe.write_section(key, {"questions": questions or None, "multi_answers": has_several(questions)})

    label = chapter.label("exercise", part=planned.topic)
    await run.step(key, produce, returns=list[dict[str, Any]], label=label, fallback=lambda _: [], write=keep)


# --- the evaluation


async def evaluation(run: Running, chapter: Chapter) -> None:
    key = f"{chapter.key}/evaluation"
    shape = answers.evaluation_of(chapter.course.evaluation_questions)

    async def produce(step: StepInProgress) -> list[dict[str, Any]]:
        variables = {**chapter.extract(), "count": chapter.course.evaluation_questions}
        asked: Evaluation = await step.write_as(shape, "course/evaluation", variables)
        return [*map(choice_question, asked.multiple_choice), *map(open_question, asked.open)]

    def keep(questions: list[dict[str, Any]], scribe: Scribe) -> None:
        values = {
            "questions": questions or None,
            "multi_answers": has_several(questions),
            "time_limit": chapter.course.evaluation_minutes if questions else None,
        }
        rest_on(chapter, scribe.write_section(key, values), scribe)

    label = chapter.label("evaluation")
    await run.step(key, produce, returns=list[dict[str, Any]], label=label, fallback=lambda _: [], write=keep)


# --- questions as a course keeps them


def choice_question(asked: ChoiceQuestion) -> dict[str, Any]:
    """The answers mixed, in an order that the question alone decides."""
    said = [(text, True) for text in asked.correct_answers] + [(text, False) for text in asked.wrong_answers]
    mixed = sorted(said, key=lambda answer: hashlib.sha256(f"{asked.text} {answer[0]}".encode()).digest())
    return {
        "id": name_of(asked.text),
        "text": asked.text,
        "answers": [
            {"id": name_of(f"{n} {text}"), "text": text, "is_correct": is_correct}
            for n, (text, is_correct) in enumerate(mixed)
        ],
        "explanation": asked.explanation,
    }


def open_question(asked: OpenQuestion) -> dict[str, Any]:
    return {"id": name_of(asked.text), **asked.model_dump()}


def name_of(text: str) -> str:
    """The same text, the same id: a step that is made again after a crash writes the same."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def has_several(questions: list[dict[str, Any]]) -> bool | None:
    """Whether some question has several right answers; None when none has answers to choose from."""
    choices = [question["answers"] for question in questions if "answers" in question]
    return any(sum(answer["is_correct"] for answer in answers) > 1 for answers in choices) if choices else None
