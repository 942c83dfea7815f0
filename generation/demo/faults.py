"""Every way a provider fails, by name: one row of FAULTS says what happens instead of, to or amid an answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn

from generation.demo import spoil
from generation.demo.answer import Answer
from generation.demo.line import BrokenError, Line
from generation.demo.wire import error, packed

KEEP_ALIVE_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response in place of a completion."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong. `midway` acts on the open line after half of the answer, `before` on one without headers."""

    refusal: Refusal | None = None
    before: Callable[[Line], Awaitable[None]] | None = None
    spoil: Callable[[Answer, object], Answer] | None = None
    midway: Callable[[Line], Awaitable[None]] | None = None
    done: bool = True


def _refused(status: int, kind: str, code: str, message: str, **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(Refusal(status, packed(error(message, kind, code)), {"Content-Type": "application/json", **named}))


HTML = b"<!doctype html><html><head><title>Please wait</title></head><body><h1>Checking your browser</h1></body></html>"


async def _silence(line: Line) -> None:
    await line.silence()


async def _reset(line: Line) -> None:
    line.reset()


async def _hang_up(line: Line) -> None:
    line.hang_up()


async def _clean_end(line: Line) -> NoReturn:
    raise BrokenError


async def _bad_json(line: Line) -> None:
    await line.write(b'data: {"choices":[{"index":0,"delta":{"content":"half of a\n\n')


async def _error_event(line: Line) -> NoReturn:
    message = error("The server had an error while processing your request.", "server_error", "server_error")
    await line.write(b"data: " + packed(message) + b"\n\n")
    raise BrokenError


async def _null_fields(line: Line) -> None:
    if line.streaming:
        for choices in (None, [], [{"index": 0, "delta": None, "finish_reason": None}]):
            await line.write(b"data: " + packed({"object": "chat.completion.chunk", "choices": choices}) + b"\n\n")


async def _trickle(line: Line) -> None:
    while True:
        # A space is the keep-alive of a plain JSON body.
        await line.write(b": keep-alive\n\n" if line.streaming else b" ")
        await asyncio.sleep(KEEP_ALIVE_EVERY)


FAULTS: dict[str, Fault] = {
    "rate_limit": _refused(
        429, "requests", "rate_limit_exceeded", "Rate limit reached. Please try again in 200ms.", Retry_After="0.2"
    ),
    "server_error": _refused(500, "server_error", "server_error", "The server had an error."),
    "unavailable": _refused(503, "server_error", "overloaded", "The engine is currently overloaded."),
    "unauthorised": _refused(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "unknown_model": _refused(404, "invalid_request_error", "model_not_found", "The model does not exist."),
    "html": Fault(Refusal(200, HTML, {"Content-Type": "text/html; charset=utf-8"})),
    "hang": Fault(before=_silence),
    "reset": Fault(before=_reset),
    "hang_mid": Fault(midway=_silence),
    "reset_mid": Fault(midway=_reset),
    "cut": Fault(midway=_hang_up),
    "clean_cut": Fault(midway=_clean_end),
    "no_done": Fault(done=False),
    "bad_json": Fault(midway=_bad_json),
    "error_event": Fault(midway=_error_event),
    "null_fields": Fault(midway=_null_fields),
    "trickle": Fault(midway=_trickle),
    "empty": Fault(spoil=spoil.empty),
    "length": Fault(spoil=spoil.length),
    "tool_garbage": Fault(spoil=spoil.tool_garbage),
    "nul": Fault(spoil=spoil.nul),
    "surrogate": Fault(spoil=spoil.surrogate),
    "huge_event": Fault(spoil=spoil.huge_event),
    "refusal": Fault(spoil=spoil.refusal),
    "bad_schema": Fault(spoil=spoil.bad_schema),
    "broken_schema": Fault(spoil=spoil.broken_schema),
}
ALIASES = {
    "429": "rate_limit",
    "500": "server_error",
    "503": "unavailable",
    "401": "unauthorised",
    "404": "unknown_model",
}
NO_FAULT = Fault()


class UnknownFaultError(ValueError):
    """No fault has this name; the message lists those that exist."""


def canonical(name: str) -> str:
    """The exact name of a fault; hyphens and HTTP status codes are accepted. Raises UnknownFaultError."""
    exact = name.strip().lower().replace("-", "_")
    exact = ALIASES.get(exact, exact)
    if exact not in FAULTS:
        raise UnknownFaultError(f"Unknown fault {name!r}; there are: {', '.join(FAULTS)}.")
    return exact
