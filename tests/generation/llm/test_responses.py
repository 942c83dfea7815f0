"""What OpenAI's Responses are sent, and what only they say."""

from dataclasses import replace
from typing import Any

import pytest

from generation.llm.specs import KNOWN
from generation.llm.values import (
    ContentDelta,
    Delta,
    Message,
    ModelRequest,
    ReasoningDelta,
    ToolCall,
    ToolSpec,
    Usage,
    UsageReport,
)
from memory.base.errors import ModelBadOutput, ModelError, ModelRateLimited, ModelRefused, ModelUnavailable
from tests.generation.llm.conftest import REQUEST, Ask
from tests.generation.llm.upstream import Upstream, event
from tests.generation.llm.wire_formats import Responses, WireFormat

FORM = Responses()
HELLO = (*FORM.begin, FORM.say("Hello"), *FORM.end("completed"))
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "additionalProperties": False}
PLAIN = KNOWN["openai-responses"].plain


@pytest.fixture
def wire_format() -> WireFormat:
    return FORM


async def read(deltas: Any) -> list[Delta]:
    return [delta async for delta in deltas]


async def sent(upstream: Upstream, ask: Ask, request: ModelRequest, **facts: Any) -> dict[str, Any]:
    upstream.streams(*HELLO)
    await read(ask(request, **facts))
    return upstream.received[0].body


async def test_it_sends_what_was_asked_and_leaves_nothing_there(upstream: Upstream, ask: Ask) -> None:
    assert await sent(upstream, ask, REQUEST) == {
        "model": "some-model",
        "input": [{"role": "user", "content": "Say hello"}],
        "stream": True,
        "store": False,
    }


async def test_it_sends_a_conversation_with_tools(upstream: Upstream, ask: Ask) -> None:
    messages = (
        Message("system", "You edit."),
        Message("user", "Edit both."),
        Message("assistant", "I do.", tool_calls=(ToolCall("a", "edit", '{"x": 1}'), ToolCall("b", "edit", "{}"))),
        Message("tool", "done", tool_call_id="a"),
        Message("tool", "", tool_call_id="b"),
        Message("assistant", "", tool_calls=(ToolCall("c", "undo", "{}"),)),
        Message("tool", "undone", tool_call_id="c"),
    )
    tools = (ToolSpec("edit", "Edits.", {"type": "object"}),)
    body = await sent(upstream, ask, ModelRequest(messages, temperature=0.2, max_tokens=50, tools=tools))
    assert body == {
        "model": "some-model",
        "stream": True,
        "store": False,
        "temperature": 0.2,
        "max_output_tokens": 50,
        "tools": [
            {
                "type": "function",
                "name": "edit",
                "description": "Edits.",
                "parameters": {"type": "object"},
                "strict": False,
            }
        ],
        "input": [
            {"role": "system", "content": "You edit."},
            {"role": "user", "content": "Edit both."},
            {"role": "assistant", "content": "I do."},
            {"type": "function_call", "call_id": "a", "name": "edit", "arguments": '{"x": 1}'},
            {"type": "function_call", "call_id": "b", "name": "edit", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "a", "output": "done"},
            {"type": "function_call_output", "call_id": "b", "output": ""},
            {"type": "function_call", "call_id": "c", "name": "undo", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "undone"},
        ],
    }


@pytest.mark.parametrize(
    ("model", "reasons"), [("gpt-4.1", False), ("ft:gpt-4.1-mini:us::x", False), ("gpt-5-mini", True), ("o3", True)]
)
async def test_models_that_reason_are_asked_how_and_sent_no_temperature(
    upstream: Upstream, ask: Ask, model: str, reasons: bool
) -> None:
    body = await sent(upstream, ask, replace(REQUEST, temperature=0.2), model=model, plain=PLAIN)
    assert body.get("reasoning") == ({"summary": "auto"} if reasons else None)
    assert body.get("temperature") == (None if reasons else 0.2)


@pytest.mark.parametrize(
    ("schema", "strict"), [(SCHEMA, True), ({"type": "object", "additionalProperties": {"type": "string"}}, False)]
)
async def test_a_schema_is_strict_where_it_can_be(
    upstream: Upstream, ask: Ask, schema: dict[str, Any], strict: bool
) -> None:
    body = await sent(upstream, ask, replace(REQUEST, schema=schema, schema_name="Plan"))
    assert body["text"] == {"format": {"type": "json_schema", "name": "Plan", "schema": schema, "strict": strict}}


async def test_a_provider_that_knows_json_only_reads_the_schema_in_the_conversation(
    upstream: Upstream, ask: Ask
) -> None:
    body = await sent(upstream, ask, replace(REQUEST, schema=SCHEMA), schema="object")
    assert body["text"] == {"format": {"type": "json_object"}}
    assert '"title"' in body["input"][-1]["content"]


async def test_parts_of_a_summary_stand_apart(upstream: Upstream, ask: Ask) -> None:
    parts = [event(type="response.reasoning_summary_part.added", summary_index=index) for index in range(2)]
    upstream.streams(
        *FORM.begin, parts[0], FORM.think("First."), parts[1], FORM.think("Second."), FORM.say("Yes"),
        *FORM.end("completed"),
    )  # fmt: skip
    assert (await read(ask()))[:4] == [
        ReasoningDelta("First."), ReasoningDelta("\n\n"), ReasoningDelta("Second."), ContentDelta("Yes"),
    ]  # fmt: skip


async def test_reasoning_that_is_shown_whole_is_read_too(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(event(type="response.reasoning_text.delta", delta="Hm"), FORM.say("Yes"), *FORM.end("completed"))
    assert (await read(ask()))[0] == ReasoningDelta("Hm")


async def test_what_only_repeats_is_passed_over(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(
        *FORM.begin,
        FORM.say("Yes"),
        event(type="response.output_text.done", text="Yes"),
        event(type="response.output_item.added", output_index=1, item={"type": "reasoning", "summary": []}),
        FORM.call(2, "a", "edit"),
        FORM.argue(2, "{}"),
        event(type="response.function_call_arguments.done", output_index=2, arguments="{}"),
        event(type="response.output_item.done", output_index=2, item={"type": "function_call", "arguments": "{}"}),
        event(type="response.something.delta", delta="new"),
        *FORM.end("completed"),
    )
    assert len(await read(ask())) == 5


@pytest.mark.parametrize(
    ("error", "family", "code"),
    [
        ({"code": "server_error", "message": "Boom"}, ModelUnavailable, "model.server_error"),
        ({"code": "rate_limit_exceeded", "message": "Slow"}, ModelRateLimited, "model.rate_limited"),
        ({"code": "invalid_prompt", "message": "No"}, ModelRefused, "model.content_filter"),
        ({"code": "bio_policy", "message": "No"}, ModelRefused, "model.content_filter"),
        (None, ModelError, "model.error_event"),
    ],
)
async def test_a_failed_response_says_why(
    upstream: Upstream, ask: Ask, error: Any, family: type[ModelError], code: str
) -> None:
    upstream.streams(FORM.say("Well"), event(type="response.failed", response={"status": "failed", "error": error}))
    with pytest.raises(family) as caught:
        await read(ask())
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("reason", "family", "code"),
    [
        ("max_output_tokens", ModelBadOutput, "model.cut_at_limit"),
        ("content_filter", ModelRefused, "model.content_filter"),
    ],
)
async def test_an_incomplete_response_is_an_error_whose_usage_is_known(
    upstream: Upstream, ask: Ask, reason: str, family: type[ModelError], code: str
) -> None:
    upstream.streams(FORM.say("Well"), *FORM.end(reason))
    deltas = ask()
    assert [await anext(deltas) for _ in range(2)] == [ContentDelta("Well"), UsageReport(Usage(100, 20, 60, 5))]
    with pytest.raises(family) as caught:
        await read(deltas)
    assert caught.value.code == code
