"""What counts as an answer: a finish reason that means "finished", something said, tool arguments that are JSON."""

from collections.abc import Iterable

import orjson

from memory.base.errors import (
    ModelBadOutput,
    ModelError,
    ModelRefused,
    ModelStreamBroken,
    ModelUnavailable,
)

# In the words of every wire format.
FINISHED = frozenset(
    {"stop", "tool_calls", "function_call", "eos", "end_turn", "tool_use", "stop_sequence", "completed"}
)

UNFINISHED: dict[str, tuple[type[ModelError], str]] = {
    "length": (ModelBadOutput, "cut_at_limit"),
    "max_tokens": (ModelBadOutput, "cut_at_limit"),
    "max_output_tokens": (ModelBadOutput, "cut_at_limit"),
    "model_length": (ModelBadOutput, "cut_at_limit"),
    "model_context_window_exceeded": (ModelBadOutput, "cut_at_limit"),
    # A pause that tools of the provider make; we ask it for none, and what was said is no whole answer.
    "pause_turn": (ModelStreamBroken, "no_finish"),
    "content_filter": (ModelRefused, "content_filter"),
    "safety": (ModelRefused, "content_filter"),
    "refusal": (ModelRefused, "refusal"),
    "insufficient_system_resource": (ModelUnavailable, "server_error"),
    "error": (ModelUnavailable, "server_error"),
}


def check_finish(reason: str | None) -> None:
    """Passes a finish reason that means a whole answer; raises what any other one means."""
    if reason is None:
        raise ModelStreamBroken("no_finish")
    if reason not in FINISHED:
        family, code = UNFINISHED.get(reason.lower(), (ModelStreamBroken, "unknown_finish"))
        raise family(code, finish_reason=reason)


def check_arguments(arguments: Iterable[str]) -> None:
    """Passes tool arguments that are JSON objects; a tool without parameters may get the empty text."""
    for text in arguments:
        try:
            whole = isinstance(orjson.loads(text or "{}"), dict)
        except ValueError:
            whole = False
        if not whole:
            raise ModelBadOutput("tool_arguments")
