"""The diagram of one part: a specialist writes its code, it is drawn at once, and what cannot be drawn is mended."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from generation import drawings
from generation.recipes.course.answers import Diagram, Part
from generation.running import Running
from generation.scribe import Scribe
from generation.steps import StepInProgress
from memory import bases
from memory.base.errors import ScriptoriumError, ToolFailed

REPAIRS = 2
WRITERS = {
    "mermaid": "course/diagram_mermaid",
    "plantuml": "course/diagram_plantuml",
    "graphviz": "course/diagram_graphviz",
    "vegalite": "course/diagram_vegalite",
}


class Drawn(BaseModel):
    """Code that was drawn, and the drawing's name; or why there is none."""

    code: str | None = None
    drawing: str | None = None
    error: dict[str, Any] | None = None


def step_of(part_key: str) -> str:
    return f"{part_key}/diagram"


async def diagram(run: Running, label: Mapping[str, Any], key: str, part: Part) -> None:
    """Without a drawing the part keeps its text and its description, with the diagram labelled as missing."""

    def fallback(error: ScriptoriumError) -> Drawn:
        return Drawn(error=error.as_data())

    def keep(drawn: Drawn, scribe: Scribe) -> None:
        section = scribe.sections[key]
        if drawn.error and section.fields.get("diagram"):
            return  # the drawing there was before is better than none
        # With its type: where a person chose another meanwhile, none of this is written, and all of it proposed.
        made = {"diagram_code": drawn.code, "diagram": drawn.drawing, "diagram_error": drawn.error}
        scribe.write_fields(key, {"diagram_type": part.diagram_type, **made})
        read = (("content", part.content), ("schema_description", part.schema_description))
        bases.rest(section, [(section, path, value) for path, value in read], path="diagram")

    await run.step(
        step_of(key),
        lambda step: draw(step, part, run.run.workspace_id),
        returns=Drawn,
        label=label,
        fallback=fallback,
        write=keep,
    )


async def draw(step: StepInProgress, part: Part, workspace_id: UUID) -> Drawn:
    """Raises what the last try to draw raised, after REPAIRS repairs."""
    variables = {"title": part.title, "content": part.content, "description": part.schema_description}
    written = await step.write_as(Diagram, WRITERS[part.diagram_type], variables)
    for repair in range(REPAIRS + 1):
        try:
            drawing = await drawings.draw(part.diagram_type, written.code, workspace_id)
            return Drawn(code=written.code, drawing=drawing.digest)
        except ToolFailed as error:
            if repair == REPAIRS:
                raise
            objection = {"type": part.diagram_type, "code": written.code, "problem": problem_of(error)}
        written = await step.write_as(Diagram, "course/diagram_repair", objection, agent=part.diagram_type)
    raise AssertionError("the last try returns or raises")


def problem_of(error: ToolFailed) -> str:
    return str(error.params.get("because") or error)
