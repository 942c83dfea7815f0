"""Every way in which a provider is known to fail ends as one typed error (F7 of the fault matrix)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from generation.llm.values import ContentDelta, Delta, Timeouts
from memory.base.errors import (
    ModelBadOutput,
    ModelConnectionFailed,
    ModelError,
    ModelRateLimited,
    ModelRefused,
    ModelStreamBroken,
    ModelTimeout,
    ModelUnavailable,
)
from tests.generation.llm.conftest import PATIENT, QUICK, Ask
from tests.generation.llm.upstream import DONE, Play, Upstream, Wire, event, finish, part, responds, whole
from tests.patience import PATIENCE_SECONDS

HALF = part(content="Half an ans")


def tool_call(arguments: str) -> bytes:
    return part(tool_calls=[{"index": 0, "id": "1", "function": {"name": "edit", "arguments": arguments}}])


async def hang_before_headers(wire: Wire) -> None:
    await wire.hang()


async def hang_before_the_first_token(wire: Wire) -> None:
    await wire.stream(part(role="assistant", content=""))
    await wire.hang()


async def hang_in_the_middle(wire: Wire) -> None:
    await wire.stream(HALF)
    await wire.hang()


async def trickle_of_comments(wire: Wire) -> None:
    await wire.stream(HALF)
    while True:
        await wire.chunk(b": keep-alive\n\n")
        await asyncio.sleep(0.02)


async def endless_text(wire: Wire) -> None:
    await wire.stream()
    while True:
        await wire.chunk(part(content="and "))
        await asyncio.sleep(0.01)


async def reset_before_headers(wire: Wire) -> None:
    wire.reset()


async def close_before_headers(wire: Wire) -> None:
    wire.cut()


async def reset_in_the_middle(wire: Wire) -> None:
    await wire.stream(HALF)
    await asyncio.sleep(0.05)
    wire.reset()


async def cut_in_the_middle(wire: Wire) -> None:
    await wire.stream(HALF)
    wire.cut()


async def oversize_event(wire: Wire) -> None:
    await wire.stream(HALF, b'data: {"padding": "')
    while True:
        await wire.chunk(b"x" * 65536)


HTML = "<!doctype html>\n<title>Maintenance</title>\n<p>data: soon</p>"
QUOTA = '{"error": {"message": "You exceeded your quota", "type": "insufficient_quota", "code": "insufficient_quota"}}'

FAULTS: dict[str, tuple[Play, type[ModelError], str]] = {
    "429": (responds("429 Too Many", "{}"), ModelRateLimited, "rate_limited"),
    "429 for good": (responds("429 Too Many", QUOTA), ModelRefused, "quota_spent"),
    "500": (responds("500 Oops", "oops"), ModelUnavailable, "server_error"),
    "502": (responds("502 Bad Gateway", HTML, "Content-Type: text/html"), ModelUnavailable, "server_error"),
    "503": (responds("503 Unavailable", "{}"), ModelUnavailable, "server_error"),
    "redirect": (responds("307 Elsewhere", "", "Location: http://127.0.0.1:1/"), ModelUnavailable, "server_error"),
    "400": (responds("400 Bad Request", "{}"), ModelRefused, "bad_request"),
    "401": (responds("401 Unauthorized", "{}"), ModelRefused, "unauthorised"),
    "403": (responds("403 Forbidden", "{}"), ModelRefused, "unauthorised"),
    "404": (responds("404 Not Found", "{}"), ModelRefused, "unknown_model"),
    "hang before headers": (hang_before_headers, ModelTimeout, "first_token"),
    "hang before the first token": (hang_before_the_first_token, ModelTimeout, "first_token"),
    "hang in the middle": (hang_in_the_middle, ModelTimeout, "idle"),
    "trickle of comments": (trickle_of_comments, ModelTimeout, "idle"),
    "reset before headers": (reset_before_headers, ModelConnectionFailed, "reset"),
    "close before headers": (close_before_headers, ModelConnectionFailed, "reset"),
    "RST in the middle": (reset_in_the_middle, ModelStreamBroken, "cut"),
    "FIN without the last chunk": (cut_in_the_middle, ModelStreamBroken, "cut"),
    "clean end without finish": (whole(HALF), ModelStreamBroken, "no_finish"),
    "DONE without finish": (whole(HALF, DONE), ModelStreamBroken, "no_finish"),
    "HTML 200": (responds("200 OK", HTML, "Content-Type: text/html"), ModelStreamBroken, "not_a_stream"),
    "JSON 200": (responds("200 OK", '{"choices": []}'), ModelStreamBroken, "not_a_stream"),
    "malformed JSON": (whole(HALF, b'data: {"choices": [\n\n'), ModelStreamBroken, "not_json"),
    "JSON of no object": (whole(b"data: [1]\n\n"), ModelStreamBroken, "bad_shape"),
    "JSON of great depth": (whole(b"data: " + b"[" * 100_000 + b"\n\n"), ModelStreamBroken, "not_json"),
    "delta of a wrong type": (whole(event(choices=[{"delta": "text"}])), ModelStreamBroken, "bad_shape"),
    "content of a wrong type": (whole(part(content=7), finish()), ModelStreamBroken, "bad_shape"),
    "choices of a wrong type": (whole(event(choices=7)), ModelStreamBroken, "bad_shape"),
    "error event": (whole(HALF, event(error={"message": "Boom"})), ModelStreamBroken, "error_event"),
    "error event in words": (whole(event(error="overloaded")), ModelStreamBroken, "error_event"),
    "error event by status": (whole(event(error={"code": 429})), ModelRateLimited, "rate_limited"),
    "error event by type": (whole(event(error={"type": "server_error"})), ModelUnavailable, "server_error"),
    "choices empty": (whole(event(choices=[]), finish(), DONE), ModelBadOutput, "empty"),
    "choices null": (whole(event(choices=None), finish(), DONE), ModelBadOutput, "empty"),
    "delta null": (whole(event(choices=[{"delta": None}]), finish(), DONE), ModelBadOutput, "empty"),
    "content null": (whole(part(content=None), finish(), DONE), ModelBadOutput, "empty"),
    "only blanks": (whole(part(content=" \n"), finish(), DONE), ModelBadOutput, "empty"),
    "only reasoning": (whole(part(reasoning="Hm"), finish(), DONE), ModelBadOutput, "empty"),
    "half tool call": (whole(tool_call('{"path": "a'), finish("stop"), DONE), ModelBadOutput, "tool_arguments"),
    "tool call of no object": (whole(tool_call("[1]"), finish("stop"), DONE), ModelBadOutput, "tool_arguments"),
    "arguments without a call": (
        whole(part(tool_calls=[{"index": 1, "function": {"arguments": "{}"}}])), ModelStreamBroken, "bad_shape"
    ),
    "length": (whole(HALF, finish("length"), DONE), ModelBadOutput, "cut_at_limit"),
    "content filter": (whole(HALF, finish("content_filter"), DONE), ModelRefused, "content_filter"),
    "refusal": (whole(part(refusal="I can't"), finish(), DONE), ModelRefused, "refusal"),
    "provider out of machines": (whole(HALF, finish("error"), DONE), ModelUnavailable, "server_error"),
    "unknown finish": (whole(HALF, finish("tired"), DONE), ModelStreamBroken, "unknown_finish"),
    "oversize event": (oversize_event, ModelStreamBroken, "event_too_large"),
}  # fmt: skip


@pytest.mark.parametrize(("play", "family", "reason"), FAULTS.values(), ids=FAULTS)
async def test_it_becomes_a_typed_error(
    upstream: Upstream, ask: Ask, play: Play, family: type[ModelError], reason: str
) -> None:
    upstream.plays(play)
    with pytest.raises(family) as caught:
        await collect(ask(timeouts=QUICK if family is ModelTimeout else PATIENT))
    assert caught.value.code == f"model.{reason}"
    assert type(caught.value) is family


async def test_a_refused_connection_is_unreachable(ask: Ask) -> None:
    with pytest.raises(ModelConnectionFailed) as caught:
        await collect(ask(base_url="http://127.0.0.1:1/v1"))
    assert caught.value.code == "model.unreachable"


async def test_a_host_that_does_not_exist_is_unreachable(ask: Ask) -> None:
    with pytest.raises(ModelConnectionFailed, match="unreachable"):
        await collect(ask(base_url="http://nobody.invalid/v1"))


async def test_a_host_that_does_not_take_the_connection_times_out(ask: Ask) -> None:
    with socket.socket() as full, socket.socket() as filler:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        filler.connect(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        with pytest.raises(ModelTimeout, match="connect"):
            await collect(ask(base_url=url, timeouts=Timeouts(connect=0.2)))


async def test_an_endless_answer_ends_at_the_total(upstream: Upstream, ask: Ask) -> None:
    upstream.plays(endless_text)
    with pytest.raises(ModelTimeout, match="total"):
        await collect(ask(timeouts=Timeouts(total=0.2)))


async def test_retry_after_is_handed_on(upstream: Upstream, ask: Ask) -> None:
    upstream.plays(responds("429 Too Many", "{}", "Retry-After: 7"))
    with pytest.raises(ModelRateLimited) as caught:
        await collect(ask())
    assert caught.value.retry_after == 7


async def test_the_providers_words_are_kept_but_not_where_they_may_quote_the_key(upstream: Upstream, ask: Ask) -> None:
    upstream.plays(
        responds("400 Bad Request", '{"error": {"message": "Too hot"}}'),
        responds("401 Unauthorized", '{"error": {"message": "Incorrect key sk-secret"}}'),
    )
    with pytest.raises(ModelRefused, match="Too hot"):
        await collect(ask())
    with pytest.raises(ModelRefused) as caught:
        await collect(ask())
    assert "sk-secret" not in str(caught.value)


async def test_what_arrived_before_the_fault_was_yielded(upstream: Upstream, ask: Ask) -> None:
    upstream.plays(cut_in_the_middle)
    deltas = ask()
    assert await anext(deltas) == ContentDelta("Half an ans")
    with pytest.raises(ModelStreamBroken):
        await anext(deltas)


async def test_harmless_empty_chunks_are_skipped(upstream: Upstream, ask: Ask) -> None:
    harmless = (event(), event(choices=None), event(choices=[]), event(choices=[{"delta": None}]), b"data:\n\n")
    upstream.streams(*harmless, part(content="Hi"), *harmless, finish(), DONE)
    assert ContentDelta("Hi") in await collect(ask())


async def test_nul_and_half_a_character_pass_as_they_are(upstream: Upstream, ask: Ask) -> None:
    upstream.streams(part(content="a\x00b\ud83d"), part(content="\ude00"), finish(), DONE)
    assert (await collect(ask()))[:2] == [ContentDelta("a\x00b\ud83d"), ContentDelta("\ude00")]


async def test_a_fault_after_the_finish_reason_costs_only_the_usage(upstream: Upstream, ask: Ask) -> None:
    async def reset_after_finish(wire: Wire) -> None:
        await wire.stream(part(content="Hi"), finish())
        await asyncio.sleep(0.05)
        wire.reset()

    upstream.plays(reset_after_finish)
    assert len(await collect(ask())) == 2


async def test_nothing_after_done_holds_the_answer(upstream: Upstream, ask: Ask) -> None:
    async def silence(wire: Wire) -> None:
        await wire.stream(part(content="Hi"), finish(), DONE)
        await wire.hang()

    async def comments(wire: Wire) -> None:
        await wire.stream(part(content="Hi"), finish(), DONE)
        while True:
            await wire.chunk(b": keep-alive\n\n")
            await asyncio.sleep(0.02)

    upstream.plays(silence, comments)
    for _ in range(2):
        assert len(await asyncio.wait_for(collect(ask()), PATIENCE_SECONDS)) == 2


@pytest.mark.parametrize("play", [hang_before_headers, hang_in_the_middle, endless_text])
async def test_cancelling_closes_the_connection_at_once(upstream: Upstream, ask: Ask, play: Play) -> None:
    upstream.plays(play)
    reading = asyncio.create_task(collect(ask()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not upstream.received:
            await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.wait_for(upstream.left.wait(), PATIENCE_SECONDS)


async def test_closing_the_generator_closes_the_connection_at_once(upstream: Upstream, ask: Ask) -> None:
    upstream.plays(endless_text)
    async with aclosing(ask()) as deltas:
        await anext(deltas)
    await asyncio.wait_for(upstream.left.wait(), PATIENCE_SECONDS)


async def test_a_timeout_closes_the_connection_too(upstream: Upstream, ask: Ask) -> None:
    upstream.plays(hang_in_the_middle)
    with pytest.raises(ModelTimeout):
        await collect(ask(timeouts=Timeouts(first_token=20, idle=0.3)))
    await asyncio.wait_for(upstream.left.wait(), PATIENCE_SECONDS)


async def collect(deltas: AsyncIterator[Delta]) -> list[Delta]:
    return [delta async for delta in deltas]
