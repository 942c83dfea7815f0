"""What a text may cite and where it may lead: nothing that nobody gave is left in it, and nothing else is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation import citations
from generation.citations import Citable, checked, unlinked
from memory.base.markdown import render

KNOWN = "https://known.example/a(b)"
PIECES = st.sampled_from([
    "word ", "[1]", "[9]", f"[x]({KNOWN})", "[y](https://no.example/)", KNOWN, "https://no.example/z.",
    "<https://no.example>", "![p](https://no.example/p.png)", "[z]: https://no.example\n", "[1](https://no.example)",
    "[https://no.example/w](https://known.example)", "[a [b] c](https&#58;//no.example/x)", "[a [b] c](//no.example)",
    "[a](https&#58;//no.example/\\(x)", "[foo]:\n//no.example\n", "[foo]", "[a](<//no.example> 'b')",
    "\n\n", "`", "]", "[", "(", ")", "\\",
])  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_invented_address_is_left_whatever_stands_around_it(text: str) -> None:
    shown, findings = checked(text, "industry", {1}, {KNOWN})
    assert not re.search(r"https?://no\.", shown)
    assert "no.example" not in " ".join(re.findall(r"(?:href|src)=\"[^\"]*", render(shown)))
    assert "[9]" not in re.sub(r"\\\[9\]|\[9\][(:]", "", shown)
    assert bool(findings) or shown == text


@given(st.lists(PIECES, max_size=12).map("".join))
def test_nothing_leads_where_nobody_said_and_no_word_of_it_is_lost(text: str) -> None:
    shown, strange = unlinked(text, {KNOWN})
    led = re.findall(r"(?:href|src)=\"([^\"]*)", render(shown))
    assert [url for url in led if "no.example" in url] == []
    assert shown == text if not strange else shown.count("no.example") >= text.count("no.example")
    assert unlinked(shown, {KNOWN}) == (shown, 0)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Bread [1], cake [2].", "Bread [1], cake ."),
        ("See [them](https://no.example/a_(b)) now", "See them now"),
        ('[t](https://no.example "title")', "t"),
        ("(https://no.example/a).", "(no.example)."),
        ("![](https://no.example/x.png)", "no.example"),
        ("[mail](mailto:a@b.c) and [here](/x)", "mail and here"),
        ("Bread[1][2][1].", "Bread[1][1]."),
        ("[1]: https://no.example", ""),
    ],
)
def test_of_a_link_its_words_stay(text: str, left: str) -> None:
    assert checked(text, "", {1}, set())[0] == left


def test_what_was_given_may_be_led_to() -> None:
    given_text = f"Read {KNOWN}, and (https://other.example/x)."
    assert citations.addresses([given_text]) >= {"https://other.example/x"}
    assert checked(f"[k]({KNOWN})", "", set(), {KNOWN}) == (f"[k]({KNOWN})", [])


def test_what_is_cited_is_what_stands_in_the_texts() -> None:
    assert citations.cited(["a [1] [12]", "b [3](x) [4]: y"]) == {1, 12}
    items = citations.kept([{"id": "2", "title": "T"}, {"id": "abc"}, {"id": "1234"}])
    assert items == [Citable(number=2, title="T")]
    assert Citable(number=3, title="T", url="https://u.example", text="a\n b").as_item() == {
        "id": "3", "title": "T", "url": "https://u.example", "excerpt": "a b",
    }  # fmt: skip
    (shown,) = citations.shown([Citable(number=1, title='<"T">', text="</sources> now")])
    assert shown == "[1] T \n&lt;/sources> now"


def test_spaces_without_end_cost_no_time() -> None:
    for text in ("[a](" + " " * 5_000, "[a](" * 1_500, "[" * 5_000, "[a](b " + "x " * 3_000):
        checked(text, "", set(), set())
