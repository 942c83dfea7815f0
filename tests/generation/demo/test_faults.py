"""Every fault by its name, as a client meets it."""

import asyncio
import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from generation.demo.faults import FAULTS
from tests.generation.demo.conftest import BRIEF, Door, user

SCHEMA = {"type": "object", "required": ["title", "text"], "properties": {"title": {"type": "string"}, "text": {}}}
AS_JSON: dict[str, Any] = {"type": "json_schema", "json_schema": {"name": "note", "schema": SCHEMA}}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("rate_limit", openai.RateLimitError),
        ("server_error", openai.InternalServerError),
        ("unavailable", openai.InternalServerError),
        ("unauthorised", openai.AuthenticationError),
        ("unknown_model", openai.NotFoundError),
        ("reset", openai.APIConnectionError),
    ],
)
async def test_a_refusal_is_the_clients_own_error(client: AsyncOpenAI, fault: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await client.chat.completions.create(model=f"fault-{fault}", messages=user(BRIEF))


async def test_a_rate_limit_says_when_to_come_back(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as refused:
        await client.chat.completions.create(model="demo/fault-429", messages=user(BRIEF))
    assert refused.value.response.headers["Retry-After"] == "0.2"
    assert refused.value.code == "rate_limit_exceeded"


async def test_html_comes_with_success(door: Door) -> None:
    seen = await door.stream(fault="html")
    assert (seen.status, seen.raw[:15]) == (200, b"<!doctype html>")


async def test_a_hang_never_answers(door: Door) -> None:
    seen = await door.stream(fault="hang", silence=0.5)
    assert (seen.status, seen.raw, seen.error) == (0, b"", "SocketTimeoutError")


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("hang_mid", "SocketTimeoutError"),
        ("reset_mid", "ClientPayloadError"),
        ("cut", "ClientPayloadError"),
        ("clean_cut", ""),
        ("error_event", ""),
    ],
)
async def test_an_answer_breaks_off_half_way(door: Door, fault: str, error: str) -> None:
    seen = await door.stream(fault=fault, silence=2)
    assert seen.status == 200
    assert seen.deltas()
    assert (seen.finish, seen.done, seen.error) == (None, False, error)
    assert (b'"error":{' in seen.raw) is (fault == "error_event")


@pytest.mark.parametrize(
    ("fault", "is_reset", "has_text"), [("reset", True, False), ("reset_mid", True, True), ("cut", False, True)]
)
async def test_a_line_is_reset_or_hung_up_for_real(door: Door, fault: str, is_reset: bool, has_text: bool) -> None:
    host, _, port = door.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, port)
    body = json.dumps({"model": f"fault-{fault}", "stream": True, "messages": user(BRIEF)})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: demo\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write((head + body).encode())
    raw, was_reset = b"", False
    try:
        while data := await reader.read(65536):
            raw += data
    except ConnectionResetError:
        was_reset = True
    writer.close()
    assert (was_reset, b'"content":" ' in raw, raw.endswith(b"0\r\n\r\n")) == (is_reset, has_text, False)


async def test_a_missing_done_loses_nothing(door: Door) -> None:
    seen, good = await door.stream(fault="no_done"), await door.stream()
    assert (seen.deltas(), seen.finish, seen.done) == (good.deltas(), "stop", False)


async def test_null_fields_lose_nothing(door: Door) -> None:
    seen, good = await door.stream(fault="null_fields"), await door.stream()
    assert (seen.deltas(), seen.finish, seen.done) == (good.deltas(), "stop", True)
    assert b'"choices":null' in seen.raw
    assert b'"choices":[]' in seen.raw
    assert b'"delta":null' in seen.raw


async def test_bad_json_is_one_event_among_good_ones(door: Door) -> None:
    seen = await door.stream(fault="bad_json")
    assert seen.done
    with pytest.raises(ValueError, match="Unterminated string"):
        [json.loads(event) for event in seen.events[:-1]]


async def test_a_trickle_keeps_the_line_alive_for_ever(door: Door) -> None:
    seen = await door.stream(fault="trickle", patience=1)
    assert seen.error == "TimeoutError"
    assert seen.raw.count(b": keep-alive\n\n") >= 2


@pytest.mark.parametrize(("fault", "finish"), [("empty", "stop"), ("length", "length"), ("refusal", "content_filter")])
async def test_an_answer_ends_too_early_and_says_why(door: Door, fault: str, finish: str) -> None:
    seen, good = await door.stream(fault=fault), await door.stream()
    assert (seen.finish, seen.done) == (finish, True)
    assert seen.deltas() == good.deltas()[: len(seen.deltas())]
    assert len(seen.deltas()) < len(good.deltas())


async def test_tool_garbage_is_half_a_call_that_claims_to_be_none(door: Door) -> None:
    seen = await door.stream(fault="tool_garbage")
    assert seen.finish == "stop"
    with pytest.raises(ValueError, match="Unterminated string"):
        json.loads("".join(call["function"]["arguments"] for call in seen.calls()))


async def test_nul_characters_are_in_the_deltas(door: Door) -> None:
    assert "\x00" in (await door.stream(fault="nul")).deltas()


async def test_half_characters_are_in_the_deltas(door: Door) -> None:
    seen = await door.stream(fault="surrogate")
    deltas = seen.deltas()
    assert deltas[(at := deltas.index("\ude00")) - 1 : at + 1] == ["\ud83d", "\ude00"]
    assert deltas.count("\ud83d") == 2
    assert rb'"\ud83d"' in seen.raw


async def test_a_huge_event_has_twenty_megabytes(door: Door) -> None:
    seen = await door.stream(fault="huge_event")
    assert max(map(len, seen.events)) > 20_000_000
    assert seen.done


async def test_a_bad_schema_is_json_that_the_schema_refuses(door: Door) -> None:
    seen = await door.stream(fault="bad_schema", response_format=AS_JSON)
    assert json.loads("".join(seen.deltas())).keys() == {"text"}


async def test_a_broken_schema_is_json_cut_in_the_middle(door: Door) -> None:
    seen = await door.stream(fault="broken_schema", response_format=AS_JSON)
    assert seen.finish == "stop"
    with pytest.raises(ValueError, match="Unterminated string|delimiter"):
        json.loads("".join(seen.deltas()))


@pytest.mark.parametrize("fault", sorted(FAULTS.keys() - {"huge_event", "trickle", "hang", "hang_mid"}))
async def test_every_fault_has_its_form_without_a_stream_too(door: Door, fault: str) -> None:
    seen = await door.stream(fault=fault, stream=False, response_format=AS_JSON)
    good = await door.stream(stream=False, response_format=AS_JSON)
    is_harmless = fault in {"no_done", "null_fields", "tool_garbage"}
    assert is_harmless or (seen.status, _content(seen.raw)) != (good.status, _content(good.raw))
    assert (await door.stream(stream=False)).status == 200


async def test_a_fault_can_last_for_the_first_attempts_only(door: Door) -> None:
    first = [(await door.stream(model="fault-500-x2")).status for _ in range(3)]
    other = [(await door.stream("Une autre demande", model="fault-500-x2")).status for _ in range(3)]
    assert first == other == [500, 500, 200]


async def test_an_unknown_fault_is_refused_with_the_names_that_exist(door: Door) -> None:
    seen = await door.stream(fault="gremlin")
    assert seen.status == 400
    assert b"rate_limit" in seen.raw


def _content(raw: bytes) -> object:
    try:
        return json.loads(raw)["choices"][0]["message"]["content"]
    except (ValueError, LookupError):
        return None
