"""Texts under a window of tokens: never above it, fair within a priority, strict between two."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from memory.window import MARK, Block, Decision, Fitted, fit


def by_bytes(text: str) -> int:
    return -(-len(text.encode()) // 4)


def by_words(text: str) -> int:
    return len(text.split())


counts = st.sampled_from([by_bytes, by_words, len])
texts = st.text(st.sampled_from("ab é🧀.\n"), max_size=200) | st.integers(0, 5_000).map(lambda n: "Un mot. " * n)
blocks = st.lists(st.builds(Block, st.text(max_size=3), texts, st.integers(0, 2)), max_size=8)
limits = st.integers(0, 2_000)
Count = Callable[[str], int]


@given(blocks, limits, counts)
def test_it_is_never_above_the_limit_and_counts_what_it_gives(given: list[Block], limit: int, count: Count) -> None:
    fitted = fit(given, limit, count)
    assert sum(each.tokens_after for each in fitted) <= limit
    assert [each.tokens_after for each in fitted] == [count(each.text) for each in fitted]
    assert [each.tokens_before for each in fitted] == [count(block.text) for block in given]


@given(blocks, limits, counts)
def test_it_keeps_the_order_and_says_what_it_did(given: list[Block], limit: int, count: Count) -> None:
    for block, each in zip(given, fit(given, limit, count), strict=True):
        assert each.name == block.name
        assert each.decision == decision_of(block, each)


def decision_of(block: Block, fitted: Fitted) -> Decision:
    if fitted.text == block.text:
        return Decision.KEPT
    if not fitted.text:
        return Decision.DROPPED
    assert fitted.text.endswith(MARK)
    assert block.text.startswith(fitted.text.removesuffix(MARK))
    return Decision.SHORTENED


@given(blocks, counts)
def test_what_fits_stays_whole(given: list[Block], count: Count) -> None:
    fitted = fit(given, sum(count(block.text) for block in given), count)
    assert [each.text for each in fitted] == [block.text for block in given]


@given(blocks, limits, counts)
def test_nothing_is_cut_for_what_matters_less(given: list[Block], limit: int, count: Count) -> None:
    fitted = fit(given, limit, count)
    cut = [block.priority for block, each in zip(given, fitted, strict=True) if each.decision != Decision.KEPT]
    below = [each for block, each in zip(given, fitted, strict=True) if cut and block.priority < max(cut)]
    assert [each for each in below if each.tokens_after] == []


@given(blocks, limits, counts)
@example([Block("", "éaé🧀"), Block("", "aaaé🧀🧀")], 4, by_bytes)  # half of it holds no text at all
@example([Block("", "a" * 30 + "\n\n" + "a" * 30), Block("", "b" * 70)], 110, len)  # cut well below its half
def test_of_one_priority_the_smaller_is_never_cut_for_the_larger(given: list[Block], limit: int, count: Count) -> None:
    fitted = fit(given, limit, count)
    for small, its in zip(given, fitted, strict=True):
        for large, theirs in zip(given, fitted, strict=True):
            if small.priority == large.priority and its.tokens_before < theirs.tokens_before:
                assert theirs.decision != Decision.KEPT or its.decision == Decision.KEPT


@given(blocks, limits, counts)
def test_to_fit_twice_is_to_fit_once(given: list[Block], limit: int, count: Count) -> None:
    once = fit(given, limit, count)
    again = fit(
        [Block(each.name, each.text, block.priority) for block, each in zip(given, once, strict=True)], limit, count
    )
    assert [each.text for each in again] == [each.text for each in once]
    assert fit(given, limit, count) == once


def test_two_large_texts_share_what_the_small_ones_leave() -> None:
    small, first, second = fit([Block("s", "a " * 10), Block("1", "b " * 500), Block("2", "c " * 900)], 110, by_words)
    assert small.decision == Decision.KEPT
    assert 45 <= first.tokens_after <= 50
    assert 45 <= second.tokens_after <= 50


@pytest.mark.parametrize(
    ("text", "room", "kept"),
    [
        ("One two three.\n\nFour five six. Seven eight nine ten.", 26, "One two three."),
        ("One two. Three four five! Six seven eight nine ten.", 34, "One two. Three four five!"),
        ("one two three four five six seven eight nine ten eleven", 34, "one two three four five six seven"),
    ],
    ids=["paragraph", "sentence", "word"],
)
def test_a_text_is_cut_where_a_thought_ends(text: str, room: int, kept: str) -> None:
    (fitted,) = fit([Block("a", text)], room + len(MARK), len)
    assert fitted.text == kept + MARK


def test_a_single_line_without_any_border_is_cut_anywhere() -> None:
    (fitted,) = fit([Block("a", "x" * 10_000_000)], 1_000, by_bytes)
    assert fitted.text.startswith("x" * 3_900)
    assert fitted.tokens_after <= 1_000
