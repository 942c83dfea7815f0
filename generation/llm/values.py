"""What is said to a model and what comes back, as values: equal when their content is equal, without ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model of a provider, written `provider:model`."""

    provider: str
    model: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reference in `provider:model` (the model may hold more colons); ValueError for anything else."""
        provider, _, model = text.strip().partition(":")
        if not provider or not model:
            raise ValueError(f"not a model reference (provider:model): {text!r}")
        return cls(provider, model)

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to use a tool; `arguments` is the JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One request, the same for every provider; `schema` asks for JSON of that schema."""

    messages: tuple[Message, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    schema: Mapping[str, Any] | None = None
    schema_name: str = ""
    tools: tuple[ToolSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request: `cached_in` is a part of `tokens_in`, `reasoning` a part of `tokens_out`."""

    tokens_in: int
    tokens_out: int
    cached_in: int = 0
    reasoning: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class ContentDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCallStart:
    index: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    index: int
    arguments: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """What the provider counted so far; the last report of a stream holds."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Finish:
    """The provider's own finish reason; text ends here, a usage report may still follow."""

    reason: str


Delta = ContentDelta | ReasoningDelta | ToolCallStart | ToolCallDelta | UsageReport | Finish


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, to the first content, between two pieces of content, and for all of it."""

    connect: float = 10
    first_token: float = 60
    idle: float = 30
    total: float = 600


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: it has a finish reason, and content or tool calls with JSON arguments."""

    content: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    usage: Usage
    finish_reason: str
    model: ModelRef
    first_token_ms: int | None
    duration_ms: int
