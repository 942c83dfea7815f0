"""A request in the Chat Completions wire format."""

from generation.llm import schemas
from generation.llm.chunks import Json
from generation.llm.specs import ProviderSpec
from generation.llm.values import Message, ModelRequest, ToolSpec


def body(model: str, request: ModelRequest, spec: ProviderSpec) -> Json:
    """The body of a streamed request; what was not asked for is left out, so that the provider's defaults hold."""
    wire: Json = {"model": model, "messages": [_message(message) for message in request.messages], "stream": True}
    if spec.ask_usage:
        wire["stream_options"] = {"include_usage": True}
    if request.temperature is not None and not spec.reasons(model):  # who reasons refuses one
        wire["temperature"] = request.temperature
    if request.max_tokens is not None:
        wire[spec.limit_field] = request.max_tokens
    if request.tools:
        wire["tools"] = [_tool(tool) for tool in request.tools]
    if request.tools or any(message.tool_calls for message in request.messages):
        wire |= spec.beside_tools
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
    wire["messages"].append({"role": "system", "content": schemas.in_words(request.schema or {})})
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
