"""A request in the wire format of Anthropic's Messages."""

from collections.abc import Iterator
from typing import Any

import orjson

from generation.llm import schemas
from generation.llm.chunks import Json
from generation.llm.specs import ProviderSpec
from generation.llm.values import Message, ModelRequest, ToolSpec

# The limit is not optional there; this much every model of theirs may say, and it holds what it thinks, too.
MAX_TOKENS = 16_000


def body(model: str, request: ModelRequest, spec: ProviderSpec) -> Json:
    """The body of a streamed request; what was not asked for is left out, so that the provider's defaults hold.

    So is the temperature: since version 2026-10-21 of their API it is an error, whatever the model.
    """
    system = [message.content for message in request.messages if message.role == "system" and message.content]
    wire: Json = {
        "model": model,
        "max_tokens": request.max_tokens or MAX_TOKENS,
        "messages": _turns(request.messages),
        "stream": True,
    }
    if spec.reasons(model):
        # By default what it thinks is withheld, and a reader could not tell a long thought from a dead stream.
        wire["thinking"] = {"type": "adaptive", "display": "summarized"}
    if request.tools:
        wire["tools"] = [_tool(tool) for tool in request.tools]
    if request.schema is not None:
        if spec.schema == "strict" and schemas.is_closed(request.schema):
            wire["output_config"] = {
                "format": {"type": "json_schema", "schema": schemas.without_bounds(request.schema)}
            }
        else:
            system.append(schemas.in_words(request.schema))
    if system:
        wire["system"] = "\n\n".join(system)
    return wire


def _turns(messages: tuple[Message, ...]) -> list[Json]:
    """Turns of user and assistant in blocks; what follows from the same side is one turn, so that all results of an
    answer's calls stand in the turn after it, as they must."""
    turns: list[Json] = []
    for message in messages:
        role = "assistant" if message.role == "assistant" else "user"
        blocks = list(_blocks(message))
        if not blocks:
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: Message) -> Iterator[Json]:
    if message.role == "system":
        return
    if message.tool_call_id is not None:
        yield {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}
    elif message.content.strip():  # a blank text is refused
        yield {"type": "text", "text": message.content}
    for call in message.tool_calls:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call.arguments)}


def _input(arguments: str) -> Json:
    """Arguments go as an object; a model that wrote something else is shown what it wrote."""
    try:
        found: Any = orjson.loads(arguments or "{}")
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"arguments": arguments}


def _tool(tool: ToolSpec) -> Json:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
