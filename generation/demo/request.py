"""A chat completion request, read and checked once; what follows works on values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

CHARACTERS_PER_TOKEN = 4


class BadRequestError(Exception):
    """The request cannot be served: says which parameter and why."""

    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class Message(NamedTuple):
    """One message, its content flattened to text."""

    role: str
    text: str


class Tool(NamedTuple):
    """A function the model may call."""

    name: str
    description: str
    parameters: Any


@dataclass(frozen=True)
class ChatRequest:
    """What a client asks for. `schema` is None for free text; `digest` is equal for equal questions."""

    model: str
    messages: tuple[Message, ...]
    stream: bool
    counts: bool
    most: int | None
    schema: Any
    tools: tuple[Tool, ...]
    choice: str
    thinks: bool
    digest: str

    @cached_property
    def text(self) -> str:
        """All messages, one after the other."""
        return "\n".join(message.text for message in self.messages)

    @property
    def tokens_in(self) -> int:
        """The size of the prompt, at four characters to a token."""
        return len(self.text) // CHARACTERS_PER_TOKEN + 1

    @property
    def last_user(self) -> str:
        """The last thing the user said."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")


def read(body: bytes) -> ChatRequest:
    """Reads a request body. Raises BadRequestError."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(f"We could not parse the JSON body of your request: {error}") from error
    if not isinstance(fields, dict):
        raise BadRequestError("The body must be a JSON object.")
    if fields.get("n") not in (None, 1):
        raise BadRequestError("This model gives one choice only: 'n' must be 1.", "n")
    model = _field(fields, "model", str)
    return ChatRequest(
        model=model,
        messages=tuple(_message(each) for each in _field(fields, "messages", list)),
        stream=bool(fields.get("stream")),
        counts=bool(_object(fields, "stream_options").get("include_usage")),
        most=_most(fields),
        schema=_schema(_object(fields, "response_format")),
        tools=tuple(_tool(each) for each in (_field(fields, "tools", list) if fields.get("tools") else ())),
        choice=_choice(fields.get("tool_choice")),
        # Who may use tools thinks before.
        thinks="reason" in model or bool(fields.get("tools")) or fields.get("reasoning_effort") not in (None, "none"),
        digest=_digest(fields),
    )


def _field(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    value = fields.get(name)
    if not isinstance(value, kind) or not value:
        raise BadRequestError(f"Missing or invalid parameter: '{name}'.", name)
    return value


def _object(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name) or {}
    if not isinstance(value, dict):
        raise BadRequestError(f"Invalid parameter: '{name}' is an object.", name)
    return value


def _message(value: Any) -> Message:
    if not isinstance(value, dict) or not isinstance(value.get("role"), str):
        raise BadRequestError("Each message needs a role.", "messages")
    content = value.get("content") or ""
    if isinstance(content, list):
        content = "\n".join(part.get("text") or "" for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise BadRequestError("A message's content is a string or a list of parts.", "messages")
    return Message(value["role"], content)


def _most(fields: Mapping[str, Any]) -> int | None:
    most = fields.get("max_completion_tokens") or fields.get("max_tokens")
    if most is not None and (not isinstance(most, int) or most < 1):
        raise BadRequestError("The token limit must be a positive integer.", "max_completion_tokens")
    return most


def _schema(wanted: Mapping[str, Any]) -> Any:
    kind = wanted.get("type", "text")
    if kind == "json_schema":
        return _field(wanted, "json_schema", dict).get("schema", {})
    if kind not in ("json_object", "text"):
        raise BadRequestError(f"Unknown response format: {kind!r}.", "response_format")
    return {"type": "object"} if kind == "json_object" else None


def _tool(value: Any) -> Tool:
    function = value.get("function") if isinstance(value, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise BadRequestError("Each tool needs a function with a name.", "tools")
    return Tool(function["name"], function.get("description") or "", function.get("parameters") or {"type": "object"})


def _choice(value: Any) -> str:
    """`auto`, `none`, `required`, or the name of the one tool to call."""
    if isinstance(value, dict):
        return str(_object(value, "function").get("name", "required"))
    return str(value or "auto")


def _digest(fields: Mapping[str, Any]) -> str:
    asked = {name: fields.get(name) for name in ("messages", "response_format", "tools", "seed")}
    return blake2b(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
