"""A course: chapters, each with a lesson in parts, exercise blocks and an evaluation."""

from enum import StrEnum
from typing import Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from generation.fields import Fields, Item, Kind, SectionType, line, markdown, plain


class LevelDetail(StrEnum):
    """How deep: 1–2, 3–5 or 6 and more parts a chapter."""

    FLASH = "flash"
    STANDARD = "standard"
    DETAILED = "detailed"


class DiagramType(StrEnum):
    MERMAID = "mermaid"
    PLANTUML = "plantuml"
    GRAPHVIZ = "graphviz"
    VEGALITE = "vegalite"


class CourseFields(Fields):
    description: str | None = plain(2_000)
    difficulty: str | None = line(100)
    level_detail: LevelDetail | None = None
    exercises_per_chapter: int | None = Field(None, ge=0, le=8)
    evaluation_questions: int | None = Field(None, ge=0, le=40)
    evaluation_minutes: int | None = Field(None, ge=10, le=120)


class ChapterFields(Fields):
    title: str | None = line(100)
    description: str | None = plain(1_000)


class LessonFields(Fields):
    """A lesson is its parts."""


class ExercisesFields(Fields):
    """The exercises of a chapter are its blocks."""


class PartFields(Fields):
    """The lesson writer's, but for `diagram_code`, `diagram` (the drawing's name) and `diagram_error`."""

    title: str | None = line(200)
    content: str | None = markdown()
    schema_description: str | None = plain(300)
    diagram_type: DiagramType | None = None
    diagram_code: str | None = plain(20_000)
    diagram: str | None = line(64)
    diagram_error: dict[str, Any] | None = None


class Answer(Item):
    text: str | None = plain(1_000)
    is_correct: bool = False


class Question(Item):
    """With answers (two at least, one of them right) multiple-choice, without them open: then `expected` says what a
    right answer holds.
    """

    text: str | None = plain(1_000)
    answers: list[Answer] | None = Field(None, max_length=5)
    expected: str | None = plain(2_000)
    explanation: str | None = plain(2_000)

    @model_validator(mode="after")
    def answerable(self) -> "Question":
        if self.answers and len(self.answers) < 2:
            raise PydanticCustomError("too_few_answers", "A question with answers has at least two")
        if self.answers and not any(answer.is_correct for answer in self.answers):
            raise PydanticCustomError("no_right_answer", "Of the answers at least one is right")
        return self


class ExerciseBlockFields(Fields):
    topic: str | None = line(200)
    multi_answers: bool | None = None
    questions: list[Question] | None = Field(None, max_length=5)


class EvaluationFields(Fields):
    time_limit: int | None = Field(None, ge=10, le=120, description="Minutes")
    multi_answers: bool | None = None
    questions: list[Question] | None = Field(None, max_length=40)


DRAWN_FROM = ("diagram_code", "diagram_type")
COURSE = Kind(
    "course",
    CourseFields,
    {
        "chapter": SectionType(ChapterFields, most=16),
        "lesson": SectionType(LessonFields, within=("chapter",)),
        "part": SectionType(
            PartFields,
            within=("lesson",),
            body="content",
            made_from={"diagram": DRAWN_FROM, "diagram_error": DRAWN_FROM},
        ),
        "exercises": SectionType(ExercisesFields, within=("chapter",)),
        "exercise_block": SectionType(ExerciseBlockFields, within=("exercises",), body="questions"),
        "evaluation": SectionType(EvaluationFields, within=("chapter",), body="questions"),
    },
)
