"""What is true of every adapter when all goes well, whatever it speaks."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from generation.llm.providers import ADAPTERS, Provider, adapter
from generation.llm.specs import KNOWN, ProviderSpec
from generation.llm.values import (
    ContentDelta,
    Delta,
    Finish,
    ReasoningDelta,
    Timeouts,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)
from tests.generation.llm.conftest import REQUEST, Ask
from tests.generation.llm.upstream import Upstream, Wire
from tests.generation.llm.wire_formats import CACHED, FORMATS, READ, THOUGHT, WRITTEN, WireFormat, named

pytestmark = pytest.mark.parametrize("wire_format", FORMATS, ids=named)

SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "additionalProperties": False}
OPEN_SCHEMA = {"type": "object", "additionalProperties": {"type": "string"}}


def hello(form: WireFormat) -> tuple[bytes, ...]:
    return (*form.begin, form.say("Hello "), form.say("you"), *form.end(form.finished))


async def read(deltas: AsyncIterator[Delta]) -> list[Delta]:
    return [delta async for delta in deltas]


def asked(provider: Provider) -> AsyncIterator[Delta]:
    return provider.stream("some-model", REQUEST, timeouts=Timeouts(), request_id="call-1")


async def test_it_yields_text_finish_and_usage(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    upstream.streams(*hello(wire_format))
    deltas = await read(ask())
    usage = UsageReport(Usage(READ, WRITTEN, cached_in=CACHED, reasoning=THOUGHT))
    assert deltas[:2] == [ContentDelta("Hello "), ContentDelta("you")]
    assert sorted(deltas[2:], key=repr) == [Finish(wire_format.finished), usage]


async def test_it_reads_reasoning_before_the_answer(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    form = wire_format
    upstream.streams(*form.begin, form.think("Hm, "), form.think("so."), form.say("Yes"), *form.end(form.finished))
    assert (await read(ask()))[:3] == [ReasoningDelta("Hm, "), ReasoningDelta("so."), ContentDelta("Yes")]


async def test_it_tells_interleaved_tool_calls_apart(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    form = wire_format
    upstream.streams(
        *form.begin, form.say("I edit."),
        form.call(1, "a", "edit"), form.argue(1, '{"x"'), form.call(2, "b", "undo"), form.argue(2, '{"y":'),
        form.argue(1, ": 1}"), form.argue(2, " 2}"), form.call(3, "c", "look"), *form.end(form.finished),
    )  # fmt: skip
    assert (await read(ask()))[1:8] == [
        ToolCallStart(0, "a", "edit"), ToolCallDelta(0, '{"x"'), ToolCallStart(1, "b", "undo"),
        ToolCallDelta(1, '{"y":'), ToolCallDelta(0, ": 1}"), ToolCallDelta(1, " 2}"), ToolCallStart(2, "c", "look"),
    ]  # fmt: skip


async def test_a_stream_may_be_cut_into_any_pieces(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    whole = b"".join((*wire_format.begin, wire_format.say("Été ☀"), *wire_format.end(wire_format.finished)))
    upstream.streams(*(whole[start : start + 7] for start in range(0, len(whole), 7)))
    assert ContentDelta("Été ☀") in await read(ask())


async def test_it_posts_where_the_format_says_with_our_id_and_the_key(
    upstream: Upstream, ask: Ask, wire_format: WireFormat
) -> None:
    upstream.streams(*hello(wire_format))
    await read(ask())
    (received,) = upstream.received
    assert received.path.split("?")[0] == wire_format.path
    assert received.headers["x-client-request-id"] == "call-1"
    assert received.headers["accept-encoding"] == "identity"
    assert "sk-secret" in (received.headers.get("authorization", "") + received.headers.get("x-api-key", ""))
    assert received.body["stream"] is True
    assert received.body["model"] == "some-model"


async def test_the_key_is_in_no_body_and_no_repr(
    upstream: Upstream, spec: ProviderSpec, wire_format: WireFormat
) -> None:
    upstream.streams(*hello(wire_format))
    provider = adapter(spec.kind)(spec)
    await read(asked(provider))
    assert "sk-secret" not in f"{provider!r} {vars(provider)!r} {upstream.received[0].body}"
    await provider.close()


async def test_without_a_key_none_of_the_environment_is_sent(
    upstream: Upstream, ask: Ask, wire_format: WireFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "sk-canary")
    upstream.streams(*hello(wire_format))
    await read(ask(api_key=""))
    assert "sk-canary" not in str(upstream.received)


@pytest.mark.parametrize("schema", [SCHEMA, OPEN_SCHEMA])
async def test_a_schema_is_in_the_request(
    upstream: Upstream, ask: Ask, wire_format: WireFormat, schema: dict[str, object]
) -> None:
    upstream.streams(*hello(wire_format))
    await read(ask(replace(REQUEST, schema=schema, schema_name="Plan")))
    assert "additionalProperties" in str(upstream.received[0].body)


async def test_a_provider_that_takes_no_schema_reads_it_in_the_conversation(
    upstream: Upstream, ask: Ask, wire_format: WireFormat
) -> None:
    upstream.streams(*hello(wire_format))
    await read(ask(replace(REQUEST, schema=SCHEMA), schema="none"))
    body = upstream.received[0].body
    assert "JSON schema:" in str(body)
    assert not {"response_format", "text", "output_config"} & set(body)


async def test_what_comes_during_a_pause_is_read_together(
    upstream: Upstream, spec: ProviderSpec, wire_format: WireFormat
) -> None:
    all_sent, pauses = asyncio.Event(), list[int]()

    async def play(wire: Wire) -> None:
        await wire.stream(wire_format.say("one"))
        while not pauses:  # its first word was read
            await asyncio.sleep(0.01)
        for piece in (*map(wire_format.say, (" two", " three", " four")), *wire_format.end(wire_format.finished)):
            await wire.chunk(piece)
        await wire.end()
        all_sent.set()

    async def pause() -> None:
        pauses.append(1)
        await all_sent.wait()
        await asyncio.sleep(0.2)  # from their socket to ours

    upstream.plays(play)
    provider = adapter(spec.kind)(spec)
    stream = provider.stream("m", REQUEST, timeouts=Timeouts(), request_id="1", pause=pause)
    texts = [delta.text for delta in await read(stream) if isinstance(delta, ContentDelta)]
    await provider.close()
    assert texts == ["one", " two", " three", " four"]
    assert len(pauses) == 1  # and none after the finish: what has ended waits for nobody


async def test_a_connection_is_used_again(upstream: Upstream, spec: ProviderSpec, wire_format: WireFormat) -> None:
    upstream.streams(*hello(wire_format))
    provider = adapter(spec.kind)(spec)
    for _ in range(3):
        await read(asked(provider))
    await provider.close()
    assert upstream.connections == 1


def test_each_event_loop_has_its_own_connections(wire_format: WireFormat) -> None:
    provider = adapter(wire_format.kind)(ProviderSpec("test", wire_format.kind, ""))

    async def once() -> int:
        async with Upstream() as upstream:
            upstream.streams(*hello(wire_format))
            vars(provider)["spec"] = replace(KNOWN["openai"], base_url=wire_format.address(upstream.url))
            answer = await read(asked(provider))
            await provider.close()
            return len(answer)

    assert [asyncio.run(once()) for _ in range(2)] == [4, 4]


async def test_a_closed_provider_opens_again_when_asked(
    upstream: Upstream, spec: ProviderSpec, wire_format: WireFormat
) -> None:
    upstream.streams(*hello(wire_format))
    provider = adapter(spec.kind)(spec)
    await provider.close()
    assert len(await read(asked(provider))) == 4
    await provider.close()


def test_every_adapter_has_its_format_here(wire_format: WireFormat) -> None:
    assert {form.kind for form in FORMATS} == set(ADAPTERS)
    assert wire_format.kind in ADAPTERS
