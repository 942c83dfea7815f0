"""What Chat Completions are sent, and how their many dialects are read."""

from dataclasses import replace
from typing import Any

import pytest

from generation.llm.specs import KNOWN
from generation.llm.values import (
    ContentDelta,
    Delta,
    Finish,
    Message,
    ModelRequest,
    ReasoningDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStart,
    ToolSpec,
    Usage,
    UsageReport,
)
from memory.base.errors import ModelBadOutput, ModelError, ModelRefused, ModelStreamBroken, ModelUnavailable
from tests.generation.llm.conftest import REQUEST, Ask
from tests.generation.llm.upstream import DONE, HELLO, Play, Upstream, event, finish, part, whole

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "additionalProperties": False}


async def test_it_yields_text_finish_and_usage(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(*HELLO)
    deltas = [delta async for delta in ask()]
    assert deltas == [ContentDelta("Hello "), ContentDelta("you"), Finish("stop"), UsageReport(Usage(7, 2))]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
async def test_it_reads_reasoning_under_both_names(upstream: Upstream, ask: Ask, name: str) -> None:
    upstream.streams(part(**{name: "Hm."}), part(content="Yes"), finish(), DONE)
    assert (await first(ask(), 2)) == [ReasoningDelta("Hm."), ContentDelta("Yes")]


def piece(index: int | None, call_id: str | None, name: str | None, arguments: str) -> bytes:
    call = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return part(tool_calls=[call])


async def test_it_reads_tool_calls_in_pieces(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(
        piece(0, "a", "edit", ""), piece(0, None, None, '{"x"'), piece(0, None, None, ": 1}"),
        piece(1, "b", "undo", "{}"), finish("tool_calls"), DONE,
    )  # fmt: skip
    assert await first(ask(), 6) == [
        ToolCallStart(0, "a", "edit"), ToolCallDelta(0, '{"x"'), ToolCallDelta(0, ": 1}"),
        ToolCallStart(1, "b", "undo"), ToolCallDelta(1, "{}"), Finish("tool_calls"),
    ]  # fmt: skip


@pytest.mark.parametrize("index", [None, 0])
async def test_calls_that_share_an_index_are_told_apart_by_id(upstream: Upstream, ask: Ask, index: int | None) -> None:
    upstream.streams(piece(index, "a", "edit", "{}"), piece(index, "b", "undo", "{}"), finish(), DONE)
    starts = [delta async for delta in ask() if isinstance(delta, ToolCallStart)]
    assert starts == [ToolCallStart(0, "a", "edit"), ToolCallStart(1, "b", "undo")]


async def test_a_call_without_an_id_gets_one_and_without_arguments_is_whole(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(piece(0, None, "undo", ""), finish("tool_calls"), DONE)
    assert await first(ask(), 1) == [ToolCallStart(0, "call_0", "undo")]


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}, Usage(9, 0, cached_in=4)),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4}, Usage(9, 0, cached_in=4)),
        ({"completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 4}}, Usage(0, 9, reasoning=4)),
        ({"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": None}, Usage(9, 1)),
        ({"prompt_tokens": 9, "completion_tokens": "many"}, Usage(9, 0)),
    ],
)
async def test_it_reads_usage_in_every_dialect(
    upstream: Upstream, ask: Ask, wire: dict[str, Any], usage: Usage
) -> None:
    upstream.streams(part(content="Hi"), finish(), event(choices=[], usage=wire), DONE)
    assert (await first(ask(), 3))[-1] == UsageReport(usage)


async def test_it_sends_what_was_asked_and_nothing_else(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(*HELLO)
    await first(ask(), 4)
    assert upstream.received[0].body == {
        "model": "some-model",
        "messages": [{"role": "user", "content": "Say hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


async def test_it_sends_a_conversation_with_tools(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(*HELLO)
    call = ToolCall("a", "edit", '{"x": 1}')
    messages = (Message("assistant", "", tool_calls=(call,)), Message("tool", "done", tool_call_id="a"))
    tools = (ToolSpec("edit", "Edits.", {"type": "object"}),)
    await first(ask(ModelRequest(messages, temperature=0.2, max_tokens=50, tools=tools)), 4)
    body = upstream.received[0].body
    wire_call = {"id": "a", "type": "function", "function": {"name": "edit", "arguments": '{"x": 1}'}}
    assert body["messages"] == [
        {"role": "assistant", "content": None, "tool_calls": [wire_call]},
        {"role": "tool", "content": "done", "tool_call_id": "a"},
    ]
    function = {"name": "edit", "description": "Edits.", "parameters": {"type": "object"}}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert (body["temperature"], body["max_tokens"]) == (0.2, 50)


async def test_the_limit_goes_under_the_name_that_the_provider_knows(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(*HELLO)
    await first(ask(replace(REQUEST, max_tokens=50), limit_field="max_completion_tokens", ask_usage=False), 4)
    body = upstream.received[0].body
    assert body["max_completion_tokens"] == 50
    assert "stream_options" not in body


async def test_a_strict_provider_gets_the_schema(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(*HELLO)
    await first(ask(replace(REQUEST, schema=SCHEMA, schema_name="Plan")), 4)
    schema = {"name": "Plan", "schema": SCHEMA, "strict": True}
    assert upstream.received[0].body["response_format"] == {"type": "json_schema", "json_schema": schema}


async def test_a_schema_that_cannot_be_strict_is_sent_as_a_wish(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(*HELLO)
    await first(ask(replace(REQUEST, schema={"type": "object", "additionalProperties": {"type": "string"}})), 4)
    assert upstream.received[0].body["response_format"]["json_schema"]["strict"] is False


@pytest.mark.parametrize(("support", "form"), [("object", {"type": "json_object"}), ("none", None)])
async def test_other_providers_read_the_schema_in_the_conversation(
    upstream: Upstream, ask: Ask, support: str, form: dict[str, str] | None
) -> None:
    upstream.streams(*HELLO)
    await first(ask(replace(REQUEST, schema=SCHEMA), schema=support), 4)
    body = upstream.received[0].body
    assert body.get("response_format") == form
    assert '"title"' in body["messages"][-1]["content"]


async def first(deltas: Any, count: int) -> list[Delta]:
    """Reads to the end, so that the connection is left whole."""
    return [delta async for delta in deltas][:count]


ODD: dict[str, tuple[Play, type[ModelError], str]] = {
    "DONE without finish": (whole(part(content="Half"), DONE), ModelStreamBroken, "no_finish"),
    "delta of a wrong type": (whole(event(choices=[{"delta": "text"}])), ModelStreamBroken, "bad_shape"),
    "choices of a wrong type": (whole(event(choices=7)), ModelStreamBroken, "bad_shape"),
    "choices empty": (whole(event(choices=[]), finish(), DONE), ModelBadOutput, "empty"),
    "choices null": (whole(event(choices=None), finish(), DONE), ModelBadOutput, "empty"),
    "delta null": (whole(event(choices=[{"delta": None}]), finish(), DONE), ModelBadOutput, "empty"),
    "content null": (whole(part(content=None), finish(), DONE), ModelBadOutput, "empty"),
    "content filter": (whole(part(content="H"), finish("content_filter"), DONE), ModelRefused, "content_filter"),
    "provider out of machines": (whole(part(content="H"), finish("error"), DONE), ModelUnavailable, "server_error"),
}


@pytest.mark.parametrize(("play", "family", "reason"), ODD.values(), ids=ODD)
async def test_what_is_no_answer_is_a_typed_error(
    upstream: Upstream, ask: Ask, play: Play, family: type[ModelError], reason: str
) -> None:
    upstream.plays(play)
    with pytest.raises(family) as caught:
        await first(ask(), 1)
    assert caught.value.code == f"model.{reason}"


@pytest.mark.parametrize(("model", "warm"), [("gpt-4.1-nano", True), ("gpt-5-mini", False), ("o3", False)])
async def test_a_model_that_reasons_is_sent_no_temperature(
    upstream: Upstream, ask: Ask, model: str, warm: bool
) -> None:
    upstream.streams(*HELLO)
    await first(ask(replace(REQUEST, temperature=0.2), model=model, plain=KNOWN["openai"].plain), 4)
    assert ("temperature" in upstream.received[0].body) is warm


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (REQUEST, False),
        (replace(REQUEST, tools=(ToolSpec("edit", "Edits.", {"type": "object"}),)), True),
        (ModelRequest((Message("assistant", "", tool_calls=(ToolCall("a", "edit", "{}"),)),)), True),
    ],
)
async def test_deepseek_does_not_think_where_tools_are(
    upstream: Upstream, ask: Ask, request_: ModelRequest, said: bool
) -> None:
    upstream.streams(*HELLO)
    await first(ask(request_, beside_tools=KNOWN["deepseek"].beside_tools), 4)
    assert upstream.received[0].body.get("thinking") == ({"type": "disabled"} if said else None)
