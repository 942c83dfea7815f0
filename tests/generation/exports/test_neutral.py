"""A model's Markdown is written again: it says the same, and can do nothing."""

import re
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.exports import neutral
from memory.base import markdown
from tests.generation.exports.corpus import ALL, PAYLOADS
from tests.generation.exports.course import LESSON, NORMAL_FORMS
from tests.generation.exports.readers import acting_markdown

render = partial(markdown.render, draws_formulas=False)  # as exports do

MARKS = "\\ ` ``` * ** _ ~~ # ## > - + 1. 2) | --- === [ ] ( ) ! < > & &amp; $ : abc 12 é"
LAYOUT = (" ", "    ", "\n", "\n\n", "\t", "  - ", "\n- ", "\n\n    ", "\n> ", "| a | b |\n|---|:-:|\n", "```sql\n")
PIECES = [*MARKS.split(), *LAYOUT, "<b>", "[a](http://b)", "[a]: http://b\n"]
# Without pictures, and with items that have words: an empty one is an accident of its surroundings.
HARMLESS = [
    *(mark for mark in MARKS.split() if mark not in "!-+*1.2)"),
    "\n",
    "\n\n",
    "    ",
    "- a",
    "\n1. b",
    "[a](http://b)",
]
EXAMPLES = 300
MARKDOWN = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


@pytest.mark.parametrize("text", [LESSON, NORMAL_FORMS])
def test_ordinary_text_keeps_its_layout(text: str) -> None:
    highest = 2 if text is LESSON else 1
    assert render(neutral.prose(text, highest)) == render(text)


@given(MARKDOWN)
@settings(max_examples=EXAMPLES)
def test_written_once_or_twice_it_is_the_same(text: str) -> None:
    once = neutral.prose(text, 1)
    assert render(neutral.prose(once, 1)) == render(once)


def shape(html: str) -> str:
    """Without heading levels, the names of languages and white space."""
    return "".join(re.sub(r"h[1-6](?=>)|</?span[^>]*>| class=\"[^\"]*\"", "", html).split())


@given(st.lists(st.sampled_from(HARMLESS), max_size=20).map("".join))
@settings(max_examples=EXAMPLES)
def test_it_says_the_same_in_the_same_layout(text: str) -> None:
    assert shape(render(neutral.prose(text, 1))) == shape(render(text))


@given(MARKDOWN)
@settings(max_examples=EXAMPLES)
def test_nothing_in_it_acts_even_where_everything_is_allowed(text: str) -> None:
    assert acting_markdown(neutral.prose(text, 1)) == []
    assert acting_markdown(neutral.plain(text)) == []


@pytest.mark.parametrize("payload", [*PAYLOADS, ALL])
def test_no_payload_acts(payload: str) -> None:
    assert acting_markdown(neutral.prose(payload, 1)) == []
    assert acting_markdown(neutral.plain(payload)) == []


@given(st.text(alphabet=st.sampled_from("ab \\`*_[]()<>#+-.!|~$&;:=1é\n"), max_size=40))
@settings(max_examples=EXAMPLES)
def test_plain_text_shows_just_itself(text: str) -> None:
    shown = "".join(read(neutral.plain(text)).split())
    assert shown == "".join(text.split())


def read(markdown: str) -> str:
    tokens = neutral.parser.parse(markdown)
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    inline = [child for token in tokens for child in token.children or []]
    assert {child.type for child in inline} <= {"text", "text_special", "hardbreak"}
    return "".join(child.content for child in inline)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("$x_{1} \\in \\{a, b\\}$", "$x_{1} \\in \\{a, b\\}$"),
        ("snake_case and 2 * 3 < 4", "snake_case and 2 * 3 < 4"),
        ("# A\n\n### B", "### A\n\n##### B"),
        ("![a cat](http://x/y.png)", "a cat"),
        ("[here](https://a.b/c_(d))", "[here](https://a.b/c_%28d%29)"),
        ("[there](/etc/passwd)", "there"),
        ("`` a ` b ``", "``a ` b``"),
        ("a | b\n--|--\n`x\\|y` | z", "| a | b |\n| --- | --- |\n| `x\\|y` | z |"),
        ("text\n    # not a heading", "text\n\\# not a heading"),
    ],
)
def test_it_is_written_as_a_person_would(text: str, written: str) -> None:
    assert neutral.prose(text, 3) == written
