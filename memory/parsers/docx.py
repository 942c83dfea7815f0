"""Word: paragraphs, headings, lists and tables in reading order, with what was inserted and without what was deleted.

The XML is walked itself: python-docx opens the package, but passes over content controls, text boxes and insertions.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml.ns import qn

from memory.parsers.paper import Paper
from memory.parsers.values import Allowance, Parsed

P, TBL, TR, TC, T = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc", "t"))
VAL = qn("w:val")
GAPS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-", P: "\n"}
# Properties (they hold tab stops), what was deleted or moved away, and second copies for old programs.
UNSEEN = {
    *(qn(f"w:{name}") for name in ("pPr", "rPr", "tblPr", "trPr", "tcPr", "sectPr", "del", "moveFrom")),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}
NOT_NUMBERED = "0"  # how a paragraph leaves the list of its style
HEADING = re.compile(r"heading (\d)", re.IGNORECASE)


def read(content: bytes) -> Parsed:
    document = Document(BytesIO(content))
    styles = {
        style.style_id: Shape.of_style(style) for style in document.styles if style.type == WD_STYLE_TYPE.PARAGRAPH
    }
    numbers = Numbers(number_formats(document))
    allowance, paper = Allowance(), Paper()
    for block in nearest(document.element.body, P, TBL):
        if allowance.is_spent(paper.characters):
            return Parsed(paper.text(), is_cut=True)
        if block.tag == TBL:
            paper.table([["".join(said(cell)) for cell in nearest(row, TC)] for row in nearest(block, TR)])
        else:
            write(paper, block, styles, numbers)
    return Parsed(paper.text())


@dataclass(frozen=True)
class Shape:
    """What a paragraph is: a heading of a level, an item of a numbering at a depth, or neither."""

    level: int = 0
    numbering: str = ""
    depth: int = 0

    @classmethod
    def of_style(cls, style: Any) -> "Shape":
        """As the style says, or the one it is based on."""
        if style.name == "Title":
            return cls(level=1)
        if heading := HEADING.fullmatch(style.name or ""):
            return cls(level=int(heading[1]))
        own = cls.of_properties(style.element.pPr)
        if own.numbering:
            return own
        return cls.of_style(style.base_style) if style.base_style is not None else cls()

    @classmethod
    def of_properties(cls, properties: Any) -> "Shape":
        numbering = properties.numPr if properties is not None else None
        if numbering is None or numbering.numId is None:
            return cls()
        return cls(numbering=str(numbering.numId.val), depth=numbering.ilvl.val if numbering.ilvl is not None else 0)


class Numbers:
    """The mark of each next item. Items of one numbering count on; what is deeper begins anew under the next one."""

    def __init__(self, formats: dict[tuple[str, int], str]) -> None:
        self.formats = formats
        self.last: dict[tuple[str, int], int] = {}

    def next_mark(self, numbering: str, depth: int) -> str:
        if self.formats.get((numbering, depth), "bullet") in ("bullet", "none"):
            return "-"
        number = self.last.get((numbering, depth), 0) + 1
        self.last = {place: n for place, n in self.last.items() if place[0] != numbering or place[1] < depth}
        self.last[numbering, depth] = number
        return f"{number}."


def write(paper: Paper, paragraph: Any, styles: dict[str, Shape], numbers: Numbers) -> None:
    text = "".join(said(paragraph))
    style = styles.get(paragraph.style or "", Shape())
    own = Shape.of_properties(paragraph.pPr)
    item = own if own.numbering else style
    if style.level:
        paper.heading(style.level, text)
    elif item.numbering and item.numbering != NOT_NUMBERED:
        paper.item(item.depth, numbers.next_mark(item.numbering, item.depth), text)
    else:
        paper.paragraph(text)


def nearest(parent: Any, *tags: str) -> Iterator[Any]:
    """The elements of these tags below the parent, in order, but none inside another."""
    for child in parent.iterchildren("*"):
        if child.tag in tags:
            yield child
        elif child.tag not in UNSEEN:
            yield from nearest(child, *tags)


def said(parent: Any) -> Iterator[str]:
    for child in parent.iterchildren("*"):
        if child.tag == T:
            yield child.text or ""
        elif child.tag not in UNSEEN:
            yield GAPS.get(child.tag, "")
            yield from said(child)


def number_formats(document: Any) -> dict[tuple[str, int], str]:
    """How each numbering counts at each depth: `bullet`, `decimal` and so on."""
    part = next((rel.target_part for rel in document.part.rels.values() if rel.reltype.endswith("/numbering")), None)
    if part is None:
        return {}
    root = part.element
    kinds = {
        (abstract.get(qn("w:abstractNumId")), int(level.get(qn("w:ilvl")))): counting.get(VAL)
        for abstract in root.iterchildren(qn("w:abstractNum"))
        for level in abstract.iterchildren(qn("w:lvl"))
        for counting in level.iterchildren(qn("w:numFmt"))
    }
    return {
        (number.get(qn("w:numId")), depth): counting
        for number in root.iterchildren(qn("w:num"))
        for chosen in number.iterchildren(qn("w:abstractNumId"))
        for (abstract, depth), counting in kinds.items()
        if abstract == chosen.get(VAL)
    }
