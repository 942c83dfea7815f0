"""The chunks of a Responses stream: items that grow, and at the end the whole response, of which usage is read."""

from generation.llm.chunks import ChunkReader, Json, count
from generation.llm.errors import from_event
from generation.llm.values import Usage, UsageReport

# Summaries come in parts, each with a heading of its own.
BETWEEN_PARTS = "\n\n"


class ResponsesReader(ChunkReader):
    def __init__(self) -> None:
        super().__init__()
        self._open: dict[int, int] = {}

    def _chunk(self, chunk: Json) -> None:
        match chunk.get("type"):
            case str(kind) if kind.endswith(".delta"):
                self._delta(kind, chunk)
            case "response.output_item.added" if chunk["item"]["type"] == "function_call":
                self._open[chunk["output_index"]] = self._call(chunk["item"]["call_id"], chunk["item"]["name"])
            case "response.reasoning_summary_part.added" if chunk["summary_index"]:
                self._reason(BETWEEN_PARTS)
            case "response.completed" | "response.incomplete":
                self._whole(chunk["response"])
            case "response.failed":
                raise from_event(chunk["response"].get("error"))
            case "error":
                raise from_event(chunk)

    def _delta(self, kind: str, chunk: Json) -> None:
        match kind:
            case "response.output_text.delta":
                self._say(chunk["delta"])
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                self._reason(chunk["delta"])
            case "response.refusal.delta":
                self._refuse(chunk["delta"])
            case "response.function_call_arguments.delta":
                self._argue(self._open[chunk["output_index"]], chunk["delta"])

    def _whole(self, response: Json) -> None:
        """Nothing follows: what has ended well says so, what has not says why."""
        if usage := response.get("usage"):
            self._deltas.append(UsageReport(_usage(usage)))
        self._end((response.get("incomplete_details") or {}).get("reason") or response["status"])
        self.done = True


def _usage(wire: Json) -> Usage:
    return Usage(
        tokens_in=count(wire.get("input_tokens")),
        tokens_out=count(wire.get("output_tokens")),
        cached_in=count((wire.get("input_tokens_details") or {}).get("cached_tokens")),
        reasoning=count((wire.get("output_tokens_details") or {}).get("reasoning_tokens")),
    )
