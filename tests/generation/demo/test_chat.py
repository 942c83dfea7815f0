"""Text and its wire format, as the official client sees them."""

from typing import Any

import pytest
from openai import AsyncOpenAI, BadRequestError

from generation.demo.words import tokens
from tests.generation.demo.conftest import BRIEF, Door, user


async def test_a_french_brief_gets_french_text_made_of_its_own_words(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="demo", messages=user(BRIEF))
    text = reply.choices[0].message.content or ""
    assert text.count("Texte du modèle de démonstration") == 1
    assert "la boucle while" in text
    assert 150 <= len(text.split()) <= 210


async def test_an_english_brief_gets_english_text_of_the_length_it_asks_for(client: AsyncOpenAI) -> None:
    brief = "Write a note on the tides of Brittany and the lighthouse keepers, about 320 words."
    reply = await client.chat.completions.create(model="demo", messages=user(brief))
    text = reply.choices[0].message.content or ""
    assert text.count("Demo model text") == 1
    assert "the tides of Brittany" in text
    assert 300 <= len(text.split()) <= 340


async def test_the_language_can_be_asked_for(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(
        model="demo", messages=[{"role": "system", "content": "Write in French."}, *user("Tides and lighthouses")]
    )
    assert "Texte du modèle" in (reply.choices[0].message.content or "")


async def test_equal_requests_get_equal_text_and_another_seed_another(client: AsyncOpenAI) -> None:
    async def ask(seed: int) -> str:
        reply = await client.chat.completions.create(model="demo", messages=user(BRIEF), seed=seed)
        return reply.choices[0].message.content or ""

    assert await ask(1) == await ask(1)
    assert await ask(1) != await ask(2)


async def test_a_stream_joins_to_the_whole_and_counts_what_it_sent(client: AsyncOpenAI) -> None:
    brief = "Une note sur les phares 🗼 et la poésie « 👩‍🚀 », environ 60 mots."
    whole = await client.chat.completions.create(model="demo", messages=user(brief))
    deltas, usage = [], None
    async for chunk in await client.chat.completions.create(
        model="demo", messages=user(brief), stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        deltas += [choice.delta.content for choice in chunk.choices if choice.delta.content]
    assert "".join(deltas) == whole.choices[0].message.content
    assert usage is not None
    assert usage.completion_tokens == len(deltas)


async def test_a_stream_has_a_role_a_finish_a_usage_and_a_done(door: Door) -> None:
    seen = await door.stream(stream_options={"include_usage": True})
    first, finish, usage, done = seen.events[0], *seen.events[-3:]
    assert b'"role":"assistant"' in first
    assert b'"finish_reason":"stop"' in finish
    assert b'"choices":[],"usage":{' in usage
    assert done == b"[DONE]"


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_a_token_limit_ends_the_answer_with_length(door: Door, name: str) -> None:
    limit: dict[str, Any] = {name: 7}
    seen = await door.stream(**limit)
    assert len(seen.deltas()) == 7
    assert seen.finish == "length"


async def test_a_reasoning_model_thinks_before_it_writes(door: Door) -> None:
    seen = await door.stream(model="demo-reason")
    assert "La demande tourne autour" in "".join(seen.deltas("reasoning_content"))
    assert seen.raw.rindex(b"reasoning_content") < seen.raw.index(b"Texte")


@pytest.mark.parametrize(("effort", "thinks"), [("high", True), ("none", False)])
async def test_any_model_thinks_when_asked_to(door: Door, effort: str, thinks: bool) -> None:
    seen = await door.stream(reasoning_effort=effort)
    assert bool(seen.deltas("reasoning_content")) is thinks


def test_tokens_are_small_and_lose_nothing() -> None:
    text = "  Une phrase, déjà longue…\n\n- 👩‍🚀 et la suite \t\n"
    assert "".join(tokens(text)) == text
    assert max(len(token.strip()) for token in tokens(text)) <= 5


async def test_models_are_listed(client: AsyncOpenAI) -> None:
    names = [model.id async for model in client.models.list()]
    assert names[:2] == ["demo", "demo-reason"]
    assert "fault-rate_limit" in names


async def test_a_bad_request_is_refused_as_openai_does(client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError) as refused:
        await client.chat.completions.create(model="demo", messages=user(BRIEF), n=2)
    assert refused.value.param == "n"


@pytest.mark.parametrize(
    "body", ["{", "[]", "{}", '{"model":"demo","messages":[]}', '{"model":"d","messages":[1]}', '{"model":"\\ud83d"}']
)
async def test_nonsense_is_a_bad_request(door: Door, body: str) -> None:
    async with door.session.post(f"{door.url}/v1/chat/completions", data=body) as response:
        assert response.status == 400
        assert (await response.json())["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_tokens": -1},
        {"stream_options": 1},
        {"response_format": {"type": "xml"}},
        {"tools": {"a": 1}},
        {"tools": [{}]},
        {"response_format": {"type": "json_schema"}},
        {"tool_choice": {"function": 3}},
        {"messages": [{"role": "user", "content": 5}]},
    ],
)
async def test_a_wrong_parameter_is_named(door: Door, wrong: dict[str, Any]) -> None:
    status, body = await door.post("/v1/chat/completions", {"model": "demo", "messages": user(BRIEF), **wrong})
    assert (status, bool(body["error"]["param"])) == (400, True)


async def test_an_unknown_path_is_an_openai_error_too(door: Door) -> None:
    status, body = await door.post("/v1/nothing", {})
    assert (status, body["error"]["code"]) == (404, "404")
