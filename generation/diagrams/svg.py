"""What may stand in an SVG of ours: shapes, text and paint. Everything else is left out, not looked for.

The result is well-formed, has width, height and viewBox, stands on paper of its own, points at nothing outside itself,
and runs nothing: no script, no event, no link, no picture, no font, no entity, no animation, no HTML.
"""

import math
import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from generation.diagrams import css
from generation.diagrams.theme import PAPER

SVG = "http://www.w3.org/2000/svg"
MOST_PIXELS = 20_000
MOST_ELEMENTS = 60_000
MOST_DEPTH = 200
MARGIN = 12

ELEMENTS = {
    "circle", "clipPath", "defs", "desc", "ellipse", "g", "line", "linearGradient", "marker",
    "mask", "path", "pattern", "polygon", "polyline", "radialGradient", "rect", "stop", "style", "svg", "symbol",
    "text", "textPath", "title", "tspan", "use",
}  # fmt: skip
UNWRAPPED = {"a", "switch"}  # what is in them stays
GEOMETRY = {
    "class", "clip-path", "clipPathUnits", "cx", "cy", "d", "dx", "dy", "fx", "fy",
    "gradientTransform", "gradientUnits", "height", "id", "lengthAdjust", "marker-end", "marker-mid", "marker-start",
    "markerHeight", "markerUnits", "markerWidth", "mask", "offset", "orient", "pathLength", "patternTransform",
    "patternUnits", "points", "preserveAspectRatio", "r", "refX", "refY", "role", "rotate", "rx", "ry", "space",
    "spreadMethod", "startOffset", "style", "textLength", "transform", "viewBox", "width", "x", "x1",
    "x2", "y", "y1", "y2",
}  # fmt: skip
ATTRIBUTES = GEOMETRY | css.PROPERTIES
LOCAL = re.compile(r"#[\w:.-]+\Z")


def sanitise(svg: str) -> str:
    """ValueError if it is no SVG, or none that can be shown."""
    root = parse(svg)
    if root.tag != name("svg"):
        raise ValueError("the renderer gave no SVG")
    clean(root)
    framed(root)
    ElementTree.register_namespace("", SVG)
    return ElementTree.tostring(root, encoding="unicode")


def parse(svg: str) -> Element:
    """A tree of what is allowed. A document type may be named, as graphviz does, and say nothing."""
    builder, parser, depth = TreeBuilder(), expat.ParserCreate(namespace_separator="}"), [0, 0]

    def start(tag: str, attributes: dict[str, str]) -> None:
        depth[0] += 1
        depth[1] += 1
        if depth[0] > MOST_DEPTH or depth[1] > MOST_ELEMENTS:
            raise ValueError(f"the drawing has too many elements, the most is {MOST_ELEMENTS}; use fewer")
        builder.start(braced(tag), {braced(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        depth[0] -= 1
        builder.end(braced(tag))

    def refuse(*_: object) -> None:
        raise ValueError("the SVG declares entities")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, builder.data
    parser.EntityDeclHandler = parser.SkippedEntityHandler = refuse
    try:
        parser.Parse(svg.encode(), True)
    except expat.ExpatError as error:
        raise ValueError(f"the SVG is not well-formed: {error}") from None
    return builder.close()


def braced(qualified: str) -> str:
    return "{" + qualified if "}" in qualified else qualified


def name(tag: str) -> str:
    return f"{{{SVG}}}{tag}"


def clean(element: Element) -> None:
    """This element's attributes, then what is in it."""
    for key, value in list(element.attrib.items()):
        del element.attrib[key]
        local = key.rpartition("}")[2]
        kept = allowed(local, value)
        if kept is not None:
            element.set(local, kept)
    if element.tag == name("style"):
        element.text = css.sheet("".join(element.itertext()))
        del element[:]
    unwrap(element)
    for child in element:
        clean(child)


def unwrap(element: Element) -> None:
    """Children that may stay, those of links in their place."""
    kept: list[Element] = []
    for child in element:
        tag = child.tag.removeprefix(name(""))
        if tag in ELEMENTS:
            kept.append(child)
        elif tag in UNWRAPPED:
            unwrap(child)
            kept += child
        elif kept:
            kept[-1].tail = (kept[-1].tail or "") + (child.tail or "")
    element[:] = kept


def allowed(attribute: str, value: str) -> str | None:
    """The value as it may stand, or None."""
    if attribute == "href":
        return value if LOCAL.match(value) else None
    if attribute not in ATTRIBUTES:
        return None
    if attribute == "style":
        return css.declarations(value)
    return value if css.is_harmless(value) else None


def framed(root: Element) -> None:
    """In pixels, with a margin, on paper."""
    x, y, width, height = box(root)
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        raise ValueError(
            f"the drawing is {width:.0f} × {height:.0f} pixels, the most is {MOST_PIXELS}; use fewer elements"
        )
    x, y, width, height = x - MARGIN, y - MARGIN, width + 2 * MARGIN, height + 2 * MARGIN
    root.attrib.pop("style", None)
    root.set("viewBox", f"{x:g} {y:g} {width:g} {height:g}")
    root.set("width", f"{math.ceil(width)}")
    root.set("height", f"{math.ceil(height)}")
    paper = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{width:g}", "height": f"{height:g}"}
    root.insert(0, Element(name("rect"), {**paper, "style": f"fill:{PAPER};stroke:none"}))


def box(root: Element) -> tuple[float, float, float, float]:
    """The picture in its own units, which are pixels, or points as graphviz writes them."""
    numbers = [number(each) for each in re.split(r"[\s,]+", root.get("viewBox", "").strip())]
    if len(numbers) == 4:
        return numbers[0], numbers[1], numbers[2], numbers[3]
    return 0, 0, number(root.get("width", "")), number(root.get("height", ""))


def number(text: str) -> float:
    found = re.match(r"\s*(-?\d+(\.\d+)?(e[+-]?\d{1,2})?)(px|pt)?\s*\Z", text)
    return float(found[1]) if found else 0
