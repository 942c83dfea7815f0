"""A course: its outline, then all chapters at once; in each lesson, exercises and evaluation at once."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from django.conf import settings
from django.utils.translation import gettext_noop as _
from pydantic import BaseModel, Field, ValidationError

from generation import sources
from generation.documents import sections_of
from generation.models import Document, Run, Section
from generation.recipes.base import Action, Options, Recipe, Speech, Work
from generation.recipes.course import answers, chapters, coming, manuscript
from generation.recipes.course.answers import MOST_CHAPTERS, PARTS, Outline, Part, PlannedChapter
from generation.recipes.course.chapters import CHAPTER_WEIGHT, Chapter, Course, weights
from generation.recipes.course.schema import LevelDetail
from generation.running import Running
from generation.scribe import Scribe
from generation.sources import Sources
from generation.steps import StepInProgress
from memory.base.database import db
from memory.base.errors import LimitReached

M = TypeVar("M", bound=BaseModel)

OUTLINE_WEIGHT = 8


class CourseOptions(Options):
    """`review_outline`: a person looks at the outline, and may edit it, before anything is written."""

    level_detail: LevelDetail | None = Field(
        None,
        title=_("Detail"),
        json_schema_extra={
            "words": {
                "flash": [_("Flash"), _("1 or 2 parts a chapter")],
                "standard": [_("Standard"), _("3 to 5 parts a chapter")],
                "detailed": [_("Detailed"), _("6 parts or more")],
            }
        },
    )
    chapters: int | None = Field(None, ge=1, le=16, title=_("Chapters"))
    difficulty: str = Field("", max_length=100, title=_("For readers at"))
    review_outline: bool = Field(
        False,
        title=_("Show me the outline first"),
        description=_("You can change it before anything else is written."),
    )


async def write(run: Running) -> None:
    run.plan({"outline": OUTLINE_WEIGHT, "rest": CHAPTER_WEIGHT})
    await run.read_document()
    given = await sources.read(run)
    outline = await run.step(
        "outline", lambda step: plan(run, step, given), returns=Outline, label={"code": "outline"}, write=set_up
    )
    if run.run.options.get("review_outline"):
        reviewed = await run.ask("review_outline", Outline, shown=outline.model_dump(mode="json"))
        outline = await run.step("chapters", lambda _: accepted(reviewed), returns=Outline, write=set_up)
    keys = [chapters.key_of(n) for n in range(1, len(outline.chapters) + 1)]
    share = CHAPTER_WEIGHT / len(keys)
    holds = chapters.places(outline.exercises_per_chapter, outline.evaluation_questions)
    own = {step: part for key in keys for step, part in weights(key, share, holds).items()}
    run.plan({"outline": OUTLINE_WEIGHT, **own})
    stands = await standing(run)
    course = Course.planned(run.run, outline, given)
    planned = [
        stands.chapter(Chapter(course, key, n, each.title, each.description))
        for n, (key, each) in enumerate(zip(keys, outline.chapters, strict=True), 1)
    ]
    await run.gather(*(chapters.write(run, chapter) for chapter in planned))


class Standing(BaseModel):
    """What people may have made of chapters, and of parts whose diagrams are made again, since they were planned."""

    chapters: dict[str, PlannedChapter] = {}
    parts: dict[str, Part] = {}

    def chapter(self, chapter: Chapter) -> Chapter:
        now = self.chapters.get(chapter.key)
        parts = {key: part for key, part in self.parts.items() if key.startswith(f"{chapter.key}/")}
        said = now or PlannedChapter(title=chapter.title, description=chapter.description)
        return replace(chapter, parts=parts, title=said.title, description=said.description)


async def standing(run: Running) -> Standing:
    """As a retry finds it; the first writing writes what it planned."""
    if run.run.retries_id is None:
        return Standing()

    async def produce(_: StepInProgress) -> Standing:
        return await db(found, run.run)

    return await run.step("read/standing", produce, returns=Standing)


def found(run: Run) -> Standing:
    """All chapters, and the parts whose diagrams are made again, but not their texts."""
    sections = Document.objects.get(runs=run).sections
    remade = [step.removesuffix("/diagram") for step in run.again if step.endswith("/diagram")]
    return Standing(
        chapters=fitting(PlannedChapter, sections.filter(type="chapter")),
        parts=fitting(Part, sections.filter(type="part", key__in=remade).exclude(key__in=rewritten(run))),
    )


def rewritten(run: Run) -> list[str]:
    """Parts whose lesson is written again: what they say now counts no more."""
    lessons = [step for step in run.again if step.endswith("/lesson")]
    return [step.removesuffix("/diagram") for step in run.again if step.startswith(tuple(f"{key}/" for key in lessons))]


def fitting(shape: type[M], sections: Iterable[Section]) -> dict[str, M]:
    """Those that still have what the shape asks for: a person may have emptied a field."""
    fit: dict[str, M] = {}
    for section in sections:
        with suppress(ValidationError):
            fit[section.key] = shape.model_validate(section.fields)
    return fit


async def plan(run: Running, step: StepInProgress, given: Sources) -> Outline:
    """The outline as the brief asks for it; what the options say counts more. An outline made again leaves room for
    what was added by hand; raises `limit.chapters` where there is none."""
    options = CourseOptions.model_validate(run.run.options)
    variables = {
        "brief": run.run.brief,
        "sources": given.as_prompt(),
        "title": run.run.title,
        "chapters": options.chapters,
        "level_detail": options.level_detail,
        "difficulty": options.difficulty or run.run.user.study_level,
    }
    others = await db(chapters_of_others, run.run)
    check_room(others + (options.chapters or 1))
    shape = answers.outline_of(options.chapters or MOST_CHAPTERS - others)
    outline = await step.write_as(shape, "course/outline", variables)
    chosen = {"level_detail": options.level_detail or outline.level_detail, "title": run.run.title or outline.title}
    return outline.model_copy(update=chosen)


async def accepted(outline: Outline) -> Outline:
    return outline


def chapters_of_others(run: Run) -> int:
    """How many chapters of its document no outline has planned."""
    planned = [chapters.key_of(n) for n in range(1, MOST_CHAPTERS + 1)]
    there = Section.objects.filter(document__runs=run, type="chapter", present=True)
    return there.exclude(key__in=planned).count()


def set_up(outline: Outline, scribe: Scribe) -> None:
    """The course with its title and its chapters, still to be written. Raises `limit.chapters` when people have added
    so many meanwhile that they would be too many."""
    scribe.write_document(outline.model_dump(mode="json", exclude={"chapters"}))
    keys = [chapters.key_of(n) for n in range(1, len(outline.chapters) + 1)]
    holds = chapters.places(outline.exercises_per_chapter, outline.evaluation_questions)
    for key, planned in zip(keys, outline.chapters, strict=True):
        chapters.set_up(scribe, key, planned, holds)
    scribe.keep_only(None, keys)
    check_room(chapters_in(scribe))


# --- a chapter added later


class AddChapterOptions(Options):
    instruction: str = Field("", max_length=2_000, description="What the new chapter is about")


class Added(BaseModel):
    """The new chapter, and the course as it stood when it was planned."""

    course: Course
    chapter: PlannedChapter


async def add_chapter(run: Running) -> None:
    """One more chapter at the end of a course that is there. Its key is its run's: no two runs write one chapter."""
    run.plan({"chapter": OUTLINE_WEIGHT, "rest": CHAPTER_WEIGHT})
    await run.read_document()
    given = await sources.read(run)
    key = f"chapter-{run.run.id.hex[-12:]}"
    added = await run.step(
        "chapter",
        lambda step: plan_chapter(run, step, given),
        returns=Added,
        label={"code": "outline"},
        write=lambda added, scribe: set_up_added(added, scribe, key),
    )
    holds = chapters.places(added.course.exercises_per_chapter, added.course.evaluation_questions)
    run.plan({"chapter": OUTLINE_WEIGHT, **weights(key, CHAPTER_WEIGHT, holds)})
    n, planned = len(added.course.chapters), added.chapter
    stands = await standing(run)
    await chapters.write(run, stands.chapter(Chapter(added.course, key, n, planned.title, planned.description)))


async def plan_chapter(run: Running, step: StepInProgress, given: Sources) -> Added:
    course = await db(there, run.run, given)
    variables = {
        "brief": course.brief,
        "sources": course.sources,
        "course_title": course.title,
        "chapters": course.chapters,
        "instruction": AddChapterOptions.model_validate(run.run.options).instruction,
    }
    planned = await step.write_as(PlannedChapter, "course/chapter", variables)
    course.chapters.append(planned.title)
    return Added(course=course, chapter=planned)


def there(run: Run, given: Sources) -> Course:
    """The course as it stands. Raises `limit.chapters` when it is full."""
    document = Document.objects.get(runs=run)
    titles = [section.fields.get("title", "") for section in sections_of(document) if section.type == "chapter"]
    check_room(len(titles) + 1)
    return Course.written(document, titles, given)


def check_room(chapters: int) -> None:
    """Whether a course may have so many."""
    if chapters > MOST_CHAPTERS:
        raise LimitReached("chapters", limit=MOST_CHAPTERS)


def chapters_in(scribe: Scribe) -> int:
    return sum(section.type == "chapter" and section.present for section in scribe.sections.values())


def set_up_added(added: Added, scribe: Scribe, key: str) -> None:
    """Raises `limit.chapters` when it became full while the chapter was planned."""
    check_room(chapters_in(scribe) + 1)
    holds = chapters.places(added.course.exercises_per_chapter, added.course.evaluation_questions)
    chapters.set_up(scribe, key, added.chapter, holds)


# --- what a course will ask of models

CHAPTERS = (3, 8)  # where neither option nor outline has said
EXERCISES = (2, 4)


def work(options: CourseOptions) -> list[Work]:
    """A call for each lesson, diagram, exercise and evaluation; their lengths as courses have had them."""
    few, many = (options.chapters, options.chapters) if options.chapters else CHAPTERS
    least, most = PARTS[options.level_detail or LevelDetail.STANDARD]
    chapters, blocks = (few, many), (few * EXERCISES[0], many * EXERCISES[1])
    return [
        Work("course/outline", (1, 1), (400, 1_500)),
        Work("course/lesson", chapters, (least * 350, most * 700)),
        Work("course/diagram_mermaid", (few * least, many * most), (100, 500), reads=700),
        Work("course/exercises", chapters, (80, 250), reads=settings.EXTRACT_TOKENS),
        Work("course/choice_block", blocks, (300, 1_200), reads=settings.EXTRACT_TOKENS),
        Work("course/evaluation", chapters, (1_000, 4_000), reads=settings.EXTRACT_TOKENS),
    ]


RECIPE = Recipe(
    kind="course",
    job=f"{__name__}.{write.__name__}",
    options=CourseOptions,
    slots=(
        "course/outline",
        "course/chapter",
        "course/lesson",
        "course/diagram_mermaid",
        "course/diagram_plantuml",
        "course/diagram_graphviz",
        "course/diagram_vegalite",
        "course/diagram_repair",
        "course/exercises",
        "course/choice_block",
        "course/open_block",
        "course/evaluation",
        "course/grade",
    ),
    manuscript=manuscript.of,
    phases=("outline", "review_outline", "chapters", "chapter"),
    speech=Speech(
        _("Course"),
        _("Courses"),
        _("A new course"),
        _("What should it teach, and to whom?"),
        (_("{n} chapter"), _("{n} chapters")),
    ),
    work=work,
    coming=coming.of,
    actions=(Action("add_chapter", f"{__name__}.{add_chapter.__name__}", AddChapterOptions),),
)
