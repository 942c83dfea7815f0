r"""Formulas in Markdown: LaTeX between `$…$`, `$$…$$`, `\(…\)` or `\[…\]`, shown as MathML, which browsers draw.

A formula holds no blank line and no fence, so that a growing text can still be cut where one stands. A dollar beside a
letter or a digit is money or a variable. What cannot be read as LaTeX is shown as it was written.
"""

import re
from collections.abc import Callable, Sequence
from html import unescape
from xml.etree import ElementTree

from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.dollarmath.index import math_block_dollar, math_inline_dollar

LONGEST, MOST_LINES = 2_000, 100  # characters, and lines of one that fills its own
MARKS = {"\\(": "\\)", "\\[": "\\]"}
FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)
INTERRUPTS: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
TAGS = {
    "math", "menclose", "mfrac", "mi", "mmultiscripts", "mn", "mo", "mover", "mpadded", "mphantom", "mprescripts",
    "mroot", "mrow", "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtext", "mtr", "munder",
    "munderover", "none",
}  # fmt: skip
ATTRIBUTES = {
    "math": {"display"},
    "menclose": {"notation"},
    "mfrac": {"linethickness"},
    "mi": {"mathvariant"},
    "mo": {"fence", "form", "largeop", "lspace", "movablelimits", "rspace", "separator", "stretchy"},
    "mover": {"accent"},
    "mspace": {"width"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mtd": {"columnalign"},
    "munder": {"accentunder"},
}

Inline = Callable[[StateInline, bool], bool]
Block = Callable[[StateBlock, int, int, bool], bool]


def formulas(parser: MarkdownIt) -> None:
    """The parser reads formulas from now on."""
    dollarmath_plugin(parser)
    parser.inline.ruler.at("math_inline", stands_alone(math_inline_dollar(False, False, True)))
    parser.inline.ruler.before("escape", "math_brackets", bracketed)
    parser.block.ruler.at("math_block", asked_only(math_block_dollar(False, None, False)), INTERRUPTS)
    parser.block.ruler.before("math_block", "math_block_brackets", bracketed_block, INTERRUPTS)
    for name, display in (("math_inline", "inline"), ("math_inline_double", "block"), ("math_block", "block")):
        parser.add_render_rule(name, drawing(display))


def drawing(display: str) -> Callable[..., str]:
    def draw(_: RendererHTML, tokens: Sequence[Token], n: int, options: OptionsDict, env: EnvType) -> str:
        return mathml(tokens[n].content.strip(), display)

    return draw


def mathml(latex: str, display: str) -> str:
    """`display` is `inline` or `block`. To be sanitised like all that is rendered."""
    if len(latex) > LONGEST:
        return as_written(latex)
    try:
        root = convert_to_element(latex, display=display)
    except Exception:  # noqa: BLE001 the library fails in many ways at what is no LaTeX, recursion among them
        return as_written(latex)
    for element in root.iter():
        # It writes entities into its texts, and means them to be written out as they are: tags would come alive.
        element.text, element.tail = unescape(element.text or ""), unescape(element.tail or "")
    del root.attrib["xmlns"]
    return ElementTree.tostring(root, encoding="unicode")


def as_written(latex: str) -> str:
    return f"<code>{escapeHtml(latex)}</code>"


def stands_alone(rule: Inline) -> Inline:
    """The same rule, for what no letter or digit touches."""

    def found(state: StateInline, silent: bool) -> bool:
        begin = state.pos
        if begin and state.src[begin - 1].isalnum() or not rule(state, True):
            return False
        end, state.pos = state.pos, begin
        if state.src[end : end + 1].isalnum():
            return False
        return silent and skip(state, end) or rule(state, silent)

    return found


def asked_only(rule: Block) -> Block:
    """The same rule, for what holds no fence; when only asked whether it would apply, it leaves no trace."""

    def found(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
        line, count = state.line, len(state.tokens)
        applies = rule(state, begin, end, False) and not FENCE.search(state.tokens[-1].content)
        if silent or not applies:
            state.line = line
            del state.tokens[count:]
        return applies

    return found


def skip(state: StateInline, end: int) -> bool:
    state.pos = end
    return True


def bracketed(state: StateInline, silent: bool) -> bool:
    found = between_marks(state.src, state.pos)
    if found is None:
        return False
    content, end = found
    if not silent:
        is_display = state.src.startswith("\\[", state.pos)
        state.push("math_inline_double" if is_display else "math_inline", "math", 0).content = content
    return skip(state, end)


def bracketed_block(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
    r"""`\[…\]` that fills lines of its own: what looks like a list in it is none."""
    if not state.src.startswith("\\[", state.bMarks[begin] + state.tShift[begin]):
        return False
    lines: list[str] = []
    for n in range(begin, end):
        lines.append(state.src[state.bMarks[n] + state.tShift[n] : state.eMarks[n]])
        is_another = n > begin and lines[-1].startswith("\\[")
        if "\\]" in lines[-1] or is_another or not lines[-1].strip() or len(lines) > MOST_LINES:
            break
    text = "\n".join(lines).rstrip()
    found = between_marks(text, 0)
    if found is None or found[1] < len(text):
        return False
    if not silent:
        state.line = begin + len(lines)
        token = state.push("math_block", "math", 0)
        token.block, token.content, token.map = True, found[0], [begin, state.line]
    return True


def between_marks(text: str, at: int) -> tuple[str, int] | None:
    """The formula that begins here, and where what follows it begins."""
    close = MARKS.get(text[at : at + 2])
    end = text.find(close, at + 2, at + LONGEST) if close else -1
    content = text[at + 2 : end]
    if (
        end < 0
        or not content.strip()
        or FENCE.search(content)
        or any(not line.strip() for line in content.strip("\n").split("\n"))
    ):
        return None
    return content, end + 2
