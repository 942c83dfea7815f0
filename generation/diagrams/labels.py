"""Labels that mermaid writes as HTML inside the SVG become SVG text: HTML has no place in a picture, nor in exports.

Mermaid measured and wrapped them already; only where the lines broke is lost, and found again by their number.
"""

import re
import textwrap
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from generation.diagrams.theme import PAPER

SVG = "{http://www.w3.org/2000/svg}"
LINE_HEIGHT = 24
LEFT = re.compile(r"\b(members-group|methods-group|attribute-\w+)\b")  # rows of classes and entities
ON_A_LINE = re.compile(r"\b(edgeLabel|labelBkg)\b")
COLOUR = re.compile(r"(?:^|;)\s*color:\s*([^;!]+)")
BREAKS = {"br", "p", "div", "li"}


def flattened(svg: str) -> str:
    root = ElementTree.fromstring(svg)  # noqa: S314 - what we rendered; a stranger's document type cannot be in it
    flatten(root, "")
    return ElementTree.tostring(root, encoding="unicode")


def flatten(element: Element, classes: str) -> None:
    classes = f"{classes} {element.get('class', '')}"
    for place, child in enumerate(list(element)):
        if child.tag == f"{SVG}foreignObject":
            element[place] = text_of(child, classes)
            if element.tag == f"{SVG}switch":
                del element[place + 1 :]  # what would stand in for HTML
                return
        else:
            flatten(child, classes)


def text_of(label: Element, classes: str) -> Element:
    x, y, width, height = (float(label.get(name) or 0) for name in ("x", "y", "width", "height"))
    group = Element(f"{SVG}g")
    lines = wrapped(paragraphs(label), round(height / LINE_HEIGHT))
    if not lines:
        return group
    styles = ";".join(each.get("style", "") for each in label.iter())
    classes = " ".join([classes, *(each.get("class", "") for each in label.iter())])
    if ON_A_LINE.search(classes):
        box = {"x": x, "y": y, "width": width, "height": height}
        rect = SubElement(group, f"{SVG}rect", {name: f"{value:g}" for name, value in box.items()})
        rect.set("style", f"fill:{PAPER};stroke:none;opacity:1")
    is_left = bool(LEFT.search(classes))
    colour = COLOUR.search(styles)
    anchor = "start" if is_left else "middle"
    for number, line in enumerate(lines):
        text = SubElement(group, f"{SVG}text", {"x": f"{x if is_left else x + width / 2:g}", "dy": "0.35em"})
        text.set("y", f"{y + height / len(lines) * (number + 0.5):g}")
        text.set("style", f"text-anchor:{anchor};stroke:none" + (f";fill:{colour[1].strip()}" if colour else ""))
        text.text = line
    return group


def paragraphs(label: Element) -> list[str]:
    """The lines that the author broke."""
    pieces = [""]
    for kind, piece in walk(label):
        if kind == "break":
            pieces.append("")
        else:
            pieces[-1] += piece
    return [" ".join(piece.split()) for piece in pieces if piece.strip()]


def walk(element: Element) -> list[tuple[str, str]]:
    said = [("break", "")] if element.tag.rpartition("}")[2] in BREAKS else []
    said.append(("text", element.text or ""))
    for child in element:
        said += walk(child)
        said.append(("text", child.tail or ""))
    return said


def wrapped(paragraphs: list[str], wanted: int) -> list[str]:
    """The narrowest wrapping that takes no more lines than were measured."""
    longest = max(map(len, paragraphs), default=0)
    for width in range(1, longest):
        lines = [line for each in paragraphs for line in textwrap.wrap(each, width, break_long_words=False)]
        if len(lines) <= wanted:
            return lines
    return paragraphs
