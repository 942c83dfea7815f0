"""Whatever a model or a person sends is brought into the form of its field, once and for all, or refused."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generation.fields import Fields, Item, cleaned, line, markdown, plain, strings
from generation.recipes.course.schema import EvaluationFields, ExerciseBlockFields, PartFields
from memory.base.errors import InvalidInput
from memory.base.text import MAX_DEPTH, clean_json


class Axis(Item):
    rating: int | None = None
    why: str | None = plain(50)


class Sample(Fields):
    name: str | None = line(40)
    problem: str | None = plain(200)
    solution: str | None = markdown()
    risks: list[str] | None = strings()
    scores: list[Axis] | None = None


WORDS = st.text("ab -*•–1.) \t\r\n\u2028é", max_size=12)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
SENT = st.fixed_dictionaries(
    {},
    optional={
        "name": WORDS,
        "problem": WORDS,
        "solution": WORDS,
        "risks": ANYTHING,
        "scores": st.lists(
            st.fixed_dictionaries({}, optional={"id": st.sampled_from("abc"), "rating": st.integers(), "why": WORDS})
        ),
    },
)


@given(SENT)
@example({"risks": ["- - one", "1. 2. two"], "name": "one\u2028two"})
def test_what_is_clean_stays_as_it_is(sent: dict[str, Any]) -> None:
    try:
        once = cleaned(Sample, clean_json(sent))
    except InvalidInput:
        return
    assert cleaned(Sample, once) == once
    assert None not in once.values()
    for name in ("name", "problem", "solution"):
        if name in once:
            assert once[name] == once[name].strip() != ""
            assert once[name] in sent[name] or name == "name"
    assert len(once.get("name", "").splitlines()) <= 1
    if "risks" in once:
        assert once["risks"]
        assert all(isinstance(each, str) and each.strip() == each != "" for each in once["risks"])
    ids = [item["id"] for item in once.get("scores", [])]
    assert all(ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("- one\n* two\n3. three\n\n", ["one", "two", "three"]),
        (["- one", None, " ", {"risk": "two", "why": "so"}, 3, ["four", "five"]], None),
        ([{"risk": {"name": "deep"}}], ["deep"]),
        ([], None),
        ("", None),
        ([None, "", "  "], None),
    ],
)
def test_lists_hold_plain_strings(sent: Any, kept: list[str] | None) -> None:
    risks = cleaned(Sample, {"risks": sent}).get("risks")
    if kept is None and sent and isinstance(sent[0], str) and sent[0]:
        kept = ["one", "two: so", "3", "four, five"]
    assert risks == kept


def test_of_items_with_one_id_the_later_gets_its_own() -> None:
    twins = [{"id": "a", "answers": [{"id": "x"}, {"id": "x", "is_correct": True}]}, {"id": "a"}, {"id": "a"}, {}]
    once = cleaned(ExerciseBlockFields, {"questions": twins})
    ids = [question["id"] for question in once["questions"]]
    assert ids[0] == "a"
    assert len(set(ids)) == 4
    assert len({answer["id"] for answer in once["questions"][0]["answers"]}) == 2
    assert cleaned(ExerciseBlockFields, once) == once


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (PartFields, {"colour": "red"}),
        (PartFields, {"title": "x" * 201}),
        (PartFields, {"title": {"text": "x"}}),
        (PartFields, {"diagram_type": "crayon"}),
        (PartFields, {"content": "x" * 200_001}),
        (EvaluationFields, {"time_limit": 9}),
        (EvaluationFields, {"time_limit": 10.5}),
        (EvaluationFields, {"questions": {"a": {}}}),
        (ExerciseBlockFields, {"questions": [{"id": "a/b"}]}),
        (ExerciseBlockFields, {"questions": [{"id": "x" * 51}]}),
        (ExerciseBlockFields, {"questions": [{}] * 6}),
    ],
)
def test_what_does_not_fit_is_named(schema: type[Fields], values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="validation.fields") as refused:
        cleaned(schema, values)
    assert refused.value.params["problems"][0]["path"].split("/")[0] == next(iter(values))


def test_the_gate_before_it() -> None:
    sent = {"name": "a\x00b\ud800", 7: float("nan"), "deep": [{"x": float("inf")}], "big": 2**70}
    assert clean_json(sent) == {"name": "ab\ufffd", "7": None, "deep": [{"x": None}], "big": str(2**70)}
    deep: Any = "x"
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    with pytest.raises(InvalidInput, match="validation.too_deep"):
        clean_json(deep)
    with pytest.raises(InvalidInput, match="validation.not_json"):
        clean_json({"x": object()})
