"""Between any two places there is another, and ranks stay short however things are put."""

import random
from bisect import insort
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.base.ranks import DIGITS, between, spread

RANK = st.text(DIGITS, min_size=1, max_size=12).filter(lambda rank: rank[-1] != DIGITS[0])


@given(RANK | st.just(""), RANK | st.just(""))
def test_there_is_always_room_and_it_lies_strictly_between(one: str, other: str) -> None:
    low, high = sorted((one, other))
    if low == high != "":
        with pytest.raises(ValueError, match="no rank"):
            between(low, high)
        return
    if not low and high and other < one:
        high, low = "", high  # the open end above, too
    rank = between(low, high)
    assert low < rank
    assert not high or rank < high
    assert rank[-1] != DIGITS[0]
    assert rank.encode() > low.encode()  # as PostgreSQL compares


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=300))
def test_random_places_keep_the_order(places: list[int]) -> None:
    ranks: list[str] = []
    for place in places:
        n = place % (len(ranks) + 1)
        ranks.insert(n, between(ranks[n - 1] if n else "", ranks[n] if n < len(ranks) else ""))
    assert all(low < high for low, high in pairwise(ranks))
    assert max(map(len, ranks)) <= 2 + len(ranks) / 5  # each digit halves five times


def test_ends_grow_by_a_digit_in_some_sixty() -> None:
    first = last = between("", "")
    for n in range(1, 2_001):
        first, last = between("", first), between(last, "")
        assert max(len(first), len(last)) <= 2 + n / 60
    assert len(spread(1_000)[-1]) <= 18


def test_random_inserts_grow_by_the_logarithm() -> None:
    chance, ranks = random.Random(7), spread(2)
    for _ in range(2_000):
        n = chance.randrange(1, len(ranks))
        insort(ranks, between(ranks[n - 1], ranks[n]))
    assert len(set(ranks)) == len(ranks)
    assert max(map(len, ranks)) <= 12


def test_hundreds_in_one_gap_fit_the_column() -> None:
    low, high = spread(2)
    for _ in range(490):  # five to a digit
        high = between(low, high)
    assert len(high) <= 100
