"""Two texts compared word by word, and two people's texts as one: nothing is lost on the way, whatever they hold."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.diffs import diff, glimpse
from generation.merging import merge

WORDS = st.lists(st.sampled_from(["one", "two", "three", "É", "מה", " ", "\n", ",", "**", "x" * 50]), max_size=30)
TEXTS = WORDS.map(" ".join) | st.text(max_size=60)


@given(TEXTS, TEXTS)
def test_what_stays_and_what_went_is_the_one_what_stays_and_what_came_the_other(before: str, after: str) -> None:
    spans = diff(before, after).spans
    assert "".join(span.text for span in spans if span.kind != "ins") == before
    assert "".join(span.text for span in spans if span.kind != "del") == after


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("It repeats a rule.", "It repeats a habit.", "It repeats a [-rule-]{+habit+}."),
        ("of one thing here", "of two things here", "of [-one thing-]{+two things+} here"),
        ("", "new", "{+new+}"),
        ("old", "", "[-old-]"),
        ("Because.", "So that it be.", "[-Because.-]{+So that it be.+}"),
        ("same", "same", "same"),
    ],
)
def test_phrases_go_as_phrases(before: str, after: str, said: str) -> None:
    signs = {"same": "{}", "del": "[-{}-]", "ins": "{{+{}+}}"}
    assert "".join(signs[span.kind].format(span.text) for span in diff(before, after).spans) == said


def test_a_glimpse_shows_the_change_and_little_around_it() -> None:
    text = " ".join(f"word{n}" for n in range(5_000))
    shown = glimpse(text, text.replace("word2500 ", "other "))
    assert shown.is_shortened
    assert [span.text for span in shown.spans if span.kind in ("del", "ins")] == ["word2500", "other"]
    assert sum(len(span.text) for span in shown.spans) < 500
    assert not glimpse("a b", "a c").is_shortened


def test_huge_texts_take_no_longer_than_somebody_waits() -> None:
    text = "the rule of the row and the key of the table " * 4_000
    other = text.replace("key", "lock").replace("table", "leaf")
    begun = time.process_time()
    diff(text, other)
    glimpse(text, other)
    merge(text, other, text.replace("rule", "law"))
    assert time.process_time() - begun < 60


@given(TEXTS, TEXTS)
def test_what_only_one_changed_is_taken_as_it_is(base: str, changed: str) -> None:
    assert merge(base, changed, base).value == changed
    assert merge(base, base, changed).value == changed
    assert merge(base, changed, changed).value == changed


@given(WORDS, WORDS)
def test_no_word_that_came_is_lost(theirs: list[str], mine: list[str]) -> None:
    base = "alpha beta gamma delta"
    one, two = f"alpha {' '.join(theirs)} beta gamma delta", f"alpha beta gamma {' '.join(mine)} delta"
    merged = merge(base, one, two).value
    assert all(word in merged for word in [*theirs, *mine])


@pytest.mark.parametrize(
    ("theirs", "mine", "merged", "clashes"),
    [
        ("A b C d e.", "a b c d E.", "A b C d E.", False),
        ("a b X d e.", "a b Y d e.", "a b X Y d e.", True),
        ("a b d e.", "a b c d e. F.", "a b d e. F.", False),
    ],
)
def test_both_stand_in_the_merged_text(theirs: str, mine: str, merged: str, clashes: bool) -> None:
    made = merge("a b c d e.", theirs, mine)
    assert (made.value, made.clashes) == (merged, clashes)


def test_lists_are_merged_item_by_item() -> None:
    base = [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}, {"id": "3", "text": "c"}]
    theirs = [{"id": "1", "text": "A"}, {"id": "2", "text": "b"}, {"id": "4", "text": "new"}]
    mine = [{"id": "2", "text": "B"}, {"id": "1", "text": "a"}, {"id": "3", "text": "c"}]
    assert [each["id"] for each in merge(base, theirs, mine).value] == ["2", "4", "1"]
    assert {each["text"] for each in merge(base, theirs, mine).value} == {"A", "B", "new"}


def test_what_one_removed_and_the_other_changed_stays_and_is_looked_at() -> None:
    base = [{"id": "1", "text": "a"}]
    made = merge(base, [], [{"id": "1", "text": "mine"}])
    assert made.value == [{"id": "1", "text": "mine"}]
    assert made.clashes
