"""A request in the wire format of OpenAI's Responses."""

from collections.abc import Iterator

from generation.llm import schemas
from generation.llm.chunks import Json
from generation.llm.specs import ProviderSpec
from generation.llm.values import Message, ModelRequest, ToolSpec


def body(model: str, request: ModelRequest, spec: ProviderSpec) -> Json:
    """The body of a streamed request; what was not asked for is left out, so that the provider's defaults hold."""
    wire: Json = {
        "model": model,
        "input": [item for message in request.messages for item in _items(message)],
        "stream": True,
        "store": False,  # what is said here is kept here
    }
    if spec.reasons(model):  # and refuses a temperature
        wire["reasoning"] = {"summary": "auto"}
    elif request.temperature is not None:
        wire["temperature"] = request.temperature
    if request.max_tokens is not None:
        wire["max_output_tokens"] = request.max_tokens
    if request.tools:
        wire["tools"] = [_tool(tool) for tool in request.tools]
    if request.schema is not None:
        _ask_for_json(wire, request, spec)
    return wire


def _ask_for_json(wire: Json, request: ModelRequest, spec: ProviderSpec) -> None:
    schema = request.schema or {}
    if spec.schema == "strict":
        name, closed = request.schema_name or "answer", schemas.is_closed(schema)
        wire["text"] = {"format": {"type": "json_schema", "name": name, "schema": schema, "strict": closed}}
        return
    wire["input"].append({"role": "system", "content": schemas.in_words(schema)})
    if spec.schema == "object":
        wire["text"] = {"format": {"type": "json_object"}}


def _items(message: Message) -> Iterator[Json]:
    """A message is an item, and so is each call in it: without ids, which name what only their store would know."""
    if message.tool_call_id is not None:
        yield {"type": "function_call_output", "call_id": message.tool_call_id, "output": message.content}
        return
    if message.content or not message.tool_calls:
        yield {"role": message.role, "content": message.content}
    for call in message.tool_calls:
        yield {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}


def _tool(tool: ToolSpec) -> Json:
    # Strict is the default there, and would make every parameter a duty.
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", **function, "strict": False}
