"""Mermaid by mermaidx: the real mermaid.js (from 11.15 on, before that labels were a hole) in QuickJS, no browser.

The code may say what is drawn, not how: directives, configuration and links of its own are dropped before it is read.
"""

import re
import resource
from functools import cache
from pathlib import Path
from typing import Any

from mermaidx.engines.quickjs_engine import Engine, MermaidRenderError

from generation.diagrams import labels
from generation.diagrams.mermaid_theme import VARIABLES
from generation.diagrams.theme import FONT

NOTHING = "mermaid.render() produced no output (unknown error)"
STACK_BYTES = 64 * 1024 * 1024  # QuickJS may use 24 MB of it: long chains are walked by recursion

DIRECTIVE = re.compile(r"%%\{.*?\}%%", re.DOTALL)
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)?---[ \t]*\n", re.DOTALL)
TITLE = re.compile(r"^title:[^\n]*$", re.MULTILINE)
IMAGE = re.compile(r"<\s*/?\s*img[^>]*>?", re.IGNORECASE)
LINKING = re.compile(r"^\s*(flowchart|graph|classDiagram|stateDiagram|gantt|sequenceDiagram)", re.MULTILINE)
LINK = re.compile(r"^[ \t]*(click|callback|links?)[ \t]+[^\n]*$", re.MULTILINE)

CONFIG: dict[str, Any] = {
    "securityLevel": "strict",
    "secure": ["secure", "securityLevel", "startOnLoad", "maxTextSize", "maxEdges", "theme", "themeCSS", "fontFamily"],
    "suppressErrorRendering": True,  # else a picture of a bomb, as if it were the drawing
    "maxTextSize": 100_000,  # what is too long was refused before
    "fontFamily": FONT,
    "journey": {"textPlacement": "fo", "titleFontFamily": FONT},
    "gantt": {"useWidth": 760, "topPadding": 56, "barHeight": 24, "fontSize": 13, "axisFormat": "%m-%d"},
    "themeVariables": VARIABLES,
}


@cache
def engine() -> Engine:
    """Ready for one rendering, in this thread: a fork takes no other thread along.

    Its own way in starts a thread; so does this by the methods behind it, which is why its version is pinned.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (STACK_BYTES if hard < 0 else min(STACK_BYTES, hard), hard))
    engine = Engine()
    engine._init_context()
    engine._ctx.eval(Path(__file__).with_name("haste.js").read_text())
    return engine


prepare = engine


def render(code: str) -> str:
    try:
        drawn = engine()._render_svg_sync(harmless(code), "base", CONFIG, None)
    except MermaidRenderError as error:
        raise ValueError(
            str(error).replace(NOTHING, "nothing was drawn; no image or icon can be loaded here")
        ) from None
    return labels.flattened(drawn)


def harmless(code: str) -> str:
    """Lines keep their numbers: a message about line 7 means the author's line 7."""
    code = FRONT_MATTER.sub(title_only, code)
    code = DIRECTIVE.sub(lambda directive: "\n" * directive[0].count("\n"), code)
    code = IMAGE.sub(" ", code)  # drawing would wait for ever until they are loaded
    return LINK.sub("", code) if LINKING.search(code) else code


def title_only(front_matter: re.Match[str]) -> str:
    """The title is what is drawn; the rest of a front matter is configuration."""
    title = TITLE.search(front_matter[0])
    kept = f"---\n{title[0]}\n---\n" if title else ""
    return kept + "\n" * (front_matter[0].count("\n") - kept.count("\n"))
