"""The chunks of a stream become deltas, and at its end a verdict: what is true of them in every wire format."""

import json
from abc import ABC, abstractmethod
from typing import Any

import orjson

from generation.llm.errors import MAX_DETAIL, from_event
from generation.llm.shape import check_arguments, check_finish
from generation.llm.values import ContentDelta, Delta, Finish, ReasoningDelta, ToolCallDelta, ToolCallStart
from memory.base.errors import ModelBadOutput, ModelRefused, ModelStreamBroken

Json = dict[str, Any]


class ChunkReader(ABC):
    """Turns the chunks of one stream into deltas and remembers just enough to judge the whole at its end."""

    def __init__(self) -> None:
        self.finish: str | None = None
        self.done = False
        self._deltas: list[Delta] = []
        self._events = 0
        self._spoke = False
        self._refusal = ""
        self._arguments: list[list[str]] = []

    def read(self, data: bytes) -> list[Delta]:
        """The deltas in the data of one event, none for a harmless empty one.

        Raises `model.not_json`, `model.bad_shape`, or what an error event says.
        """
        self._events += 1
        self._deltas = []
        try:
            self._read(data)
        except (AttributeError, TypeError, LookupError) as wrong:
            raise ModelStreamBroken("bad_shape") from wrong
        return self._deltas

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

    @abstractmethod
    def _chunk(self, chunk: Json) -> None:
        """Says what the chunk holds by the verbs below; may trip over any shape that the format does not have."""

    def _read(self, data: bytes) -> None:
        chunk = _parse(data)
        if chunk.get("error"):
            raise from_event(chunk["error"])
        self._chunk(chunk)

    def _say(self, value: Any) -> None:
        if text(value):
            self._deltas.append(ContentDelta(value))
            self._spoke = self._spoke or not value.isspace()

    def _reason(self, value: Any) -> None:
        if text(value):
            self._deltas.append(ReasoningDelta(value))

    def _refuse(self, value: Any) -> None:
        self._refusal = (self._refusal + text(value))[:MAX_DETAIL]

    def _call(self, call_id: Any, name: Any) -> int:
        """The number of a call that begins here."""
        index = len(self._arguments)
        self._deltas.append(ToolCallStart(index, text(call_id or f"call_{index}"), text(name)))
        self._arguments.append([])
        return index

    def _argue(self, index: int, value: Any) -> None:
        if text(value):
            self._arguments[index].append(value)
            self._deltas.append(ToolCallDelta(index, value))

    def _end(self, reason: Any) -> None:
        self.finish = text(reason)
        self._deltas.append(Finish(self.finish))


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {type(value).__name__}")
    return value


def count(value: Any) -> int:
    """A count that is none is no reason to lose an answer."""
    return value if isinstance(value, int) else 0


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
