"""HTML as a person would read it: headings, lists and tables stay, scripts and menus go.

It goes through the tags once, without a tree, so that depth costs nothing. It keeps the whole file: extractors of a
page's main article, such as trafilatura, flatten or drop lists and tables of a file that somebody wrote by hand.
"""

import re
from collections.abc import Callable
from functools import partial
from html.parser import HTMLParser

from memory.base.encodings import decode
from memory.parsers.paper import Paper, one_line
from memory.parsers.values import Allowance, Parsed

UNSEEN = {"script", "style", "template", "noscript", "svg", "canvas", "iframe", "object", "nav"}
HEADINGS = {"title": 1, "h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "head", "header", "hr", "html", "legend", "main", "option", "p",
    "section", "summary",
}  # fmt: skip
INLINE = {
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd", "label",
    "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
}  # fmt: skip
CELLS = {"td", "th"}
SPACE = re.compile(r"\s+")
PIECE = 64 * 1024

Attributes = list[tuple[str, str | None]]


def read(content: bytes) -> Parsed:
    text, encoding = decode(content)
    allowance, reader, place = Allowance(), Reader(), 0
    while place < len(text) and not allowance.is_spent(reader.paper.characters):
        reader.feed(text[place : place + PIECE])
        place += PIECE
    reader.close()
    return Parsed(reader.paper.text(), is_cut=place < len(text), encoding=encoding)


class Reader(HTMLParser):
    """The block that is open: `words` so far, and `shape`, which puts them on paper when it ends."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paper = Paper()
        self.words: list[str] = []
        self.shape: Callable[[str], None] = self.paper.paragraph
        self.unseen = 0
        self.lists: list[int | None] = []  # the last number given, None without numbers
        self.tables = 0
        self.rows: list[list[str]] = []
        self.is_code = False

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag in UNSEEN:
            self.unseen += 1
        if self.unseen:
            return
        if tag == "img":
            self.words.append(dict(attrs).get("alt") or "")
        elif tag == "br":
            self.words.append("\n")
        elif tag == "table":
            self.open_table()
        elif self.tables:
            self.open_in_table(tag)
        else:
            self.open_block(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self.unseen = max(0, self.unseen - 1)
        elif self.unseen:
            return
        elif tag == "table":
            self.close_table()
        elif self.tables:
            self.close_in_table(tag)
        else:
            self.close_block(tag)

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.words.append(data if self.is_code else SPACE.sub(" ", data))

    def close(self) -> None:
        super().close()
        while self.tables:
            self.close_table()
        self.end()

    # --- blocks

    def open_block(self, tag: str) -> None:
        if tag in HEADINGS:
            self.begin(partial(self.paper.heading, HEADINGS[tag]))
        elif tag in ("ul", "ol"):
            self.end()
            self.lists.append(0 if tag == "ol" else None)
        elif tag == "li":
            self.begin(partial(self.paper.item, max(0, len(self.lists) - 1), self.next_mark()))
        elif tag == "pre":
            self.begin(self.paper.code)
            self.is_code = True
        elif tag in BLOCKS:
            self.end()

    def close_block(self, tag: str) -> None:
        if tag in ("ul", "ol"):
            self.begin(self.paper.paragraph)
            if self.lists:
                self.lists.pop()
        elif tag in HEADINGS or tag in ("li", "pre"):
            self.begin(self.paper.paragraph)
        elif tag in BLOCKS:
            self.end()

    def next_mark(self) -> str:
        if not self.lists or (last := self.lists[-1]) is None:
            return "-"
        self.lists[-1] = last + 1
        return f"{last + 1}."

    def begin(self, shape: Callable[[str], None]) -> None:
        self.end()
        self.shape = shape

    def end(self) -> None:
        """Put the open block on paper. An item or a heading whose text has not come yet goes on waiting for it."""
        text = self.taken()
        if text.strip():
            self.shape(text)
            self.shape = self.paper.paragraph
        self.is_code = False

    def taken(self) -> str:
        text = "".join(self.words)
        self.words.clear()
        return text if self.is_code else "\n".join(one_line(line) for line in text.split("\n"))

    # --- tables: what lies in a cell becomes one line, tables in tables included

    def open_table(self) -> None:
        if not self.tables:
            self.begin(self.paper.paragraph)
            self.rows = []
        self.tables += 1

    def open_in_table(self, tag: str) -> None:
        if self.tables == 1 and tag == "tr":
            self.end_cell()
            self.rows.append([])
        elif self.tables == 1 and tag in CELLS:
            self.end_cell()
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append("")
        elif tag not in INLINE:
            self.words.append(" ")

    def close_in_table(self, tag: str) -> None:
        if self.tables == 1 and (tag in CELLS or tag == "tr"):
            self.end_cell()
        elif tag not in INLINE:
            self.words.append(" ")

    def close_table(self) -> None:
        if self.tables == 1:
            self.end_cell()
            self.paper.table(self.rows)
        self.tables = max(0, self.tables - 1)

    def end_cell(self) -> None:
        """What stands between cells, such as a caption, is put before the table."""
        text = self.taken()
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += text
        else:
            self.paper.paragraph(text)
