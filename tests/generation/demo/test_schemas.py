"""JSON after any schema: always valid, always finished, and made of the prompt's words."""

import json
from random import Random
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI

from generation.demo import prompt
from generation.demo.fill import fill
from generation.demo.words import Prose
from tests.generation.demo.conftest import BRIEF, user


def filled(schema: Any, brief: str = BRIEF, seed: int = 1) -> Any:
    value = json.loads(json.dumps(fill(schema, Prose(prompt.read(brief), Random(seed)))))
    jsonschema.Draft202012Validator(schema).validate(value)
    return value


sizes = st.integers(0, 12)
names = st.sampled_from(["title", "content", "chapters", "score", "isDone", "code", "id", "début", "x"])


@st.composite
def strings(draw: st.DrawFn) -> dict[str, Any]:
    least = draw(st.none() | st.integers(0, 300))
    most = draw(st.none() | st.integers(least or 0, 400))
    return {"type": "string"} | _given(minLength=least, maxLength=most)


@st.composite
def figures(draw: st.DrawFn) -> dict[str, Any]:
    least = draw(st.none() | st.integers(-50, 50))
    most = None if least is None else draw(st.none() | st.integers(least + 8, 100))
    lower = draw(st.sampled_from(["minimum", "exclusiveMinimum"]))
    upper = draw(st.sampled_from(["maximum", "exclusiveMaximum"]))
    step = draw(st.sampled_from([None, None, 1, 2, 3, 0.5, 0.25, 1.5]))
    kind = draw(st.sampled_from(["integer", "number"]))
    return {"type": kind} | _given(**{lower: least, upper: most, "multipleOf": step})


leaves = st.one_of(
    strings(),
    figures(),
    st.just({"type": "boolean"}),
    st.just({"type": "null"}),
    st.just({"type": ["string", "null"]}),
    st.just({}),
    st.lists(st.integers() | st.text(st.characters(codec="utf-8")) | st.none(), min_size=1).map(lambda v: {"enum": v}),
    st.just({"const": {"a": [1, None]}}),
    st.just({"$ref": "#/$defs/tree"}),
    st.sampled_from([r"^[A-Z]{2}-\d{3,5}$", "^[a-z0-9-]+$", r"^(red|blue)\.\w+$", "[^abc]x?"]).map(
        lambda pattern: {"type": "string", "pattern": pattern}
    ),
)


def _given(**keywords: Any) -> dict[str, Any]:
    return {name: value for name, value in keywords.items() if value is not None}


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    properties = draw(st.dictionaries(names, inner, max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    extra = draw(st.none() | st.just(False) | inner)
    return {"type": "object", "properties": properties, "required": required} | _given(additionalProperties=extra)


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    least = draw(st.none() | st.integers(0, 4))
    most = draw(st.none() | st.integers(least or 0, 6))
    prefix = draw(st.none() | st.lists(inner, min_size=1, max_size=2)) if not least else None
    return {"type": "array", "items": draw(inner)} | _given(minItems=least, maxItems=most, prefixItems=prefix)


def _layers(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    branches = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        objects(inner), arrays(inner), branches.map(lambda b: {"anyOf": b}), inner.map(lambda part: {"allOf": [part]})
    )


TREE = {
    "type": "object",
    "required": ["label", "children"],
    "properties": {
        "label": {"type": "string", "maxLength": 20},
        "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}},
        "next": {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]},
    },
}


@settings(max_examples=250)
@given(st.recursive(leaves, _layers, max_leaves=12), st.integers(0, 99))
def test_whatever_the_schema_the_value_fits_it(schema: dict[str, Any], seed: int) -> None:
    filled({**schema, "$defs": {"tree": TREE}}, seed=seed)


def test_a_reference_to_the_root_ends() -> None:
    linked = {"properties": {"value": {"type": "integer"}, "next": {"$ref": "#"}}, "required": ["value"]}
    depth, value = 0, filled({"type": "object", **linked})
    while value := value.get("next"):
        depth += 1
    assert 1 <= depth <= 4


def test_two_schemas_that_call_each_other_end() -> None:
    expression = {"anyOf": [{"$ref": "#/$defs/sum"}, {"type": "integer"}]}
    both = {"left": {"$ref": "#/$defs/expression"}, "right": {"$ref": "#/$defs/expression"}}
    total = {"type": "object", "properties": both, "required": ["left", "right"]}
    filled({"$ref": "#/$defs/expression", "$defs": {"expression": expression, "sum": total}})


def test_all_of_merges_what_its_parts_ask() -> None:
    parts = [
        {"type": "object", "properties": {"age": {"type": "number", "minimum": 3}}, "required": ["age"]},
        {"properties": {"age": {"type": "integer", "maximum": 3}, "name": {"type": "string"}}, "required": ["name"]},
    ]
    assert filled({"allOf": parts})["age"] == 3


def test_one_of_with_tags_takes_one_branch() -> None:
    kinds = [{"properties": {"kind": {"const": kind}}, "required": ["kind"], "type": "object"} for kind in "ab"]
    items = filled({"type": "array", "minItems": 6, "items": {"oneOf": kinds}})
    assert {item["kind"] for item in items} == {"a", "b"}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 1, "maximum": 6, "multipleOf": 2},
        {"enum": ["a", "b", "c"]},
        {"type": "boolean"},
        {"type": "string"},
        {"type": "string", "pattern": r"^\d{4}$"},
    ],
)
def test_unique_items_are_unique(schema: dict[str, Any]) -> None:
    filled({"type": "array", "items": schema, "uniqueItems": True, "minItems": 2, "maxItems": 3})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "minProperties": 3, "additionalProperties": {"type": "integer"}},
        {"type": "object", "patternProperties": {"^S_[a-z]+$": {"type": "string"}}, "additionalProperties": False},
        {"type": "object", "maxProperties": 1, "properties": {"a": {}, "b": {}}, "required": ["b"]},
        {"type": "array", "contains": {"const": 5}, "items": {"type": "integer"}},
        {"type": "array", "prefixItems": [{"type": "string"}, {"type": "null"}], "items": False},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.001},
        {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1},
        True,
    ],
)
def test_rarer_keywords_are_kept_too(schema: Any) -> None:
    filled(schema)


COURSE = {
    "type": "object",
    "required": ["title", "parts", "exercises"],
    "properties": {
        "title": {"type": "string", "maxLength": 200},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
        "exercises": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
    },
    "$defs": {
        "Part": {
            "type": "object",
            "required": ["title", "content", "diagram_type", "diagram_code"],
            "properties": {
                "title": {"type": "string", "maxLength": 60},
                "content": {"type": "string", "description": "Markdown, about 120 words"},
                "diagram_type": {"enum": ["mermaid", "graphviz", "plantuml", "vegalite"]},
                "diagram_code": {"type": "string"},
            },
        }
    },
}


def test_arrays_follow_the_numbers_of_the_brief_within_their_bounds() -> None:
    course = filled(COURSE, f"{BRIEF} Termine par 6 exercices.")
    assert (len(course["parts"]), len(course["exercises"])) == (4, 4)


@pytest.mark.parametrize(("brief", "wanted"), [("Eight ideas for a town fair", 8), ("Give me eight, please", 8)])
def test_the_only_array_follows_any_number(brief: str, wanted: int) -> None:
    assert len(filled({"type": "array", "items": {"type": "string"}}, brief)) == wanted


def test_names_and_descriptions_steer_the_words() -> None:
    parts = filled(COURSE)["parts"]
    titles = [part["title"] for part in parts]
    assert len(set(titles)) == len(titles)
    assert all(len(title.split()) < 12 for title in titles)
    assert all(100 <= len(part["content"].split()) <= 140 for part in parts)
    assert len({part["diagram_type"] for part in parts}) == 4
    assert next(part for part in parts if part["diagram_type"] == "mermaid")["diagram_code"].startswith("flowchart")


def test_a_list_of_answers_has_exactly_one_right_one() -> None:
    answer = {"type": "object", "required": ["is_correct"], "properties": {"is_correct": {"type": "boolean"}}}
    for least in range(2, 6):
        answers = filled({"type": "array", "items": answer, "minItems": least, "maxItems": least})
        assert sum(each["is_correct"] for each in answers) == 1


async def test_the_server_fills_a_schema_it_has_never_seen(client: AsyncOpenAI) -> None:
    wreck = {"depth": {"type": "integer", "minimum": 5, "maximum": 9}, "name": {"type": "string"}}
    schema: dict[str, Any] = {"type": "object", "required": ["depth", "name"], "properties": wreck}
    reply = await client.chat.completions.create(
        model="demo",
        messages=user("Wrecks of the north coast"),
        response_format={"type": "json_schema", "json_schema": {"name": "wreck", "schema": schema, "strict": True}},
    )
    jsonschema.validate(json.loads(reply.choices[0].message.content or ""), schema)


async def test_a_json_object_follows_the_schema_written_in_the_prompt(client: AsyncOpenAI) -> None:
    schema = {"type": "object", "properties": {"verdict": {"enum": ["yes", "no"]}}, "required": ["verdict"]}
    asked = f"Is it late? Answer {{as JSON}} after this schema: {json.dumps(schema)} and no other."
    reply = await client.chat.completions.create(
        model="demo", messages=user(asked), response_format={"type": "json_object"}
    )
    jsonschema.validate(json.loads(reply.choices[0].message.content or ""), schema)


async def test_a_json_object_without_a_schema_has_a_title_and_a_text(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(
        model="demo", messages=user(BRIEF), response_format={"type": "json_object"}
    )
    assert json.loads(reply.choices[0].message.content or "").keys() == {"title", "text"}
