"""The Chat Completions wire format: a request becomes a body, chunks become deltas."""

import json
from typing import Any

import orjson

from generation.llm import schemas
from generation.llm.errors import from_event
from generation.llm.shape import check_arguments, check_finish
from generation.llm.specs import ProviderSpec
from generation.llm.values import (
    ContentDelta,
    Delta,
    Finish,
    Message,
    ModelRequest,
    ReasoningDelta,
    ToolCallDelta,
    ToolCallStart,
    ToolSpec,
    Usage,
    UsageReport,
)
from memory.base.errors import ModelBadOutput, ModelRefused, ModelStreamBroken

Json = dict[str, Any]


def body(model: str, request: ModelRequest, spec: ProviderSpec) -> Json:
    """The body of a streamed request; what was not asked for is left out, so that the provider's defaults hold."""
    wire: Json = {"model": model, "messages": [_message(message) for message in request.messages], "stream": True}
    if spec.ask_usage:
        wire["stream_options"] = {"include_usage": True}
    if request.temperature is not None:
        wire["temperature"] = request.temperature
    if request.max_tokens is not None:
        wire[spec.limit_field] = request.max_tokens
    if request.tools:
        wire["tools"] = [_tool(tool) for tool in request.tools]
    if request.schema is not None:
        _ask_for_json(wire, request, spec)
    return wire


def _ask_for_json(wire: Json, request: ModelRequest, spec: ProviderSpec) -> None:
    if spec.schema == "strict":
        closed = schemas.is_closed(request.schema)
        schema = {"name": request.schema_name or "answer", "schema": request.schema, "strict": closed}
        wire["response_format"] = {"type": "json_schema", "json_schema": schema}
        return
    # Such a provider does not know the schema unless the conversation holds it.
    text = "Answer with one JSON object of this JSON schema:\n" + orjson.dumps(request.schema).decode()
    wire["messages"].append({"role": "system", "content": text})
    if spec.schema == "object":
        wire["response_format"] = {"type": "json_object"}


def _message(message: Message) -> Json:
    wire: Json = {"role": message.role, "content": message.content}
    if message.tool_calls:
        wire["content"] = message.content or None
        wire["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        wire["tool_call_id"] = message.tool_call_id
    return wire


def _tool(tool: ToolSpec) -> Json:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


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
        self._arguments: list[str] = []

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
        check_arguments(self._arguments)
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
            self._arguments.append("")
            deltas.append(ToolCallStart(index, self._ids[index], _text(name)))
        if arguments := function.get("arguments"):
            self._arguments[self._open[wire_index]] += _text(arguments)
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
    cached = (wire.get("prompt_tokens_details") or {}).get("cached_tokens") or wire.get("prompt_cache_hit_tokens")
    reasoning = (wire.get("completion_tokens_details") or {}).get("reasoning_tokens")
    return Usage(
        tokens_in=wire.get("prompt_tokens") or 0,
        tokens_out=wire.get("completion_tokens") or 0,
        cached_in=cached or 0,
        reasoning=reasoning or 0,
    )
