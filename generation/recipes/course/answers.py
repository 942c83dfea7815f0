"""The shapes in which models answer the recipe of a course. None of them can be filled and yet be wrong in itself."""

from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, StringConstraints, create_model

from generation.recipes.course.schema import LevelDetail

MOST_CHAPTERS = 16
PARTS: dict[LevelDetail, tuple[int, int]] = {
    LevelDetail.FLASH: (1, 2),
    LevelDetail.STANDARD: (3, 5),
    LevelDetail.DETAILED: (6, 9),
}

Said = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]


class PlannedChapter(BaseModel):
    title: str = Field(min_length=1, max_length=100, description="Title of the chapter")
    description: str = Field(
        min_length=1, max_length=1_000, description="What the chapter teaches, in two or three sentences"
    )


class Outline(BaseModel):
    """The plan of a course; a person may edit it before anything is written."""

    HIDDEN: ClassVar = ("level_detail",)

    title: str = Field(min_length=1, max_length=200, description="Title of the course")
    description: str = Field(min_length=1, max_length=2_000, description="What the course is about and for whom")
    difficulty: str = Field(min_length=1, max_length=100, description="Level of the learners, in a few words")
    level_detail: LevelDetail = Field(description="How much detail the brief asks for; standard when it does not say")
    exercises_per_chapter: int = Field(ge=0, le=8, description="Exercises in each chapter; 3 when it does not say")
    evaluation_questions: int = Field(ge=0, le=40, description="Questions in each evaluation; 10 if it does not say")
    evaluation_minutes: int | None = Field(
        None, ge=10, le=120, description="Time limit of an evaluation in minutes; null when the brief sets none"
    )
    chapters: list[PlannedChapter] = Field(min_length=1, max_length=MOST_CHAPTERS, description="The chapters in order")


@cache
def outline_of(most: int) -> type[Outline]:
    """An outline of so many chapters at most."""
    described = Field(min_length=1, max_length=most, description=Outline.model_fields["chapters"].description)
    return create_model("Outline", __base__=Outline, chapters=(list[PlannedChapter], described))


class Part(BaseModel):
    title: str = Field(min_length=1, max_length=200, description="Title of the part")
    content: str = Field(min_length=1, max_length=40_000, description="The text of the part, in Markdown")
    schema_description: str = Field(
        min_length=1, max_length=300, description="What the diagram of this part shows, in one sentence"
    )
    diagram_type: str = Field(description="The kind of diagram that shows it best")


class Lesson(BaseModel):
    HIDDEN: ClassVar = ("diagram_type",)

    parts: list[Part] = Field(min_length=1, max_length=12, description="The parts of the lesson in order")


@cache
def lesson_of(level: LevelDetail, types: tuple[str, ...]) -> type[Lesson]:
    """A lesson with as many parts as the level has, and diagrams of the types that can be drawn here."""
    least, most = PARTS[level]
    kind: Any = Literal[types]
    part = create_model("Part", __base__=Part, diagram_type=(kind, Part.model_fields["diagram_type"]))
    described = Field(min_length=least, max_length=most, description=Lesson.model_fields["parts"].description)
    return create_model("Lesson", __base__=Lesson, parts=(list[part], described))


class Diagram(BaseModel):
    code: str = Field(
        min_length=1, max_length=20_000, description="The whole code of the diagram, in its notation, nothing else"
    )


class BlockKind(StrEnum):
    MULTIPLE_CHOICE = "multiple_choice"
    OPEN = "open"


class PlannedBlock(BaseModel):
    topic: str = Field(min_length=1, max_length=200, description="What the exercise practises")
    kind: BlockKind = Field(description="Multiple-choice or open questions")


class ExercisePlan(BaseModel):
    HIDDEN: ClassVar = ("kind",)

    blocks: list[PlannedBlock] = Field(min_length=1, max_length=8, description="The exercises in order")


@cache
def exercise_plan_of(count: int) -> type[ExercisePlan]:
    described = Field(min_length=count, max_length=count, description=ExercisePlan.model_fields["blocks"].description)
    return create_model("ExercisePlan", __base__=ExercisePlan, blocks=(list[PlannedBlock], described))


# While a question is written only the question is read along: who learns sees no answer before they gave theirs.
UNTIL_ANSWERED = ("correct_answers", "wrong_answers", "expected", "explanation")


class ChoiceQuestion(BaseModel):
    """Right and wrong answers come apart, so that none can be both and one is right."""

    text: Said = Field(description="The question")
    correct_answers: list[Said] = Field(min_length=1, max_length=2, description="The right answer, or two of them")
    wrong_answers: list[Said] = Field(min_length=2, max_length=3, description="Wrong answers that tempt")
    explanation: str = Field(min_length=1, max_length=1_900, description="Why the right answer is right")


class OpenQuestion(BaseModel):
    text: Said = Field(description="The question")
    expected: str = Field(min_length=1, max_length=2_000, description="What a right answer says")
    explanation: str = Field(min_length=1, max_length=2_000, description="What to look at when it was answered wrong")


class ChoiceBlock(BaseModel):
    HIDDEN: ClassVar = UNTIL_ANSWERED

    questions: list[ChoiceQuestion] = Field(min_length=1, max_length=5, description="Multiple-choice questions")


class OpenBlock(BaseModel):
    HIDDEN: ClassVar = UNTIL_ANSWERED

    questions: list[OpenQuestion] = Field(min_length=1, max_length=3, description="Open questions")


class Evaluation(BaseModel):
    HIDDEN: ClassVar = UNTIL_ANSWERED

    multiple_choice: list[ChoiceQuestion] = Field(max_length=20, description="Multiple-choice questions")
    open: list[OpenQuestion] = Field(max_length=20, description="Open questions")


@cache
def evaluation_of(questions: int) -> type[Evaluation]:
    """An evaluation of this many questions, half of each kind."""
    choices, opens = questions - questions // 2, questions // 2

    def exactly(count: int, name: str) -> Any:
        described = Evaluation.model_fields[name].description
        return Field(min_length=count, max_length=count, description=described)

    return create_model(
        "Evaluation",
        __base__=Evaluation,
        multiple_choice=(list[ChoiceQuestion], exactly(choices, "multiple_choice")),
        open=(list[OpenQuestion], exactly(opens, "open")),
    )
