"""From a type and code to an SVG that may stand in any page. No rows, no cache: see `generation.drawings` for those.

Two children for each drawing: one runs the renderer over what a model wrote, the other, which has seen none of that,
judges its SVG.
"""

from generation.diagrams import easel, table
from memory.base.errors import ToolFailed
from memory.base.nursery import Nursery

LOOK = "1"  # raise it when the same code would be drawn in another way: what was drawn before is drawn again
MOST_CODE = 40_000
MOST_SVG = 2_000_000
SECONDS = 10
EASELS = 2

FENCES = ("```", "~~~")

easels = Nursery(easel.__name__, most=EASELS)


def tidy(type: str, code: str) -> str:
    """The code without what models put around it: a fence, the name of its language on a line of its own."""
    lines = code.strip().splitlines()
    if lines and lines[0].startswith(FENCES):
        del lines[0]
        if lines and lines[-1].strip() in FENCES:
            del lines[-1]
    if lines and lines[0].strip().lower() == type:
        del lines[0]
    return "\n".join(line.rstrip() for line in lines).strip()


def render(type: str, code: str) -> str:
    """The sanitised SVG. Blocks for up to SECONDS after its turn has come; hold no connection meanwhile.

    `because` of what it raises is written for the author of the code: `tool.diagram_type`, `tool.diagram_too_large`,
    `tool.diagram_invalid`, `tool.diagram_timeout`, `tool.diagram_died`.
    """
    if type not in table.available():
        raise ToolFailed("diagram_type", type=type[:50], allowed=list(table.available()))
    if len(code) > MOST_CODE:
        because = f"the code has {len(code)} characters, the most is {MOST_CODE}"
        raise ToolFailed("diagram_too_large", type=type, because=because)
    code = tidy(type, code)
    if not code:
        raise ToolFailed("diagram_invalid", type=type, because="there is no code")
    rendered = at_the_easel(type, code.encode(), "render", type)
    if len(rendered) > MOST_SVG:
        because = f"the drawing takes {len(rendered)} bytes, the most is {MOST_SVG}; use fewer elements"
        raise ToolFailed("diagram_too_large", type=type, because=because)
    return at_the_easel(type, rendered, "sanitise").decode()


def at_the_easel(type: str, request: bytes, *arguments: str) -> bytes:
    try:
        return easels.run(request, *arguments, seconds=SECONDS)
    except ToolFailed as failed:
        if failed.code == "tool.child_refused":
            raise ToolFailed("diagram_invalid", type=type, because=failed.params["because"]) from failed
        if failed.code == "tool.child_timeout":
            because = f"drawing took longer than {SECONDS} s; use fewer elements"
            raise ToolFailed("diagram_timeout", type=type, because=because) from failed
        because = "drawing needed too much memory or ended the renderer; use fewer elements"
        raise ToolFailed("diagram_died", type=type, because=because) from failed
