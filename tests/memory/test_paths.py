"""Addresses in a state: what is put is found, what is taken away can be put back where it was."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.base import paths
from memory.base.errors import InvalidInput
from memory.base.text import clean_json

NAMES = st.sampled_from(["a", "b", "title", "é", "e\u0301", "0", "id"])
SCALARS = st.booleans() | st.integers(-5, 5) | st.sampled_from([0.5, 1.0]) | st.text("xyz é", max_size=4)


@st.composite
def items(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> list[dict[str, Any]]:
    ids = draw(st.lists(st.sampled_from("pqrstu"), unique=True, max_size=4))
    keys = NAMES.filter(lambda name: name != "id")
    return [{**draw(st.dictionaries(keys, inner, max_size=2)), "id": each} for each in ids]


VALUES = st.recursive(
    SCALARS, lambda inner: items(inner) | st.dictionaries(NAMES.filter("id".__ne__), inner, max_size=3), max_leaves=8
)
STATES = st.dictionaries(NAMES.filter("id".__ne__), VALUES, max_size=4)


def addresses(value: Any, above: str = "") -> list[str]:
    """Every path there is in it, by another way than the house's."""
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = [(item["id"], item) for item in value]
    else:
        parts = []
    return [path for key, below in parts for path in (f"{above}{key}", *addresses(below, f"{above}{key}/"))]


@given(STATES, st.data())
def test_what_is_taken_away_can_be_put_back_where_it_was(state: paths.State, data: st.DataObject) -> None:
    there = [path for path in addresses(state) if path.split("/")[-1] != "id"]
    if not there:
        return
    path, was = data.draw(st.sampled_from(there)), deepcopy(state)
    value, place = paths.get(state, path), paths.place(state, path)
    assert value is not None
    paths.put(state, path, None)
    assert paths.get(state, path) is None
    assert path not in addresses(state)
    paths.put(state, path, value, place)
    assert state == was


@given(STATES, st.lists(st.data(), min_size=1, max_size=6))
def test_changes_taken_back_in_turn_leave_nothing(state: paths.State, draws: list[st.DataObject]) -> None:
    was, log = deepcopy(state), []
    for data in draws:
        there = [path for path in addresses(state) if not path.endswith("id")]
        if not there:
            break
        path = data.draw(st.sampled_from(there))
        before, place = paths.get(state, path), paths.place(state, path)
        log.append((path, deepcopy(before), place))
        paths.put(state, path, None if data.draw(st.booleans()) else {"new": 1, "id": path.split("/")[-1]})
    for path, before, place in reversed(log):
        paths.put(state, path, before, place)
    assert state == was


@given(STATES, st.lists(st.sampled_from(["a", "b", "p", "q", "title", "zz"]), min_size=1, max_size=4), VALUES)
def test_what_is_put_is_found_and_nothing_else_changes(state: paths.State, parts: list[str], value: Any) -> None:
    path, was = "/".join(parts), deepcopy(state)
    others = [each for each in addresses(state) if not paths.overlap(each, path)]
    try:
        paths.put(state, path, value)
    except InvalidInput:
        assert state == was
        return
    found = paths.get(state, path)
    assert found == (
        {**value, "id": parts[-1]} if isinstance(value, dict) and isinstance(found, dict) and "id" in found else value
    )
    assert all(paths.same(paths.get(state, each), paths.get(was, each)) for each in others)
    if isinstance(value, dict) and value:  # what was put is no window into the state
        value["later"] = 1
        assert "later" not in paths.get(state, path)


@given(st.text(max_size=20))
def test_an_address_is_refused_or_leads_somewhere(path: str) -> None:
    state: paths.State = {}
    try:
        paths.put(state, path, "x")
    except InvalidInput:
        assert state == {}
    else:
        assert paths.get(state, path) == "x"


@pytest.mark.parametrize("path", ["", "/", "a/", "/a", "a//b", "a\x00", "\ud800"])
def test_odd_addresses_are_refused(path: str) -> None:
    for verb in (paths.get, paths.place):
        with pytest.raises(InvalidInput, match="validation.path"):
            verb({}, path)


def test_the_same_is_the_same_json() -> None:
    assert paths.same({"a": 1, "b": [1]}, {"b": [1], "a": 1})
    for one, other in ((1, True), (1, 1.0), (0, False), ({}, None), ([], None), ("é", "e\u0301"), ([1], [True])):
        assert not paths.same(one, other)
        assert not paths.same({"x": [one]}, {"x": [other]})


@given(st.recursive(SCALARS | st.none(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=12))
def test_a_state_holds_no_nulls_at_any_depth(value: Any) -> None:
    held = paths.without_nulls(clean_json({"x": value}))
    assert paths.same(paths.without_nulls(held), held)
    assert "null" not in repr(held).replace("None", "null")
