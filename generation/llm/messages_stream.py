"""The chunks of a stream of Anthropic's Messages: blocks that begin, grow and stop, and a message around them."""

from generation.llm.chunks import ChunkReader, Json, count
from generation.llm.values import Usage, UsageReport


class MessagesReader(ChunkReader):
    def __init__(self) -> None:
        super().__init__()
        self._open: dict[int, int] = {}
        self._counts: Json = {}

    def _chunk(self, chunk: Json) -> None:
        match chunk.get("type"):
            case "content_block_delta":
                self._delta(chunk["index"], chunk["delta"])
            case "content_block_start" if chunk["content_block"]["type"] == "tool_use":
                block = chunk["content_block"]
                self._open[chunk["index"]] = self._call(block["id"], block["name"])
            case "message_start":
                # No report yet: what it says of the answer is next to nothing, and would stand if the stream were cut.
                self._counts = chunk["message"].get("usage") or {}
            case "message_delta":
                self._message(chunk["delta"])
                if usage := chunk.get("usage"):
                    self._counts |= {name: value for name, value in usage.items() if value is not None}
                    self._deltas.append(UsageReport(_usage(self._counts)))
            case "message_stop":
                self.done = True

    def _delta(self, index: int, delta: Json) -> None:
        match delta["type"]:
            case "text_delta":
                self._say(delta["text"])
            case "thinking_delta":
                self._reason(delta["thinking"])
            case "input_json_delta":
                self._argue(self._open[index], delta["partial_json"])

    def _message(self, delta: Json) -> None:
        reason = delta.get("stop_reason")
        if reason == "refusal":
            self._refuse((delta.get("stop_details") or {}).get("explanation") or reason)
        if reason:
            self._end(reason)


def _usage(wire: Json) -> Usage:
    """Our `tokens_in` are all that was read; theirs are those that no cache had to do with."""
    cached = count(wire.get("cache_read_input_tokens"))
    return Usage(
        tokens_in=count(wire.get("input_tokens")) + count(wire.get("cache_creation_input_tokens")) + cached,
        tokens_out=count(wire.get("output_tokens")),
        cached_in=cached,
        reasoning=count((wire.get("output_tokens_details") or {}).get("thinking_tokens")),
    )
