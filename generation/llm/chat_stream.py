"""The chunks of a Chat Completions stream."""

from generation.llm.chunks import ChunkReader, Json, count, text
from generation.llm.values import Usage, UsageReport


class ChatReader(ChunkReader):
    def __init__(self) -> None:
        super().__init__()
        self._open: dict[int | None, int] = {}
        self._ids: list[str] = []

    def _read(self, data: bytes) -> None:
        if data == b"[DONE]":
            self.done = True
        else:
            super()._read(data)

    def _chunk(self, chunk: Json) -> None:
        choices = chunk.get("choices")
        if choices:
            choice = choices[0]
            if delta := choice.get("delta"):
                self._delta(delta)
            if reason := choice.get("finish_reason"):
                self._end(reason)
        if usage := chunk.get("usage"):
            self._deltas.append(UsageReport(_usage(usage)))

    def _delta(self, delta: Json) -> None:
        if reasoning := delta.get("reasoning_content") or delta.get("reasoning"):
            self._reason(reasoning)
        if content := delta.get("content"):
            self._say(content)
        if refusal := delta.get("refusal"):
            self._refuse(refusal)
        for call in delta.get("tool_calls") or ():
            self._tool_call(call)

    def _tool_call(self, call: Json) -> None:
        """Providers number calls badly (no index, the same index for all): a name with a new id begins a call too."""
        function = call.get("function") or {}
        wire_index, wire_id, name = call.get("index"), call.get("id"), function.get("name")
        index = self._open.get(wire_index)
        if name and (index is None or (wire_id and wire_id != self._ids[index])):
            self._open[wire_index] = self._call(wire_id, name)
            self._ids.append(text(wire_id or ""))
        if arguments := function.get("arguments"):
            self._argue(self._open[wire_index], arguments)


def _usage(wire: Json) -> Usage:
    sent, made = wire.get("prompt_tokens_details") or {}, wire.get("completion_tokens_details") or {}
    return Usage(
        tokens_in=count(wire.get("prompt_tokens")),
        tokens_out=count(wire.get("completion_tokens")),
        cached_in=count(sent.get("cached_tokens")) or count(wire.get("prompt_cache_hit_tokens")),
        reasoning=count(made.get("reasoning_tokens")),
    )
