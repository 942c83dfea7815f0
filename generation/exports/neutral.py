"""Markdown that can do nothing: a model's own is read by a parser and written again from what that understood.

HTML comes out as text, a picture as its description, and only links to http, https and mailto stay links. Everything
else stays as it was written, formulas included.
"""

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from memory.base.markdown import SCHEMES

# Without text_join the parser tells what it unescaped: `\{` and `&amp;` go out as they came.
parser = MarkdownIt("js-default", {"html": False}).disable("text_join")

EVERYTHING_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$]|&(?=#?\w+;)")
SPECIAL_AFTER_READING = re.compile(r"]|<(?=[a-zA-Z/!?])")  # all else was read as text and will be again
BEGINS_BLOCK = re.compile(r">|[-+*](?=\s|$)|#{1,6}(?=\s|$)|=+\s*$|[|:-](?=[\s|:-]*$)|[*_](?=\s*[*_]\s*[*_][\s*_]*$)")
BEGINS_LIST = re.compile(r"(\d{1,9})(?=[.)](\s|$))")
LANGUAGE = re.compile(r"[\w+#.-]{1,40}")
DEEPEST_HEADING, DEEPEST_NESTING = 6, 9


def prose(markdown: str, level: int) -> str:
    """The same text, harmless; its highest heading gets this level."""
    root = SyntaxTreeNode(parser.parse(markdown))
    highest = min((int(node.tag[1]) for node in root.walk() if node.type == "heading"), default=1)
    return Writer(level - highest).blocks(root.children)


def plain(text: str) -> str:
    """Plain text as Markdown that shows just that: its paragraphs and its lines."""
    paragraphs = [paragraph for paragraph in re.split(r"\n\s*\n", text) if paragraph.strip()]
    return "\n\n".join("\\\n".join(map(line, paragraph.strip().splitlines())) for paragraph in paragraphs)


def line(text: str) -> str:
    """Plain text on one line, for headings and captions."""
    return at_line_start(EVERYTHING_SPECIAL.sub(r"\\\g<0>", " ".join(text.split(" "))).replace("\n", " ").strip())


def at_line_start(text: str) -> str:
    """So that it begins neither a list nor any other block."""
    if fenced := re.match("`{3,}|~{3,}", text):
        return re.sub("(.)", r"\\\1", fenced[0]) + text[fenced.end() :]
    if BEGINS_BLOCK.match(text):
        return f"\\{text}"
    return BEGINS_LIST.sub(r"\1\\", text, count=1) if BEGINS_LIST.match(text) else text


def fence(code: str, language: str) -> str:
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    marks = "`" * max(3, longest + 1)
    name = LANGUAGE.match(language)
    return f"{marks}{name[0] if name else ''}\n{code.rstrip()}\n{marks}"


def item(marker: str, text: str) -> str:
    """A list item: everything below its marker is indented to the first word."""
    return f"{marker} {indent(text, ' ' * (len(marker) + 1))}".rstrip() if text else marker


def quote(text: str) -> str:
    return "\n".join(f"> {each}".rstrip() for each in text.split("\n"))


def indent(text: str, by: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([first, *(f"{by}{each}" if each else "" for each in rest)])


class Writer:
    """From a syntax tree back to Markdown, one method for each kind of node.

    Quotes and lists stand in each other while there is `room`: neither formats nor readers take them a hundred deep.
    """

    def __init__(self, deeper: int, room: int = DEEPEST_NESTING) -> None:
        self.deeper = deeper
        self.room = room

    def blocks(self, nodes: Iterable[SyntaxTreeNode], between: str = "\n\n") -> str:
        return between.join(self.block(node) for node in nodes)

    def inside(self) -> "Writer":
        return Writer(self.deeper, self.room - 1)

    def block(self, node: SyntaxTreeNode) -> str:
        method: Callable[[SyntaxTreeNode], str] = getattr(self, node.type)
        return method(node)

    def inline(self, node: SyntaxTreeNode) -> str:
        return self.spans(node.children)

    def paragraph(self, node: SyntaxTreeNode) -> str:
        return self.blocks(node.children)

    def heading(self, node: SyntaxTreeNode) -> str:
        level = min(int(node.tag[1]) + self.deeper, DEEPEST_HEADING)
        text = re.sub(r"\\?\n", " ", self.blocks(node.children))
        text = re.sub(r"(?<=\s)#+$", r"\\\g<0>", text)  # at the end of a heading they would be taken for decoration
        return f"{'#' * level} {text}"

    def hr(self, _: SyntaxTreeNode) -> str:
        return "___"

    def blockquote(self, node: SyntaxTreeNode) -> str:
        return quote(self.inside().blocks(node.children)) if self.room else self.blocks(node.children)

    def fence(self, node: SyntaxTreeNode) -> str:
        return fence(node.content, node.info.strip())

    def code_block(self, node: SyntaxTreeNode) -> str:
        return fence(node.content, "")

    def bullet_list(self, node: SyntaxTreeNode) -> str:
        return self.items(node, [node.markup] * len(node.children))

    def ordered_list(self, node: SyntaxTreeNode) -> str:
        first = int(node.attrs.get("start", 1))
        return self.items(node, [f"{n}{node.markup}" for n, _ in enumerate(node.children, first)])

    def items(self, node: SyntaxTreeNode, markers: list[str]) -> str:
        if not self.room:
            return self.blocks(block for one in node.children for block in one.children)
        is_tight = all(each.hidden for one in node.children for each in one.children if each.type == "paragraph")
        between = "\n" if is_tight else "\n\n"
        texts = (self.inside().blocks(one.children, between) for one in node.children)
        return between.join(map(item, markers, texts))

    def table(self, node: SyntaxTreeNode) -> str:
        rows = [row for part in node.children for row in part.children]
        written = [self.row(row) for row in rows]
        alignments = [ALIGNMENTS.get(str(cell.attrs.get("style", "")), "---") for cell in rows[0].children]
        return "\n".join([written[0], f"| {' | '.join(alignments)} |", *written[1:]])

    def row(self, node: SyntaxTreeNode) -> str:
        cells = [re.sub(r"(?<!\\)\|", r"\\|", self.blocks(cell.children)) for cell in node.children]
        return f"| {' | '.join(cells)} |"

    def spans(self, nodes: list[SyntaxTreeNode]) -> str:
        written, begins = [], True
        for kind, group in groupby(nodes, key=lambda node: node.type):
            if kind == "text":
                text = SPECIAL_AFTER_READING.sub(r"\\\g<0>", "".join(node.content for node in group))
                written.append(at_line_start(text) if begins else text)
            else:
                written += [self.block(node) for node in group]
            begins = kind in {"softbreak", "hardbreak"}
        return "".join(written)

    def text_special(self, node: SyntaxTreeNode) -> str:
        return node.markup

    def softbreak(self, _: SyntaxTreeNode) -> str:
        return "\n"

    def hardbreak(self, _: SyntaxTreeNode) -> str:
        return "\\\n"

    def emphasised(self, node: SyntaxTreeNode) -> str:
        return f"{node.markup}{self.spans(node.children)}{node.markup}"

    em = strong = s = emphasised

    def code_inline(self, node: SyntaxTreeNode) -> str:
        ends = {node.content[:1], node.content[-1:]}
        # A reader takes one space away from both ends, unless there is nothing else.
        room = " " if ends & {"`", " "} and node.content.strip(" ") else ""
        return f"{node.markup}{room}{node.content}{room}{node.markup}"

    def image(self, node: SyntaxTreeNode) -> str:
        return line(node.content)

    def link(self, node: SyntaxTreeNode) -> str:
        text, address = self.spans(node.children), str(node.attrs.get("href", ""))
        if urlsplit(address).scheme.lower() not in SCHEMES:
            return text
        return f"[{text}]({address.replace('(', '%28').replace(')', '%29').replace('|', '%7C')})"


ALIGNMENTS = {"text-align:left": ":---", "text-align:center": ":---:", "text-align:right": "---:"}
