"""Every way in which a provider is known to fail ends as one typed error, in every wire format (F7 of the matrix)."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress

import pytest

from generation.llm.values import ContentDelta, Delta, Finish, Timeouts, UsageReport
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
from tests.generation.llm.upstream import Play, Upstream, Wire, event, responds, whole
from tests.generation.llm.wire_formats import FORMATS, WireFormat, error_body, named
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.parametrize("wire_format", FORMATS, ids=named)

HALF = "Half an ans"


async def hang_before_headers(wire: Wire) -> None:
    await wire.hang()


def hang_before_the_first_token(form: WireFormat) -> Play:
    return stays_after(*form.begin)


def hang_in_the_middle(form: WireFormat) -> Play:
    return stays_after(*form.begin, form.say(HALF))


def stays_after(*pieces: bytes) -> Play:
    async def play(wire: Wire) -> None:
        await wire.stream(*pieces)
        await wire.hang()

    return play


def trickle_of_comments(form: WireFormat) -> Play:
    return again_and_again(b": keep-alive\n\n", *form.begin, form.say(HALF))


def trickle_of_pings(form: WireFormat) -> Play:
    return again_and_again(b"event: ping\n" + event(type="ping"), *form.begin, form.say(HALF))


def endless_text(form: WireFormat) -> Play:
    return again_and_again(form.say("and "), *form.begin)


def again_and_again(piece: bytes, *before: bytes) -> Play:
    async def play(wire: Wire) -> None:
        await wire.stream(*before)
        while True:
            await wire.chunk(piece)
            await asyncio.sleep(0.01)

    return play


async def reset_before_headers(wire: Wire) -> None:
    wire.reset()


async def close_before_headers(wire: Wire) -> None:
    wire.cut()


def reset_in_the_middle(form: WireFormat) -> Play:
    async def play(wire: Wire) -> None:
        await wire.stream(*form.begin, form.say(HALF))
        await asyncio.sleep(0.05)
        wire.reset()

    return play


def cut_in_the_middle(form: WireFormat) -> Play:
    async def play(wire: Wire) -> None:
        await wire.stream(*form.begin, form.say(HALF))
        wire.cut()

    return play


def oversize_event(form: WireFormat) -> Play:
    async def play(wire: Wire) -> None:
        await wire.stream(*form.begin, form.say(HALF), b'data: {"padding": "')
        while True:
            await wire.chunk(b"x" * 65536)

    return play


HTML = "<!doctype html>\n<title>Maintenance</title>\n<p>data: soon</p>"
QUOTA = '{"error": {"message": "You exceeded your quota", "type": "insufficient_quota", "code": "insufficient_quota"}}'
SPENT = '{"error": {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}}}'

Faults = dict[str, tuple[Play, type[ModelError], str]]

# Before a stream begins, or in what is no stream, all are alike.
ALIKE: Faults = {
    "429": (responds("429 Too Many", "{}"), ModelRateLimited, "rate_limited"),
    "429 in words": (responds("429 Too Many", error_body("rate_limit_error")), ModelRateLimited, "rate_limited"),
    "429 for good": (responds("429 Too Many", QUOTA), ModelRefused, "quota_spent"),
    "429 until next month": (responds("429 Too Many", SPENT), ModelRefused, "quota_spent"),
    "500": (responds("500 Oops", "oops"), ModelUnavailable, "server_error"),
    "502": (responds("502 Bad Gateway", HTML, "Content-Type: text/html"), ModelUnavailable, "server_error"),
    "503": (responds("503 Unavailable", "{}"), ModelUnavailable, "server_error"),
    "504": (responds("504 Too Slow", error_body("timeout_error")), ModelTimeout, "provider"),
    "529": (responds("529 Overloaded", error_body("overloaded_error")), ModelUnavailable, "server_error"),
    "redirect": (responds("307 Elsewhere", "", "Location: http://127.0.0.1:1/"), ModelUnavailable, "server_error"),
    "400": (responds("400 Bad Request", error_body("invalid_request_error")), ModelRefused, "bad_request"),
    "401": (responds("401 Unauthorized", error_body("authentication_error")), ModelRefused, "unauthorised"),
    "402": (responds("402 Pay First", error_body("billing_error")), ModelRefused, "quota_spent"),
    "403": (responds("403 Forbidden", error_body("permission_error")), ModelRefused, "unauthorised"),
    "404": (responds("404 Not Found", error_body("not_found_error")), ModelRefused, "unknown_model"),
    "413": (responds("413 Too Large", error_body("request_too_large")), ModelRefused, "too_long"),
    "hang before headers": (hang_before_headers, ModelTimeout, "first_token"),
    "reset before headers": (reset_before_headers, ModelConnectionFailed, "reset"),
    "close before headers": (close_before_headers, ModelConnectionFailed, "reset"),
    "HTML 200": (responds("200 OK", HTML, "Content-Type: text/html"), ModelStreamBroken, "not_a_stream"),
    "JSON 200": (responds("200 OK", '{"choices": []}'), ModelStreamBroken, "not_a_stream"),
    "nothing": (whole(), ModelStreamBroken, "not_a_stream"),
    "malformed JSON": (whole(b'data: {"choices": [\n\n'), ModelStreamBroken, "not_json"),
    "JSON of no object": (whole(b"data: [1]\n\n"), ModelStreamBroken, "bad_shape"),
    "JSON of great depth": (whole(b"data: " + b"[" * 100_000 + b"\n\n"), ModelStreamBroken, "not_json"),
    "error event by status": (whole(event(error={"code": 429})), ModelRateLimited, "rate_limited"),
    "error event in words": (whole(event(error="overloaded")), ModelStreamBroken, "error_event"),
}

# In its stream each says it its own way.
IN_A_STREAM: dict[str, tuple[Callable[[WireFormat], Play], type[ModelError], str]] = {
    "hang before the first token": (hang_before_the_first_token, ModelTimeout, "first_token"),
    "hang in the middle": (hang_in_the_middle, ModelTimeout, "idle"),
    "trickle of comments": (trickle_of_comments, ModelTimeout, "idle"),
    "trickle of pings": (trickle_of_pings, ModelTimeout, "idle"),
    "RST in the middle": (reset_in_the_middle, ModelStreamBroken, "cut"),
    "FIN without the last chunk": (cut_in_the_middle, ModelStreamBroken, "cut"),
    "oversize event": (oversize_event, ModelStreamBroken, "event_too_large"),
    "clean end without finish": (lambda form: whole(*form.begin, form.say(HALF)), ModelStreamBroken, "no_finish"),
    "malformed JSON in the middle": (
        lambda form: whole(form.say(HALF), b'data: {"type": \n\n'), ModelStreamBroken, "not_json"
    ),
    "text of a wrong type": (
        lambda form: whole(form.say(7), *form.end(form.finished)), ModelStreamBroken, "bad_shape"
    ),
    "overloaded in the middle": (
        lambda form: whole(form.say(HALF), form.fail("overloaded_error")), ModelUnavailable, "server_error"
    ),
    "fault in the middle": (
        lambda form: whole(form.say(HALF), form.fail("server_error")), ModelUnavailable, "server_error"
    ),
    "fault of the API in the middle": (
        lambda form: whole(form.say(HALF), form.fail("api_error")), ModelUnavailable, "server_error"
    ),
    "limit in the middle": (
        lambda form: whole(form.say(HALF), form.fail("rate_limit_error")), ModelRateLimited, "rate_limited"
    ),
    "error nobody knows": (lambda form: whole(form.say(HALF), form.fail("odd")), ModelStreamBroken, "error_event"),
    "nothing said": (lambda form: whole(*form.begin, *form.end(form.finished)), ModelBadOutput, "empty"),
    "only blanks": (lambda form: whole(form.say(" \n"), *form.end(form.finished)), ModelBadOutput, "empty"),
    "only reasoning": (lambda form: whole(form.think("Hm"), *form.end(form.finished)), ModelBadOutput, "empty"),
    "half tool call": (
        lambda form: whole(form.call(0, "1", "edit"), form.argue(0, '{"path": "a'), *form.end(form.finished)),
        ModelBadOutput, "tool_arguments",
    ),
    "tool call of no object": (
        lambda form: whole(form.call(0, "1", "edit"), form.argue(0, "[1]"), *form.end(form.finished)),
        ModelBadOutput, "tool_arguments",
    ),
    "arguments without a call": (lambda form: whole(form.argue(1, "{}")), ModelStreamBroken, "bad_shape"),
    "length": (
        lambda form: whole(form.say(HALF), *form.end(form.cut_at_limit)), ModelBadOutput, "cut_at_limit"
    ),
    "refusal": (lambda form: whole(*form.refuse("I can't")), ModelRefused, "refusal"),
    "refusal after some words": (lambda form: whole(form.say(HALF), *form.refuse("No.")), ModelRefused, "refusal"),
    "unknown finish": (lambda form: whole(form.say(HALF), *form.end("tired")), ModelStreamBroken, "unknown_finish"),
}  # fmt: skip


@pytest.mark.parametrize(("play", "family", "reason"), ALIKE.values(), ids=ALIKE)
async def test_it_becomes_a_typed_error(
    upstream: Upstream, ask: Ask, play: Play, family: type[ModelError], reason: str
) -> None:
    upstream.plays(play)
    with pytest.raises(family) as caught:
        await collect(ask(timeouts=QUICK if family is ModelTimeout else PATIENT))
    assert caught.value.code == f"model.{reason}"
    assert type(caught.value) is family


@pytest.mark.parametrize(("play", "family", "reason"), IN_A_STREAM.values(), ids=IN_A_STREAM)
async def test_in_a_stream_it_becomes_a_typed_error_too(
    upstream: Upstream,
    ask: Ask,
    wire_format: WireFormat,
    play: Callable[[WireFormat], Play],
    family: type[ModelError],
    reason: str,
) -> None:
    upstream.plays(play(wire_format))
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


async def test_an_endless_answer_ends_at_the_total(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    upstream.plays(endless_text(wire_format))
    with pytest.raises(ModelTimeout, match="total"):
        await collect(ask(timeouts=Timeouts(total=0.2)))


async def test_retry_after_is_handed_on(upstream: Upstream, ask: Ask) -> None:
    upstream.plays(responds("429 Too Many", "{}", "Retry-After: 7"), responds("529 Overloaded", "{}", "Retry-After: 8"))
    for family, seconds in ((ModelRateLimited, 7), (ModelUnavailable, 8)):
        with pytest.raises(family) as caught:
            await collect(ask())
        assert caught.value.retry_after == seconds
    assert len(upstream.received) == 2  # nobody else tries again


async def test_the_providers_words_are_kept_but_not_where_they_may_quote_the_key(upstream: Upstream, ask: Ask) -> None:
    upstream.plays(
        responds("400 Bad Request", error_body("invalid_request_error", "Too hot")),
        responds("401 Unauthorized", error_body("authentication_error", "Incorrect key sk-secret")),
    )
    with pytest.raises(ModelRefused, match="Too hot"):
        await collect(ask())
    with pytest.raises(ModelRefused) as caught:
        await collect(ask())
    assert "sk-secret" not in f"{caught.value} {caught.value!r} {caught.value.params}"


async def test_why_it_refused_is_kept(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    upstream.streams(wire_format.say("Well, "), *wire_format.refuse("I will not."))
    with pytest.raises(ModelRefused) as caught:
        await collect(ask())
    assert caught.value.params["detail"] == "I will not."


async def test_what_arrived_before_the_fault_was_yielded(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    upstream.plays(cut_in_the_middle(wire_format))
    deltas = ask()
    assert await anext(deltas) == ContentDelta(HALF)
    with pytest.raises(ModelStreamBroken):
        await anext(deltas)


async def test_a_cut_stream_has_reported_no_usage(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    upstream.plays(cut_in_the_middle(wire_format))
    seen: list[Delta] = []
    with suppress(ModelStreamBroken):
        async for delta in ask():
            seen.append(delta)  # noqa: PERF401 - what came before the fault is kept
    assert not [delta for delta in seen if isinstance(delta, UsageReport)]  # so it is estimated by what arrived


async def test_harmless_chunks_are_skipped(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    harmless = (event(), event(type="news"), event(choices=[]), event(type="response.queued"), b"data:\n\n")
    upstream.streams(
        *harmless, wire_format.say(""), wire_format.say("Hi"), *harmless, *wire_format.end(wire_format.finished)
    )
    texts = [delta for delta in await collect(ask()) if isinstance(delta, ContentDelta)]
    assert texts == [ContentDelta("Hi")]


async def test_nul_and_half_a_character_pass_as_they_are(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    halves = ("a\x00b\ud83d", "\ude00")
    upstream.streams(*map(wire_format.say, halves), *wire_format.end(wire_format.finished))
    assert (await collect(ask()))[:2] == [ContentDelta(half) for half in halves]


async def test_a_fault_after_the_finish_reason_costs_only_the_rest(
    upstream: Upstream, ask: Ask, wire_format: WireFormat
) -> None:
    async def reset_after_finish(wire: Wire) -> None:
        await wire.stream(wire_format.say("Hi"), wire_format.end(wire_format.finished)[0])
        await asyncio.sleep(0.05)
        wire.reset()

    upstream.plays(reset_after_finish)
    assert Finish(wire_format.finished) in await collect(ask())


async def test_nothing_after_the_end_holds_the_answer(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    whole_answer = (wire_format.say("Hi"), *wire_format.end(wire_format.finished))
    upstream.plays(stays_after(*whole_answer), again_and_again(b": keep-alive\n\n", *whole_answer))
    for _ in range(2):
        deltas = await asyncio.wait_for(collect(ask()), PATIENCE_SECONDS)
        assert deltas[0] == ContentDelta("Hi")


@pytest.mark.parametrize("play", [lambda form: hang_before_headers, hang_in_the_middle, endless_text])
async def test_cancelling_closes_the_connection_at_once(
    upstream: Upstream, ask: Ask, wire_format: WireFormat, play: Callable[[WireFormat], Play]
) -> None:
    upstream.plays(play(wire_format))
    reading = asyncio.create_task(collect(ask()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not upstream.received:
            await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.wait_for(upstream.left.wait(), PATIENCE_SECONDS)


async def test_closing_the_generator_closes_the_connection_at_once(
    upstream: Upstream, ask: Ask, wire_format: WireFormat
) -> None:
    upstream.plays(endless_text(wire_format))
    async with aclosing(ask()) as deltas:
        await anext(deltas)
    await asyncio.wait_for(upstream.left.wait(), PATIENCE_SECONDS)


async def test_a_timeout_closes_the_connection_too(upstream: Upstream, ask: Ask, wire_format: WireFormat) -> None:
    upstream.plays(hang_in_the_middle(wire_format))
    with pytest.raises(ModelTimeout):
        await collect(ask(timeouts=Timeouts(first_token=20, idle=0.3)))
    await asyncio.wait_for(upstream.left.wait(), PATIENCE_SECONDS)


async def collect(deltas: AsyncIterator[Delta]) -> list[Delta]:
    return [delta async for delta in deltas]
