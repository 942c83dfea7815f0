"""A course: its outline, then all chapters at once; in each lesson, exercises and evaluation at once."""

from pydantic import BaseModel, Field

from generation import sources
from generation.documents import sections_of
from generation.models import Document, Run
from generation.recipes.base import Action, Options, Recipe
from generation.recipes.course import chapters, manuscript
from generation.recipes.course.answers import Outline, PlannedChapter
from generation.recipes.course.chapters import CHAPTER_WEIGHT, Chapter, Course
from generation.recipes.course.schema import LevelDetail
from generation.running import Running
from generation.scribe import Scribe
from generation.steps import StepInProgress
from memory.base.database import db

OUTLINE_WEIGHT = 8


class CourseOptions(Options):
    """`review_outline`: a person looks at the outline, and may edit it, before anything is written."""

    review_outline: bool = False
    level_detail: LevelDetail | None = None
    chapters: int | None = Field(None, ge=1, le=16)
    difficulty: str = Field("", max_length=100)


async def write(run: Running) -> None:
    run.plan({"outline": OUTLINE_WEIGHT, "chapters": 100 - OUTLINE_WEIGHT})
    await run.read_document()
    given = (await sources.read(run)).as_prompt()
    outline = await run.step(
        "outline", lambda step: plan(run, step, given), returns=Outline, label={"code": "outline"}, write=set_up
    )
    if run.run.options.get("review_outline"):
        reviewed = await run.ask("review_outline", Outline, shown=outline.model_dump(mode="json"))
        outline = await run.step("chapters", lambda _: accepted(reviewed), returns=Outline, write=set_up_reviewed)
    course = Course.planned(run.run, outline, given)
    weights = [chapters.weights(course, n) for n in range(1, len(outline.chapters) + 1)]
    run.plan({"outline": OUTLINE_WEIGHT, **{key: share for each in weights for key, share in each.items()}})
    planned = [Chapter(course, n, each.title, each.description) for n, each in enumerate(outline.chapters, 1)]
    await run.gather(*(chapters.write(run, chapter) for chapter in planned))


async def plan(run: Running, step: StepInProgress, given: str) -> Outline:
    """The outline as the brief asks for it; what the options say counts more."""
    options = CourseOptions.model_validate(run.run.options)
    variables = {
        "brief": run.run.brief,
        "sources": given,
        "title": run.run.title,
        "chapters": options.chapters,
        "level_detail": options.level_detail,
        "difficulty": options.difficulty or run.run.user.study_level,
    }
    outline = await step.write_as(Outline, "course/outline", variables)
    return outline.model_copy(update={"level_detail": options.level_detail or outline.level_detail})


async def accepted(outline: Outline) -> Outline:
    return outline


def set_up(outline: Outline, scribe: Scribe) -> None:
    """The course with its chapters, still to be written, under the title it was asked for by, if it was."""
    set_up_reviewed(outline.model_copy(update={"title": scribe.run.title or outline.title}), scribe)


def set_up_reviewed(outline: Outline, scribe: Scribe) -> None:
    scribe.write_document(outline.model_dump(mode="json", exclude={"chapters"}))
    for n, planned in enumerate(outline.chapters, 1):
        chapters.set_up(scribe, chapters.key_of(n), planned.title, planned.description)
    scribe.keep_only(None, [chapters.key_of(n) for n in range(1, len(outline.chapters) + 1)])


# --- a chapter added later


class AddChapterOptions(Options):
    instruction: str = Field("", max_length=2_000, description="What the new chapter is about")


class Added(BaseModel):
    """The new chapter, and the course as it stood when it was planned."""

    n: int
    course: Course
    chapter: PlannedChapter


async def add_chapter(run: Running) -> None:
    """One more chapter at the end of a course that is there."""
    run.plan({"chapter": OUTLINE_WEIGHT, "rest": CHAPTER_WEIGHT})
    await run.read_document()
    added = await run.step(
        "chapter", lambda step: plan_chapter(run, step), returns=Added, label={"code": "outline"}, write=set_up_added
    )
    run.plan({"chapter": OUTLINE_WEIGHT, **chapters.weights(added.course, added.n)})
    chapter = Chapter(added.course, added.n, added.chapter.title, added.chapter.description)
    await chapters.write(run, chapter)


async def plan_chapter(run: Running, step: StepInProgress) -> Added:
    course, n = await db(there, run.run)
    variables = {
        "brief": course.brief,
        "sources": course.sources,
        "course_title": course.title,
        "chapters": course.chapters,
        "instruction": AddChapterOptions.model_validate(run.run.options).instruction,
    }
    planned = await step.write_as(PlannedChapter, "course/chapter", variables)
    course.chapters.append(planned.title)
    return Added(n=n, course=course, chapter=planned)


def there(run: Run) -> tuple[Course, int]:
    """The course as it stands, and the number of its next chapter; numbers are never used again."""
    document = Document.objects.get(runs=run)
    keys = document.sections.filter(parent=None).values_list("key", flat=True)
    numbers = [int(key.removeprefix("chapter-")) for key in keys if key.removeprefix("chapter-").isdigit()]
    titles = [section.fields.get("title", "") for section in sections_of(document) if section.type == "chapter"]
    return Course.written(document, titles), max(numbers, default=0) + 1


def set_up_added(added: Added, scribe: Scribe) -> None:
    chapters.set_up(scribe, chapters.key_of(added.n), added.chapter.title, added.chapter.description)


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
    ),
    manuscript=manuscript.of,
    actions=(Action("add_chapter", f"{__name__}.{add_chapter.__name__}", AddChapterOptions),),
)
