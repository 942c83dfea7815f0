import json
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel

from generation.llm import schemas
from generation.llm.router import Router
from generation.llm.structured import answer_as, parse
from generation.llm.values import Message
from memory.base.errors import ModelBadOutput, ModelUnavailable
from tests.generation.llm.conftest import REQUEST
from tests.generation.llm.diary import Diary
from tests.generation.llm.house import ONE, TWO, routing
from tests.generation.llm.upstream import DONE, Play, Upstream, finish, part, responds, whole


class Chapter(BaseModel):
    title: str = Field(min_length=1, max_length=40)
    words: int = 0


class Plan(BaseModel):
    title: str
    chapters: list[Chapter] = []
    tags: list[str] = []


class Few(Plan):
    chapters: list[Chapter] = Field(max_length=2)


class Text(BaseModel):
    body: str = Field(max_length=301)


class Anything(RootModel[dict[str, Any]]):
    pass


GOOD = '{"title": "Ink", "chapters": [{"title": "Oak gall", "words": 300}], "tags": []}'
BAD = '{"title": "Ink", "chapters": [{"title": "Oak gall", "words": "many"}]}'
PLAN = Plan(title="Ink", chapters=[Chapter(title="Oak gall", words=300)])


async def object_to(problems: Sequence[str]) -> Sequence[Message]:
    return [Message("user", "\n".join(problems))]


def says(text: str) -> Play:
    return whole(part(content=text), finish(), DONE)


@pytest.fixture
async def router(upstream: Upstream) -> AsyncIterator[Router]:
    async with routing(one=upstream, two=upstream) as router:
        yield router


async def test_a_valid_answer_becomes_an_instance(router: Router, upstream: Upstream) -> None:
    upstream.plays(says(GOOD))
    answer, plan = await answer_as(router, [ONE], REQUEST, Plan, Diary(), object_to)
    assert (answer.content, plan) == (GOOD, PLAN)


async def test_the_schema_goes_with_the_request(router: Router, upstream: Upstream) -> None:
    upstream.plays(says(GOOD))
    await answer_as(router, [ONE], REQUEST, Plan, Diary(), object_to)
    form = upstream.received[0].body["response_format"]["json_schema"]
    assert (form["name"], form["strict"], form["schema"]) == ("Plan", True, schemas.of(Plan))


async def test_a_bad_answer_is_repaired_once_by_the_model_that_gave_it(router: Router, upstream: Upstream) -> None:
    upstream.plays(responds("401 No", "{}"), says(BAD), says(GOOD))
    diary = Diary()
    answer, plan = await answer_as(router, [ONE, TWO], REQUEST, Plan, diary, object_to)
    assert (answer.model, plan) == (TWO, PLAN)
    assert diary.story == [("one", 1, "first"), ("two", 1, "next_model"), ("two", 1, "repair")]
    assert isinstance(diary.began[2].because, ModelBadOutput)


async def test_the_repair_shows_the_bad_output_and_what_is_wrong_with_it(router: Router, upstream: Upstream) -> None:
    upstream.plays(says(BAD), says(GOOD))
    await answer_as(router, [ONE], REQUEST, Plan, Diary(), object_to)
    *_, said, objection = upstream.received[1].body["messages"]
    assert said == {"role": "assistant", "content": BAD}
    assert "chapters.0.words" in objection["content"]


async def test_a_second_bad_answer_is_not_as_asked(router: Router, upstream: Upstream) -> None:
    upstream.plays(says("I would rather not."))
    with pytest.raises(ModelBadOutput) as caught:
        await answer_as(router, [ONE], REQUEST, Plan, Diary(), object_to)
    assert caught.value.code == "model.not_as_asked"
    assert caught.value.params["problems"] == ["no JSON object"]
    assert len(upstream.received) == 2


async def test_a_repair_that_cannot_be_asked_for_fails_as_itself(router: Router, upstream: Upstream) -> None:
    upstream.plays(says(BAD), responds("500 Oops", "{}"))
    with pytest.raises(ModelUnavailable):
        await answer_as(router, [ONE], REQUEST, Plan, Diary(), object_to)


async def test_half_a_character_in_a_bad_answer_does_not_break_the_repair(router: Router, upstream: Upstream) -> None:
    upstream.plays(says("no \ud83d"), says(GOOD))
    assert (await answer_as(router, [ONE], REQUEST, Plan, Diary(), object_to))[1] == PLAN


prose = st.text(st.characters(exclude_characters="{}`", exclude_categories=()))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
objects = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), json_values, max_size=4)


@given(objects, prose, prose)
def test_an_object_is_found_between_prose(value: dict[str, Any], before: str, after: str) -> None:
    assert parse(before + json.dumps(value) + after, Anything)[0].root == value


@given(objects, st.sampled_from(["```json\n", "```\n", "```JSON \n"]), st.sampled_from([None, 2]))
def test_an_object_is_found_in_a_fence(value: dict[str, Any], fence: str, indent: int | None) -> None:
    text = f"Here {{you}} are:\n{fence}{json.dumps(value, indent=indent)}\n```\nAnything {{else}}?"
    assert parse(text, Anything)[0].root == value


@given(st.text())
def test_any_text_is_an_instance_or_not_as_asked(text: str) -> None:
    with suppress(ModelBadOutput):
        assert isinstance(parse(text, Anything)[0].root, dict)


def test_halves_of_a_character_are_joined_and_a_lone_half_is_replaced() -> None:
    assert parse('{"title": "\ud83d\ude00 \ud83d"}', Plan)[0].title == "\U0001f600 \ufffd"


def test_raw_line_ends_in_strings_are_forgiven() -> None:
    assert parse('{"title": "a\nb"}', Plan)[0].title == "a\nb"


def test_depth_without_end_is_not_as_asked() -> None:
    with pytest.raises(ModelBadOutput, match="not_as_asked"):
        parse("[" * 200_000, Anything)


def test_simple_objects_in_a_list_of_texts_become_their_text() -> None:
    assert parse('{"title": "a", "tags": [{"tag": "x"}, "y", {"name": "z"}]}', Plan)[0].tags == ["x", "y", "z"]


@pytest.mark.parametrize("item", ['{"a": "x", "b": "y"}', '{"a": 1}', "1"])
def test_other_things_in_a_list_of_texts_are_not_guessed_at(item: str) -> None:
    with pytest.raises(ModelBadOutput, match="not_as_asked"):
        parse(f'{{"title": "a", "tags": [{item}]}}', Plan)


def test_a_list_of_texts_may_stand_in_a_union() -> None:
    class Note(BaseModel):
        tags: list[str] | list[int]

    with pytest.raises(ModelBadOutput, match="not_as_asked"):
        parse('{"tags": [{"tag": "x"}]}', Note)


def test_a_schema_is_closed_and_requires_everything() -> None:
    schema = schemas.of(Plan)
    assert schema["required"] == ["title", "chapters", "tags"]
    chapter = schema["$defs"]["Chapter"]
    assert chapter["additionalProperties"] is False
    assert "maxLength" not in chapter["properties"]["title"]
    assert schemas.is_closed(schema)


def test_a_property_may_be_called_like_a_keyword() -> None:
    class Odd(BaseModel):
        default: str
        examples: list[str]

    assert set(schemas.of(Odd)["properties"]) == {"default", "examples"}


def test_a_choice_by_tag_becomes_a_plain_choice() -> None:
    class Cat(BaseModel):
        kind: Literal["cat"]

    class Dog(BaseModel):
        kind: Literal["dog"]

    class Owner(BaseModel):
        pet: Cat | Dog = Field(discriminator="kind")

    pet = schemas.of(Owner)["properties"]["pet"]
    assert pet == {"anyOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}], "title": "Pet"}


def test_a_schema_with_free_keys_is_not_closed() -> None:
    assert not schemas.is_closed(schemas.of(Anything))


async def test_too_much_is_left_out_and_told_without_another_call(router: Router, upstream: Upstream) -> None:
    title = "A chapter whose title says far more than its reader can remember, or wants to"
    said = {"title": "t", "chapters": [{"title": title}, {"title": "x" * 41}, {"title": "Ink"}, {"title": 1}]}
    upstream.plays(says(json.dumps(said)))
    diary = Diary()
    _, plan = await answer_as(router, [ONE], REQUEST, Few, diary, object_to)
    assert [chapter.title for chapter in plan.chapters] == ["A chapter whose title says far more…", "x" * 39 + "…"]
    assert [(cut.path, cut.kept, cut.of) for cut in diary.cuts] == [
        ("chapters", 2, 4),
        ("chapters.0.title", 36, 77),
        ("chapters.1.title", 40, 41),
    ]
    assert len(upstream.received) == 1


async def test_a_text_is_never_shortened(router: Router, upstream: Upstream) -> None:
    upstream.plays(says(json.dumps({"body": "x" * 302})), says('{"body": "short"}'))
    diary = Diary()
    _, text = await answer_as(router, [ONE], REQUEST, Text, diary, object_to)
    assert (text.body, diary.cuts, len(upstream.received)) == ("short", [], 2)
