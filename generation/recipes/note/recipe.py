"""A note: an outline from the brief, then all its sections at once."""

from django.utils.translation import gettext_noop as _

from generation import sources
from generation.documents import sections_of
from generation.manuscripts import Block, Heading, Manuscript, Notice, Prose
from generation.models import Document, Section
from generation.recipes.base import Options, Recipe, Speech, Work
from generation.recipes.note.schema import Outline, PlannedSection
from generation.running import Running
from generation.scribe import Scribe
from generation.steps import StepInProgress
from generation.words import words
from memory.base.errors import ScriptoriumError

OUTLINE_WEIGHT, SECTIONS_WEIGHT = 10, 90


async def write(run: Running) -> None:
    run.plan({"outline": OUTLINE_WEIGHT, "sections": SECTIONS_WEIGHT})
    await run.read_document()
    given = (await sources.read(run)).as_prompt()
    outline = await run.step(
        "outline",
        lambda step: plan(run, given, step),
        returns=Outline,
        label={"code": "outline"},
        write=set_up,
    )
    share = SECTIONS_WEIGHT / len(outline.sections)
    run.plan({"outline": OUTLINE_WEIGHT, **{section_key(n): share for n in range(1, len(outline.sections) + 1)}})
    await run.gather(*(section(run, given, outline, n, planned) for n, planned in enumerate(outline.sections, 1)))


def section_key(n: int) -> str:
    return f"section-{n}"


async def plan(run: Running, given: str, step: StepInProgress) -> Outline:
    variables = {"brief": run.run.brief, "sources": given, "title": run.run.title}
    return await step.write_as(Outline, "note/outline", variables)


def set_up(outline: Outline, scribe: Scribe) -> None:
    """The note with its title and its sections, still to be written."""
    scribe.write_document({"title": scribe.run.title or outline.title})
    keys = [section_key(n) for n in range(1, len(outline.sections) + 1)]
    for key, planned in zip(keys, outline.sections, strict=True):
        scribe.plan_section(key, "section", {"title": planned.title})
    scribe.keep_only(None, keys)


async def section(run: Running, given: str, outline: Outline, n: int, planned: PlannedSection) -> str:
    """One section, streamed. When no model can write it, its summary stands in, labelled."""
    key = section_key(n)

    async def produce(step: StepInProgress) -> str:
        variables = {
            "brief": run.run.brief,
            "sources": given,
            "note_title": outline.title,
            "titles": [each.title for each in outline.sections],
            "title": planned.title,
            "summary": planned.summary,
        }
        return await step.write("note/section", variables)

    def fallback(_: ScriptoriumError) -> str:
        return planned.summary

    def keep(text: str, scribe: Scribe) -> None:
        scribe.write_section(key, {"content": text})

    label = {"code": "section", "title": planned.title, "number": n, "of": len(outline.sections)}
    return await run.step(key, produce, returns=str, label=label, fallback=fallback, write=keep)


def manuscript(document: Document) -> Manuscript:
    """The note as far as it is written, with every fallback and gap labelled."""
    blocks = [block for section in sections_of(document) for block in section_blocks(section, document.language)]
    return Manuscript(document.title, document.language, tuple(blocks))


def section_blocks(section: Section, language: str) -> list[Block]:
    blocks: list[Block] = [Heading(1, section.fields.get("title", ""))]
    if section.fallback:
        blocks.append(Notice(words("fallback", language)))
    if content := section.fields.get("content"):
        blocks.append(Prose(content))
    else:
        blocks.append(Notice(words("missing", language)))
    return blocks


SECTIONS = (3, 8)


def work(_options: Options) -> list[Work]:
    return [Work("note/outline", (1, 1), (150, 600)), Work("note/section", SECTIONS, (250, 900))]


RECIPE = Recipe(
    kind="note",
    job=f"{__name__}.{write.__name__}",
    options=Options,
    slots=("note/outline", "note/section"),
    manuscript=manuscript,
    phases=("outline",),
    speech=Speech(
        _("Note"),
        _("Notes"),
        _("A new note"),
        _("What should it say, and to whom?"),
        (_("{n} section"), _("{n} sections")),
    ),
    work=work,
)
