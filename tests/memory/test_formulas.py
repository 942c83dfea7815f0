r"""Formulas: what is between marks is drawn, money is not, and nothing in them comes alive."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memory.base.formulas import LONGEST
from memory.base.markdown import BlockCutter, render

TAG = re.compile(r"</?([a-zA-Z]+)")


def blocks_of(text: str, size: int) -> list[str]:
    cutter = BlockCutter()
    blocks = [block for at in range(0, len(text), size) for block in cutter.feed(text[at : at + size])]
    return blocks + list(cutter.finish())


@pytest.mark.parametrize("text", [r"so $a_1 * b_1 * c$.", r"so \(a_1 * b_1 * c\)."])
def test_a_formula_in_a_sentence_is_drawn_in_it(text: str) -> None:
    shown = render(text)
    assert '<p>so <math display="inline">' in shown
    assert "<msub><mi>a</mi><mn>1</mn></msub><mo>*</mo>" in shown
    assert "<em>" not in shown


@pytest.mark.parametrize(
    "text",
    ["so:\n$$\na\n- b\n= c\n$$\nend", "so:\n\\[\na\n- b\n= c\n\\]\nend", "so:\n\n\\[a - b = c\\]\n\nend"],
)
def test_a_formula_on_lines_of_its_own_is_no_list(text: str) -> None:
    shown = render(text)
    assert shown.count('<math display="block">') == 1
    assert "<mi>a</mi><mo>−</mo><mi>b</mi><mo>=</mo><mi>c</mi>" in shown
    assert (shown.startswith("<p>so:</p>"), shown.endswith("<p>end</p>\n")) == (True, True)
    assert "<li>" not in shown


def test_one_that_stands_in_a_list_or_a_quotation_is_drawn_there() -> None:
    assert '<li>one<math display="block">' in render("- one\n  \\[\n  x\n  \\]\n")
    assert "<mi>a</mi><mi>b</mi>" in render("> \\[ a\n> b \\]\n> c"), "the marks of the quotation are no part of it"


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.",
        "$HOME/bin:$PATH",
        "US$ and A$",
        "`$x$`",
        "```\n$x$\n```",
        r"\$x\$",
        r"\\(x\\)",
        r"\( \)",
        r"\[ not closed",
        "$$\na\n\nb\n$$",
        "\\[\na\n\nb\n\\]",
        "$ x $",
    ],
)
def test_what_is_no_formula_stays_text(text: str) -> None:
    assert "<math" not in render(text)


@pytest.mark.parametrize(
    "latex", [r"\left( x", r"x^1^2", "^" * 1500, r"\frac\frac\frac", "x" * (LONGEST + 1), r"\begin{matrix}"]
)
def test_what_cannot_be_read_is_shown_as_it_was_written(latex: str) -> None:
    assert render(f"so ${latex}$.") == f"<p>so <code>{latex}</code>.</p>\n"


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{<script>alert(1)</script>}",
        r"\text{&lt;img src=x onerror=alert(1)&gt;}",
        r"\mathrm{<style>*{}</style>}",
        r"\href{javascript:alert(1)}{x}",
        r"\class{a}{b}",
        r"\style{color:red}{x}",
        r"\unknown{<iframe src=x>}",
        r"</math><img src=x onerror=alert(1)>",
    ],
)
def test_nothing_in_a_formula_comes_alive(latex: str) -> None:
    shown = render(f"${latex}$")
    assert not {tag for tag in TAG.findall(shown) if not tag.startswith("m") and tag not in ("p", "code", "none")}
    assert not re.search(r"<[^>]*\b(on\w+|href|style|class|src)\s*=", shown)


LINES = st.lists(
    st.sampled_from(["", "word", "- item", "$$", "\\[", "\\]", "a $x$ b", "\\[x\\]", "$$y$$", "```", "> \\[", "  $$"]),
    max_size=14,
)


@given(LINES, st.integers(1, 9))
@example(["$$", "```", "$$y$$", "```", "", "a $x$ b"], 1)
@example(["\\[", "```", "\\]", "```", "", "a $x$ b"], 1)
def test_what_is_drawn_while_it_grows_is_what_is_drawn_at_the_end(lines: list[str], size: int) -> None:
    text = "\n".join(lines)
    assert "".join(map(render, blocks_of(text, size))).count("<math") == render(text).count("<math")


def test_what_looks_like_a_tag_in_a_formula_is_shown() -> None:
    assert "<mtext>a&lt;b&gt;c</mtext>" in render(r"$\text{a<b>c}$")
