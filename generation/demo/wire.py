"""The bytes of the Chat Completions format. A streamed token costs one escape and two joins, nothing else."""

import json
from collections.abc import Iterable
from json.encoder import encode_basestring
from typing import Any

from generation.demo.answer import ARGUMENTS, CONTENT, REASONING, Answer, Piece

DONE = b"data: [DONE]\n\n"
HOLE = "\x00"


def escaped(text: str) -> bytes:
    """A JSON string in UTF-8; a lone surrogate, having no UTF-8, stays an escape, as broken providers send it."""
    return encode_basestring(text).encode("utf-8", "backslashreplace")


def packed(value: Any) -> bytes:
    """JSON in UTF-8 of values that may hold lone surrogates."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def error(message: str, kind: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """An error as OpenAI words it."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def usage(answer: Answer, tokens_in: int) -> dict[str, Any]:
    """The count of tokens, exact for what is sent."""
    sent = len(answer.pieces)
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": sent,
        "total_tokens": tokens_in + sent,
        "completion_tokens_details": {"reasoning_tokens": answer.count(REASONING)},
    }


class Chunks:
    """The events of one streamed completion, as bytes."""

    def __init__(self, reply: str, model: str, created: int, answer: Answer, *, counts: bool) -> None:
        self._base = {"id": reply, "object": "chat.completion.chunk", "created": created, "model": model}
        self._counts = counts
        self._answer = answer
        self._frames = {(kind, 0): self._frame({kind: HOLE}) for kind in (REASONING, CONTENT)}
        for index in range(len(answer.calls)):
            self._frames[ARGUMENTS, index] = self._frame(_call(index, {"function": {"arguments": HOLE}}))
        self._unopened = dict(enumerate(answer.calls))

    def opening(self) -> bytes:
        """The chunk that names the role."""
        return self._event({"role": "assistant", "content": None if self._answer.calls else ""})

    def tokens(self, batch: Iterable[Piece]) -> bytes:
        """One event per piece; a tool call's name comes right before its first piece."""
        events = []
        for kind, text, call in batch:
            if kind == ARGUMENTS and call in self._unopened:
                events.append(self._call_head(call))
            before, after = self._frames[kind, call]
            events.append(before + escaped(text) + after)
        return b"".join(events)

    def closing(self) -> bytes:
        """The chunk with the finish reason."""
        return self._event({}, self._answer.finish)

    def usage(self, tokens_in: int) -> bytes:
        """The chunk with the usage and no choice; nothing when the client did not ask for it."""
        if not self._counts:
            return b""
        return b"data: " + packed({**self._base, "choices": [], "usage": usage(self._answer, tokens_in)}) + b"\n\n"

    def _call_head(self, index: int) -> bytes:
        call = self._unopened.pop(index)
        head = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        return self._event(_call(index, head))

    def _event(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = {**self._base, "choices": [choice]} | ({"usage": None} if self._counts else {})
        return b"data: " + packed(chunk) + b"\n\n"

    def _frame(self, delta: dict[str, Any]) -> tuple[bytes, bytes]:
        before, _, after = self._event(delta).partition(escaped(HOLE))
        return before, after


def _call(index: int, fields: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **fields}]}


def whole(reply: str, model: str, created: int, answer: Answer, tokens_in: int) -> bytes:
    """A completion in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text(CONTENT), "refusal": None}
    if reasoning := answer.text(REASONING):
        message["reasoning_content"] = reasoning
    if answer.calls:
        message["content"] = message["content"] or None
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": answer.text(ARGUMENTS, i)}}
            for i, call in enumerate(answer.calls)
        ]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish}
    body = {"id": reply, "object": "chat.completion", "created": created, "model": model, "choices": [choice]}
    return packed({**body, "usage": usage(answer, tokens_in)})
