"""The same answers in each wire format, so that what is true of all adapters is written once."""

import json
from typing import Any, ClassVar, Protocol

from tests.generation.llm.upstream import DONE, event, finish, part

# What each format's counts amount to: of 100 tokens read 60 were cached, of 20 written 5 were thought.
READ, CACHED, WRITTEN, THOUGHT = 100, 60, 20, 5


class WireFormat(Protocol):
    kind: str
    path: str
    begin: tuple[bytes, ...]  # what stands before the first word
    finished: str
    cut_at_limit: str
    filtered: str

    def address(self, url: str) -> str: ...
    def say(self, text: Any) -> bytes: ...
    def think(self, text: str) -> bytes: ...
    def call(self, index: int, call_id: str, name: str) -> bytes: ...
    def argue(self, index: int, text: str) -> bytes: ...
    def end(self, reason: str) -> tuple[bytes, ...]: ...
    def fail(self, kind: str) -> bytes: ...
    def refuse(self, text: str) -> tuple[bytes, ...]: ...


class Chat:
    kind = "openai"
    path = "/v1/chat/completions"
    begin: tuple[bytes, ...] = (part(role="assistant", content=""),)
    finished, cut_at_limit, filtered = "stop", "length", "content_filter"

    def address(self, url: str) -> str:
        return url

    def say(self, text: Any) -> bytes:
        return part(content=text)

    def think(self, text: str) -> bytes:
        return part(reasoning_content=text)

    def call(self, index: int, call_id: str, name: str) -> bytes:
        function = {"name": name, "arguments": ""}
        return part(tool_calls=[{"index": index, "id": call_id, "type": "function", "function": function}])

    def argue(self, index: int, text: str) -> bytes:
        return part(tool_calls=[{"index": index, "function": {"arguments": text}}])

    def end(self, reason: str) -> tuple[bytes, ...]:
        usage = {
            "prompt_tokens": READ,
            "completion_tokens": WRITTEN,
            "prompt_tokens_details": {"cached_tokens": CACHED},
            "completion_tokens_details": {"reasoning_tokens": THOUGHT},
        }
        return finish(reason), event(choices=[], usage=usage), DONE

    def fail(self, kind: str) -> bytes:
        return event(error={"type": kind, "message": "Boom"})

    def refuse(self, text: str) -> tuple[bytes, ...]:
        return part(refusal=text), finish()


class Messages:
    kind = "anthropic"
    path = "/v1/messages"
    begin: tuple[bytes, ...] = (
        event(
            type="message_start",
            message={
                "role": "assistant",
                "content": [],
                "usage": {
                    "input_tokens": READ - CACHED - 10,
                    "cache_creation_input_tokens": 10,
                    "cache_read_input_tokens": CACHED,
                    "output_tokens": 1,
                },
            },
        ),
        b"event: ping\n" + event(type="ping"),
    )
    finished, cut_at_limit, filtered = "end_turn", "max_tokens", "refusal"

    def address(self, url: str) -> str:
        return url.removesuffix("/v1")  # the SDK adds it

    def say(self, text: Any) -> bytes:
        return self._block(0, "text", "text", text)

    def think(self, text: str) -> bytes:
        return self._block(0, "thinking", "thinking", text)

    def call(self, index: int, call_id: str, name: str) -> bytes:
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        return event(type="content_block_start", index=index, content_block=block)

    def argue(self, index: int, text: str) -> bytes:
        return self._delta(index, {"type": "input_json_delta", "partial_json": text})

    def end(self, reason: str) -> tuple[bytes, ...]:
        usage = {"output_tokens": WRITTEN, "output_tokens_details": {"thinking_tokens": THOUGHT}, "input_tokens": None}
        delta = {"stop_reason": reason, "stop_sequence": None}
        return event(type="message_delta", delta=delta, usage=usage), event(type="message_stop")

    def fail(self, kind: str) -> bytes:
        return b"event: error\n" + event(type="error", error={"type": kind, "message": "Boom"})

    def refuse(self, text: str) -> tuple[bytes, ...]:
        details = {"type": "refusal", "category": "bio", "explanation": text}
        return (event(type="message_delta", delta={"stop_reason": "refusal", "stop_details": details}, usage={}),)

    def _block(self, index: int, kind: str, field: str, text: Any) -> bytes:
        """One that begins, grows and stops."""
        start = event(type="content_block_start", index=index, content_block={"type": kind, field: ""})
        delta = self._delta(index, {"type": f"{kind}_delta", field: text})
        return start + delta + event(type="content_block_stop", index=index)

    def _delta(self, index: int, delta: dict[str, Any]) -> bytes:
        return b"event: content_block_delta\n" + event(type="content_block_delta", index=index, delta=delta)


class Responses:
    kind = "responses"
    path = "/v1/responses"
    begin: tuple[bytes, ...] = (
        event(type="response.created", response={"status": "in_progress", "error": None, "usage": None}),
        event(type="response.output_item.added", output_index=0, item={"type": "message", "content": []}),
    )
    finished, cut_at_limit, filtered = "completed", "max_output_tokens", "content_filter"
    INCOMPLETE: ClassVar = {"max_output_tokens", "content_filter", "tired"}

    def address(self, url: str) -> str:
        return url

    def say(self, text: Any) -> bytes:
        return event(type="response.output_text.delta", output_index=0, content_index=0, delta=text)

    def think(self, text: str) -> bytes:
        return event(type="response.reasoning_summary_text.delta", output_index=0, summary_index=0, delta=text)

    def call(self, index: int, call_id: str, name: str) -> bytes:
        item = {"type": "function_call", "id": f"fc_{index}", "call_id": call_id, "name": name, "arguments": ""}
        return event(type="response.output_item.added", output_index=index, item=item)

    def argue(self, index: int, text: str) -> bytes:
        return event(type="response.function_call_arguments.delta", output_index=index, delta=text)

    def end(self, reason: str) -> tuple[bytes, ...]:
        incomplete = reason in self.INCOMPLETE
        response = {
            "status": "incomplete" if incomplete else reason,
            "incomplete_details": {"reason": reason} if incomplete else None,
            "usage": {
                "input_tokens": READ,
                "input_tokens_details": {"cached_tokens": CACHED},
                "output_tokens": WRITTEN,
                "output_tokens_details": {"reasoning_tokens": THOUGHT},
            },
        }
        return (event(type="response.incomplete" if incomplete else "response.completed", response=response),)

    def fail(self, kind: str) -> bytes:
        return event(type="error", code=kind, message="Boom", param=None)

    def refuse(self, text: str) -> tuple[bytes, ...]:
        return event(type="response.refusal.delta", delta=text), *self.end("completed")


CHAT: WireFormat = Chat()
FORMATS: tuple[WireFormat, ...] = (CHAT, Messages(), Responses())


def named(value: object) -> str | None:
    """The name of a format in the name of a test."""
    return type(value).__name__.lower() if isinstance(value, Chat | Messages | Responses) else None


def error_body(kind: str, message: str = "Boom") -> str:
    """As all three say it; Anthropic puts another `type` beside it."""
    return json.dumps({"type": "error", "error": {"type": kind, "message": message}})
