"""Whether an SVG is only a drawing. Diagrams arrive sanitised; an export leaves the house, so it looks again."""

import re
from xml.parsers import expat

MAX_CHARACTERS = 5_000_000
ROOT = "http://www.w3.org/2000/svg svg"
RUNS = {"script", "handler", "listener", "iframe", "object", "embed"}
# An address inside the drawing, or a picture that lies in it; a link for a reader to follow may lead out.
INSIDE = re.compile(r"\s*(#|data:image/(png|jpeg|gif|webp)[;,])", re.IGNORECASE)
LEADS_OUT = re.compile(r"\s*(#|https?://|mailto:)", re.IGNORECASE)
LOADS = re.compile(r"@import|url\(\s*['\"]?(?!['\"]?\s*(#|data:image/(png|jpeg|gif|webp)[;,]))", re.IGNORECASE)


class NotADrawing(ValueError):
    pass


def is_harmless(svg: str) -> bool:
    """Well-formed, runs nothing, loads nothing from anywhere, defines no entities."""
    try:
        check(svg)
    except (NotADrawing, expat.ExpatError):
        return False
    return True


def check(svg: str) -> None:
    if len(svg) > MAX_CHARACTERS:
        raise NotADrawing("too large")
    parser = expat.ParserCreate(namespace_separator=" ")
    names: list[str] = []
    texts: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        names.append(name)
        check_element(name.rpartition(" ")[2].lower(), attributes)

    def doctype(_name: str, _system: str | None, _public: str | None, has_subset: int) -> None:
        if has_subset:
            raise NotADrawing("entities of its own")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    parser.CharacterDataHandler = texts.append
    parser.Parse(svg.encode(), True)
    if names[0] != ROOT or LOADS.search("".join(texts)):
        raise NotADrawing("another root, or a style that loads")


def check_element(name: str, attributes: dict[str, str]) -> None:
    if name in RUNS:
        raise NotADrawing(name)
    for attribute, value in attributes.items():
        local = attribute.rpartition(" ")[2].lower()
        if local.startswith("on") or LOADS.search(value):
            raise NotADrawing(local)
        if local in {"href", "src"} and not (LEADS_OUT if name == "a" else INSIDE).match(value):
            raise NotADrawing(local)
