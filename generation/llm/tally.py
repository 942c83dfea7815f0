"""One attempt as it grows: its deltas become an answer, its tokens a usage, whatever way it ends."""

from time import monotonic

from generation.llm.journal import Outcome
from generation.llm.usage import estimate_request, estimate_tokens
from generation.llm.values import (
    Answer,
    ContentDelta,
    Delta,
    Finish,
    ModelRef,
    ModelRequest,
    ReasoningDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)
from memory.base.errors import ModelConnectionFailed, ModelRateLimited, ModelRefused, ModelUnavailable

# A provider that failed like this before its first delta has done no work that it bills.
UNBILLED = (ModelConnectionFailed, ModelRateLimited, ModelRefused, ModelUnavailable)


class Tally:
    def __init__(self, model: ModelRef, request: ModelRequest) -> None:
        self._model = model
        self._request = request
        self._started = monotonic()
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[ToolCallStart] = []
        self._arguments: list[list[str]] = []
        self._reported: Usage | None = None
        self._finish: str | None = None
        self._first_token_ms: int | None = None

    def add(self, delta: Delta) -> None:
        if self._first_token_ms is None and not isinstance(delta, Finish | UsageReport):
            self._first_token_ms = self._elapsed()
        match delta:
            case ContentDelta(text):
                self._content.append(text)
            case ReasoningDelta(text):
                self._reasoning.append(text)
            case ToolCallStart():
                self._calls.append(delta)
                self._arguments.append([])
            case ToolCallDelta(index, arguments):
                self._arguments[index].append(arguments)
            case UsageReport(usage):
                self._reported = usage
            case Finish(reason):
                self._finish = reason

    def answer(self) -> Answer:
        """The whole answer; only to be asked for after the stream ended well."""
        return Answer(
            content="".join(self._content),
            reasoning="".join(self._reasoning),
            tool_calls=tuple(
                ToolCall(call.id, call.name, "".join(parts) or "{}")
                for call, parts in zip(self._calls, self._arguments, strict=True)
            ),
            usage=self.usage(None),
            finish_reason=self._finish or "",
            model=self._model,
            first_token_ms=self._first_token_ms,
            duration_ms=self._elapsed(),
        )

    def outcome(self, error: BaseException | None) -> Outcome:
        return Outcome(self.usage(error), error, self._finish, self._first_token_ms, self._elapsed())

    def usage(self, error: BaseException | None) -> Usage:
        """What the provider reported, else an estimate from what was sent and what arrived."""
        if self._reported is not None:
            return self._reported
        if self._first_token_ms is None and self._finish is None and isinstance(error, UNBILLED):
            return Usage(0, 0)
        arguments = (part for parts in self._arguments for part in parts)
        streamed = "".join((*self._content, *self._reasoning, *arguments))
        return Usage(
            tokens_in=estimate_request(self._request),
            tokens_out=estimate_tokens(streamed),
            reasoning=estimate_tokens("".join(self._reasoning)),
            estimated=True,
        )

    def _elapsed(self) -> int:
        return round((monotonic() - self._started) * 1000)
