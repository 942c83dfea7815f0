"""What Anthropic's Messages are sent, and what only they say."""

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
    ToolSpec,
    Usage,
    UsageReport,
)
from memory.base.errors import ModelBadOutput, ModelError, ModelRefused, ModelStreamBroken
from tests.generation.llm.conftest import REQUEST, Ask
from tests.generation.llm.upstream import Upstream, event
from tests.generation.llm.wire_formats import Messages, WireFormat

FORM = Messages()
HELLO = (*FORM.begin, FORM.say("Hello"), *FORM.end("end_turn"))
PLAIN = KNOWN["anthropic"].plain


@pytest.fixture
def wire_format() -> WireFormat:
    return FORM


async def read(deltas: Any) -> list[Delta]:
    return [delta async for delta in deltas]


async def sent(upstream: Upstream, ask: Ask, request: ModelRequest, **facts: Any) -> dict[str, Any]:
    upstream.streams(*HELLO)
    await read(ask(request, **facts))
    return upstream.received[0].body


async def test_it_sends_what_was_asked_and_the_limit_it_must_have(upstream: Upstream, ask: Ask) -> None:
    assert await sent(upstream, ask, REQUEST) == {
        "model": "some-model",
        "max_tokens": 16_000,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Say hello"}]}],
        "stream": True,
    }


async def test_it_names_the_version_of_the_api_that_it_was_written_for(upstream: Upstream, ask: Ask) -> None:
    await sent(upstream, ask, REQUEST)
    assert upstream.received[0].headers["anthropic-version"] == "2026-10-21"  # the SDK's, and another one's is another


async def test_it_sends_a_conversation_with_tools(upstream: Upstream, ask: Ask) -> None:
    messages = (
        Message("system", "You edit."),
        Message("user", "Edit both."),
        Message("assistant", "I do.", tool_calls=(ToolCall("a", "edit", '{"x": 1}'), ToolCall("b", "edit", "{}"))),
        Message("tool", "done", tool_call_id="a"),
        Message("tool", "", tool_call_id="b"),
        Message("assistant", "", tool_calls=(ToolCall("c", "undo", ""),)),
        Message("tool", "undone", tool_call_id="c"),
        Message("user", "Thanks."),
        Message("system", "Be short."),
    )
    tools = (ToolSpec("edit", "Edits.", {"type": "object"}),)
    body = await sent(upstream, ask, ModelRequest(messages, temperature=0.2, max_tokens=50, tools=tools))
    assert body == {
        "model": "some-model",
        "max_tokens": 50,
        "stream": True,
        "system": "You edit.\n\nBe short.",
        "tools": [{"name": "edit", "description": "Edits.", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Edit both."}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I do."},
                    {"type": "tool_use", "id": "a", "name": "edit", "input": {"x": 1}},
                    {"type": "tool_use", "id": "b", "name": "edit", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "done"},
                    {"type": "tool_result", "tool_use_id": "b", "content": ""},
                ],
            },
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "undo", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c", "content": "undone"},
                    {"type": "text", "text": "Thanks."},
                ],
            },
        ],
    }


async def test_what_is_blank_is_left_out_and_its_neighbours_are_one_turn(upstream: Upstream, ask: Ask) -> None:
    messages = (Message("user", "One."), Message("assistant", " \n"), Message("user", "Two."))
    body = await sent(upstream, ask, ModelRequest(messages))
    texts = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    assert body["messages"] == [{"role": "user", "content": texts}]


@pytest.mark.parametrize("arguments", ['{"path": ', "[1]", "soon"])
async def test_arguments_that_are_no_object_go_back_as_they_were_written(
    upstream: Upstream, ask: Ask, arguments: str
) -> None:
    call = Message("assistant", "", tool_calls=(ToolCall("a", "edit", arguments),))
    body = await sent(upstream, ask, ModelRequest((call, Message("tool", "no", tool_call_id="a"))))
    assert body["messages"][0]["content"][0]["input"] == {"arguments": arguments}


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("claude-haiku-4-5", False),
        ("claude-sonnet-4-6", False),
        ("claude-opus-4-20250514", False),
        ("claude-opus-4-7", True),
        ("claude-sonnet-5", True),
        ("claude-haiku-5-5", True),
        ("claude-of-tomorrow", True),
    ],
)
async def test_models_that_think_do_it_aloud_and_none_is_sent_a_temperature(
    upstream: Upstream, ask: Ask, model: str, thinks: bool
) -> None:
    body = await sent(upstream, ask, replace(REQUEST, temperature=0.2), model=model, plain=PLAIN)
    assert body.get("thinking") == ({"type": "adaptive", "display": "summarized"} if thinks else None)
    assert "temperature" not in body


async def test_a_closed_schema_holds_the_answer_and_its_bounds_are_said_in_words(upstream: Upstream, ask: Ask) -> None:
    words = {"type": "array", "items": {"type": "string", "pattern": "^a"}, "maxItems": 3, "description": "Words"}
    schema = {"type": "object", "properties": {"format": words}, "required": ["format"], "additionalProperties": False}
    body = await sent(upstream, ask, replace(REQUEST, schema=schema, schema_name="Plan"))
    items = {"type": "string", "description": "(pattern: ^a)"}
    words = {"type": "array", "items": items, "description": "Words (maxItems: 3)"}
    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": {**schema, "properties": {"format": words}}}
    }
    assert "system" not in body


async def test_a_schema_that_cannot_be_strict_is_said_in_words(upstream: Upstream, ask: Ask) -> None:
    schema = {"type": "object", "additionalProperties": {"type": "string"}}
    body = await sent(upstream, ask, replace(REQUEST, schema=schema))
    assert body["system"].startswith("Answer with one JSON object")
    assert "output_config" not in body


async def test_blocks_of_no_concern_are_passed_over(upstream: Upstream, ask: Ask) -> None:
    def block(index: int, **content: str) -> bytes:
        return event(type="content_block_start", index=index, content_block=content)

    def grow(index: int, **delta: Any) -> bytes:
        return event(type="content_block_delta", index=index, delta=delta)

    upstream.streams(
        *FORM.begin,
        block(0, type="thinking", thinking="", signature=""),
        grow(0, type="thinking_delta", thinking="Hm"),
        grow(0, type="signature_delta", signature="EqQB"),
        event(type="content_block_stop", index=0),
        block(1, type="redacted_thinking", data="x"),
        block(2, type="text", text=""),
        grow(2, type="citations_delta", citation={"type": "page_location"}),
        grow(2, type="text_delta", text="Yes"),
        grow(2, type="a_delta_of_tomorrow", poem="…"),
        event(type="an_event_of_tomorrow"),
        *FORM.end("end_turn"),
    )
    deltas = await read(ask())
    assert deltas[:2] == [ReasoningDelta("Hm"), ContentDelta("Yes")]
    assert len(deltas) == 4


@pytest.mark.parametrize("reason", ["end_turn", "tool_use", "stop_sequence"])
async def test_a_whole_answer_has_one_of_their_names(upstream: Upstream, ask: Ask, reason: str) -> None:
    upstream.streams(FORM.say("Yes"), *FORM.end(reason))
    assert Finish(reason) in await read(ask())


@pytest.mark.parametrize(
    ("reason", "family", "code"),
    [
        ("max_tokens", ModelBadOutput, "model.cut_at_limit"),
        ("model_context_window_exceeded", ModelBadOutput, "model.cut_at_limit"),
        ("pause_turn", ModelStreamBroken, "model.no_finish"),
        ("refusal", ModelRefused, "model.refusal"),
    ],
)
async def test_what_is_no_whole_answer_is_an_error(
    upstream: Upstream, ask: Ask, reason: str, family: type[ModelError], code: str
) -> None:
    upstream.streams(FORM.say("Well"), *FORM.end(reason))
    with pytest.raises(family) as caught:
        await read(ask())
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("first", "last", "usage"),
    [
        ({"input_tokens": 9, "output_tokens": 1}, {"output_tokens": 5}, Usage(9, 5)),
        ({"input_tokens": 9}, {"input_tokens": 12, "output_tokens": 5}, Usage(12, 5)),
        (
            {"input_tokens": 9, "cache_read_input_tokens": 80, "cache_creation_input_tokens": 11},
            {"output_tokens": 5, "cache_read_input_tokens": None},
            Usage(100, 5, cached_in=80),
        ),
        (None, {"output_tokens": "many"}, Usage(0, 0)),
    ],
)
async def test_usage_is_what_both_ends_of_the_message_say(
    upstream: Upstream, ask: Ask, first: Any, last: Any, usage: Usage
) -> None:
    upstream.streams(
        event(type="message_start", message={"usage": first}),
        FORM.say("Yes"),
        event(type="message_delta", delta={"stop_reason": "end_turn"}, usage=last),
        event(type="message_stop"),
    )
    assert UsageReport(usage) in await read(ask())
