"""Markdown to safe HTML, and the cut of a growing text into closed blocks.

One render function for the whole house: HTML in the source is text, the result is sanitised after rendering, images
from other hosts do not survive (a picture's address can carry a secret away), links tell nobody where they were.
"""

import re
from collections.abc import Iterator, Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from memory.base import formulas

TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
    "li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
    "span": {"class"},
    "div": {"class"},
    "code": {"class"},
}
SCHEMES = {"http", "https", "mailto"}

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
LIST_ITEM = re.compile(r"^ {0,3}([-+*]|\d{1,9}[.)])\s")
DECIDED = re.compile(r"^([^\s\d*+-]|\S+\s)")  # no more characters can turn this into the start of a list item
CONTINUES = re.compile(r"^(\s|[-+*]\s|\d{1,9}[.)]\s)")


def highlighted(code: str, language: str, _: str) -> str:
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        return ""
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True)))


def aligned(renderer: RendererHTML, tokens: Sequence[Token], n: int, options: OptionsDict, env: EnvType) -> str:
    """A cell says how it stands by `align`: a style would not get past the sanitiser."""
    style = str(tokens[n].attrs.pop("style", ""))
    if style:
        tokens[n].attrs["align"] = style.removeprefix("text-align:")
    return renderer.renderToken(tokens, n, options, env)


def parser(*, draws_formulas: bool) -> MarkdownIt:
    made = MarkdownIt("js-default", {"html": False, "linkify": False, "highlight": highlighted})
    made.add_render_rule("th_open", aligned)
    made.add_render_rule("td_open", aligned)
    if draws_formulas:
        formulas.formulas(made)
    return made


PARSERS = {draws_formulas: parser(draws_formulas=draws_formulas) for draws_formulas in (True, False)}


def render(text: str, *, draws_formulas: bool = True) -> str:
    """HTML that may stand in any page of ours as it is."""
    return nh3.clean(
        PARSERS[draws_formulas].render(text),
        tags=TAGS | formulas.TAGS,
        attributes=ATTRIBUTES | formulas.ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )


def leading(text: str) -> list[str]:
    """Where the links and pictures of this text would lead, as they are drawn."""
    tokens = PARSERS[False].parse(text)
    found: list[str] = []
    while tokens:
        token = tokens.pop()
        tokens += token.children or []
        found += [str(token.attrs[name]) for name in ("href", "src") if name in token.attrs]
    return found


def normalized(url: str) -> str:
    """As `leading` tells it."""
    return PARSERS[False].normalizeLink(url)


class BlockCutter:
    """Cuts a text that grows at its end into blocks, each handed out once, when nothing that follows can change it.

    Joined with what is still open, the blocks are the text; the work is linear in its length.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.rest = ""
        self.fence = ""
        self.ends_blank = False

    def feed(self, text: str) -> Iterator[str]:
        """The blocks that this piece closes."""
        *whole, self.rest = (self.rest + text).split("\n")
        for line in whole:
            if self.begins_block(line):
                yield self.close()
            self.add(line)
        # A paragraph often comes as one long line: its first characters tell already that the block before has ended.
        if DECIDED.match(self.rest) and self.begins_block(self.rest):
            yield self.close()

    def finish(self) -> Iterator[str]:
        """The text has ended: the last block closes."""
        if self.rest:
            if self.begins_block(self.rest):
                yield self.close()
            self.add(self.rest)
            self.rest = ""
        if any(line.strip() for line in self.lines):
            yield self.close()

    def begins_block(self, line: str) -> bool:
        """Whether the line stands after a blank one and does not go on with what was before it."""
        if not self.ends_blank or not line.strip() or not any(each.strip() for each in self.lines):
            return False
        return not (LIST_ITEM.match(self.first_line()) and CONTINUES.match(line))

    def first_line(self) -> str:
        return next((line for line in self.lines if line.strip()), "")

    def add(self, line: str) -> None:
        self.lines.append(line)
        mark = FENCE.match(line)
        if self.fence:
            if mark and mark[1].startswith(self.fence) and not line.strip().strip(self.fence[0]):
                self.fence = ""
        elif mark:
            self.fence = mark[1]
        self.ends_blank = not line.strip() and not self.fence

    def close(self) -> str:
        block, self.lines, self.ends_blank = "\n".join(self.lines) + "\n", [], False
        return block
