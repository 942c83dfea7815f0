"""A note: an outline from the brief, then all its sections at once."""

from generation import runs
from generation.models import Run, Step, StepState
from generation.recipes.base import Options, Recipe
from generation.recipes.note.schema import Outline, PlannedSection
from generation.running import Running
from generation.steps import StepInProgress
from memory.base.errors import ScriptoriumError

OUTLINE_WEIGHT, SECTIONS_WEIGHT = 10, 90


async def write(run: Running) -> None:
    run.plan({"outline": OUTLINE_WEIGHT, "sections": SECTIONS_WEIGHT})
    outline = await run.step(
        "outline",
        lambda step: plan(run, step),
        returns=Outline,
        label={"code": "outline"},
        write=lambda outline: runs.entitle(run.run, outline.title),
    )
    share = SECTIONS_WEIGHT / len(outline.sections)
    run.plan({"outline": OUTLINE_WEIGHT, **{section_key(n): share for n in range(1, len(outline.sections) + 1)}})
    await run.gather(*(section(run, outline, n, planned) for n, planned in enumerate(outline.sections, 1)))


def section_key(n: int) -> str:
    return f"section-{n}"


async def plan(run: Running, step: StepInProgress) -> Outline:
    return await step.write_as(Outline, "note/outline", {"brief": run.run.brief, "title": run.run.title})


async def section(run: Running, outline: Outline, n: int, planned: PlannedSection) -> str:
    """One section, streamed. When no model can write it, its summary stands in, labelled."""

    async def produce(step: StepInProgress) -> str:
        variables = {
            "brief": run.run.brief,
            "note_title": outline.title,
            "titles": [each.title for each in outline.sections],
            "title": planned.title,
            "summary": planned.summary,
        }
        return await step.write("note/section", variables)

    def fallback(_: ScriptoriumError) -> str:
        return planned.summary

    label = {"code": "section", "title": planned.title, "number": n, "of": len(outline.sections)}
    return await run.step(section_key(n), produce, returns=str, label=label, fallback=fallback)


def markdown(run: Run) -> str:
    """The note as far as it is written, with every fallback and gap labelled."""
    steps = {step.key: step for step in Step.objects.filter(run=run)}
    planned = steps.get("outline")
    if planned is None or planned.result is None:
        return ""
    outline = Outline.model_validate(planned.result)
    parts = [f"# {run.title or outline.title}"]
    for n, each in enumerate(outline.sections, 1):
        parts += [f"## {each.title}", section_text(steps.get(section_key(n)), run)]
    return "\n\n".join(part for part in parts if part) + "\n"


FALLBACK_LABELS = {
    "fr": "*Version de secours : cette section n’a pas pu être écrite ; voici ce qu’elle devait dire.*",
    "en": "*Fallback: this section could not be written; here is what it was meant to say.*",
}
MISSING_LABELS = {"fr": "*Section non écrite.*", "en": "*Section not written.*"}


def section_text(step: Step | None, run: Run) -> str:
    if step is None or step.state not in (StepState.DONE, StepState.FALLBACK):
        return MISSING_LABELS[run.language]
    text = str(step.result).strip()
    return f"> {FALLBACK_LABELS[run.language]}\n\n{text}" if step.is_fallback else text


RECIPE = Recipe(
    kind="note",
    job=f"{__name__}.{write.__name__}",
    options=Options,
    slots=("note/outline", "note/section"),
    markdown=markdown,
)
