"""A course as a reader meets it: chapters, parts with their diagrams, exercises, evaluations."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from generation.documents import sections_of
from generation.manuscripts import Block, Choice, Exercise, Figure, Heading, Manuscript, Notice, Prose, Question
from generation.models import Document, Drawing, Section
from generation.words import words


def of(document: Document) -> Manuscript:
    """The course as far as it is written, with every fallback and gap labelled."""
    sections = sections_of(document)
    names = [section.fields["diagram"] for section in sections if section.fields.get("diagram")]
    own = Drawing.objects.filter(workspace=document.workspace_id, digest__in=names)
    drawings = dict(own.values_list("digest", "svg"))
    below: dict[UUID | None, list[Section]] = {}
    for section in sections:
        below.setdefault(section.parent_id, []).append(section)
    setter = Setter(document.language, below, drawings)
    blocks = tuple(block for chapter in below.get(None, ()) for block in setter.section(chapter))
    return Manuscript(document.title, document.language, blocks, document.fields.get("description", ""))


class Setter:
    """Sets the sections of one course, each by its type."""

    def __init__(
        self, language: str, below: Mapping[UUID | None, Sequence[Section]], drawings: Mapping[str, str]
    ) -> None:
        self.language = language
        self.below = below
        self.drawings = drawings

    def section(self, section: Section) -> Iterator[Block]:
        yield from getattr(self, section.type)(section)

    def inside(self, section: Section) -> Iterator[Block]:
        for each in self.below.get(section.id, ()):
            yield from self.section(each)

    def labels(self, section: Section, is_written: object) -> Iterator[Block]:
        """That nothing is written, or that what follows only stands in."""
        if not is_written:
            yield Notice(words("missing", self.language))
        elif section.fallback:
            yield Notice(words("fallback", self.language))

    def chapter(self, chapter: Section) -> Iterator[Block]:
        yield Heading(1, chapter.fields.get("title", ""))
        if description := chapter.fields.get("description"):
            yield Prose(description)
        yield from self.inside(chapter)

    def lesson(self, lesson: Section) -> Iterator[Block]:
        yield from self.labels(lesson, self.below.get(lesson.id))
        yield from self.inside(lesson)

    def part(self, part: Section) -> Iterator[Block]:
        fields = part.fields
        content = fields.get("content")
        yield Heading(2, fields.get("title", ""))
        yield from self.labels(part, content)
        if content:
            yield Prose(content)
        if kind := fields.get("diagram_type"):
            svg = self.drawings.get(fields.get("diagram", ""))
            yield Figure(kind, fields.get("diagram_code", ""), fields.get("schema_description", ""), svg)

    def exercises(self, exercises: Section) -> Iterator[Block]:
        yield Heading(2, words("exercises", self.language))
        yield from self.labels(exercises, self.below.get(exercises.id))
        yield from self.inside(exercises)

    def exercise_block(self, block: Section) -> Iterator[Block]:
        topic, questions = block.fields.get("topic", ""), block.fields.get("questions")
        if not questions:
            yield Heading(3, topic)
        yield from self.labels(block, questions)
        if questions:
            yield Exercise(topic, tuple(question(each) for each in questions))

    def evaluation(self, evaluation: Section) -> Iterator[Block]:
        questions = evaluation.fields.get("questions")
        yield Heading(2, words("evaluation", self.language))
        yield from self.labels(evaluation, questions)
        if minutes := evaluation.fields.get("time_limit"):
            yield Prose(words("minutes", self.language, n=minutes))
        if questions:
            yield Exercise("", tuple(question(each) for each in questions))


def question(asked: Mapping[str, Any]) -> Question:
    choices = tuple(Choice(each.get("text", ""), each.get("is_correct", False)) for each in asked.get("answers", ()))
    return Question(
        text=asked.get("text", ""),
        choices=choices,
        is_multiple=sum(choice.is_correct for choice in choices) > 1,
        expected=asked.get("expected", ""),
        explanation=asked.get("explanation", ""),
    )
