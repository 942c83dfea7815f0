"""What a person reads of a structured answer does not depend on how its stream was cut."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.readable import Readable

LESSON = {
    "parts": [
        {
            "title": "Pourquoi répéter",
            "content": "Une **boucle** évite de copier.\n\nVoilà 😀.",
            "diagram_type": "mermaid",
        },
        {"title": "for", "content": 'a "quoted" \\ path', "diagram_type": "vegalite"},
    ],
    "count": 3,
    "tags": ["one", "two"],
    "empty": "",
    "nothing": None,
}
READ = """### Pourquoi répéter

Une **boucle** évite de copier.

Voilà 😀.

### for

a "quoted" \\ path

- one
- two


"""


def read(text: str, sizes: list[int]) -> str:
    readable, out, at = Readable(hidden=("diagram_type",)), [], 0
    for size in [*sizes, len(text)]:
        out.append(readable.feed(text[at : at + size]))
        at += size
    return "".join(out)


@pytest.mark.parametrize("as_ascii", [True, False])
@given(sizes=st.lists(st.integers(1, 9), max_size=200))
def test_texts_are_read_in_order_without_braces(as_ascii: bool, sizes: list[int]) -> None:
    text = json.dumps(LESSON, ensure_ascii=as_ascii, indent=2)
    assert read(f"Here it is:\n```json\n{text}\n```", sizes) == READ


texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=4),
    max_leaves=12,
)


def expected(value: Any, in_list: bool = False) -> str:
    if isinstance(value, dict):
        return "".join(expected(each) for each in value.values())
    if isinstance(value, list):
        return "".join(expected(each, True) for each in value)
    if isinstance(value, str):
        kept = value.replace("\r", "").replace("\b", "").replace("\f", "")
        return f"- {kept}\n" if in_list else f"{kept}\n\n"
    return ""


@given(value=st.dictionaries(st.sampled_from("abcde"), values, max_size=4), sizes=st.lists(st.integers(1, 5)))
def test_every_text_of_any_answer_is_read_once(value: dict[str, Any], sizes: list[int]) -> None:
    assert read(json.dumps(value), sizes) == expected(value)


@given(st.text(max_size=60), st.lists(st.integers(1, 5)))
def test_whatever_a_model_sends_nothing_breaks(text: str, sizes: list[int]) -> None:
    assert read(text, sizes) == read(text, [])
