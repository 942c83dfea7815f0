"""The chunks of a Chat Completions stream become deltas, and at its end a verdict."""

import json
from typing import Any

import orjson

from generation.llm.errors import from_event
from generation.llm.shape import check_arguments, check_finish
from generation.llm.values import (
    ContentDelta,
    Delta,
    Finish,
    ReasoningDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)
from memory.base.errors import ModelBadOutput, ModelRefused, ModelStreamBroken

Json = dict[str, Any]


class ChunkReader:
    """Turns the chunks of one stream into deltas and remembers just enough to judge the whole at its end."""

    def __init__(self) -> None:
        self.finish: str | None = None
        self.done = False
        self._events = 0
        self._spoke = False
        self._refusal = ""
        self._open: dict[int | None, int] = {}
        self._ids: list[str] = []
        self._arguments: list[list[str]] = []

    def read(self, data: bytes) -> list[Delta]:
        """The deltas in the data of one event, none for a harmless empty one.

        Raises `model.not_json`, `model.bad_shape`, or what an error event says.
        """
        self._events += 1
        if data == b"[DONE]":
            self.done = True
            return []
        chunk = _parse(data)
        try:
            if chunk.get("error"):
                raise from_event(chunk["error"])
            return self._chunk(chunk)
        except (AttributeError, TypeError, LookupError) as wrong:
            raise ModelStreamBroken("bad_shape") from wrong

    def check(self) -> None:
        """Passes only what is a whole answer; raises what the stream amounts to otherwise."""
        if not self._events:
            raise ModelStreamBroken("not_a_stream")
        if self._refusal:
            raise ModelRefused("refusal", detail=self._refusal)
        check_finish(self.finish)
        check_arguments(map("".join, self._arguments))
        if not (self._spoke or self._arguments):
            raise ModelBadOutput("empty")

    def _chunk(self, chunk: Json) -> list[Delta]:
        deltas: list[Delta] = []
        choices = chunk.get("choices")
        if choices:
            choice = choices[0]
            if delta := choice.get("delta"):
                self._delta(delta, deltas)
            if reason := choice.get("finish_reason"):
                self.finish = _text(reason)
                deltas.append(Finish(self.finish))
        if usage := chunk.get("usage"):
            deltas.append(UsageReport(_usage(usage)))
        return deltas

    def _delta(self, delta: Json, deltas: list[Delta]) -> None:
        if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
            deltas.append(ReasoningDelta(_text(reasoning)))
        if content := delta.get("content"):
            deltas.append(ContentDelta(_text(content)))
            self._spoke = self._spoke or not content.isspace()
        if refusal := delta.get("refusal"):
            self._refusal = (self._refusal + _text(refusal))[:300]
        for call in delta.get("tool_calls") or ():
            self._tool_call(call, deltas)

    def _tool_call(self, call: Json, deltas: list[Delta]) -> None:
        """Providers number calls badly (no index, the same index for all): a name with a new id begins a call too."""
        function = call.get("function") or {}
        wire_index, wire_id, name = call.get("index"), call.get("id"), function.get("name")
        index = self._open.get(wire_index)
        if name and (index is None or (wire_id and wire_id != self._ids[index])):
            index = self._open[wire_index] = len(self._ids)
            self._ids.append(_text(wire_id or f"call_{index}"))
            self._arguments.append([])
            deltas.append(ToolCallStart(index, self._ids[index], _text(name)))
        if arguments := function.get("arguments"):
            self._arguments[self._open[wire_index]].append(_text(arguments))
            deltas.append(ToolCallDelta(self._open[wire_index], arguments))


def _parse(data: bytes) -> Json:
    try:
        chunk = orjson.loads(data)
    except ValueError:
        chunk = _parse_leniently(data)
    if not isinstance(chunk, dict):
        raise ModelStreamBroken("bad_shape")
    return chunk


def _parse_leniently(data: bytes) -> Any:
    # Providers do send half of a surrogate pair, which orjson refuses; whoever takes the text cleans it.
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as wrong:
        raise ModelStreamBroken("not_json") from wrong


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {type(value).__name__}")
    return value


def _usage(wire: Json) -> Usage:
    sent, made = wire.get("prompt_tokens_details") or {}, wire.get("completion_tokens_details") or {}
    return Usage(
        tokens_in=_count(wire.get("prompt_tokens")),
        tokens_out=_count(wire.get("completion_tokens")),
        cached_in=_count(sent.get("cached_tokens")) or _count(wire.get("prompt_cache_hit_tokens")),
        reasoning=_count(made.get("reasoning_tokens")),
    )


def _count(value: Any) -> int:
    """A count that is none is no reason to lose an answer."""
    return value if isinstance(value, int) else 0
