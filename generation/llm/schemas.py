"""JSON schemas as providers with strict output take them: every object closed, every property required."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from pydantic import BaseModel

# Keywords that strict providers refuse; pydantic still checks them on what comes back.
REFUSED = frozenset(
    {"default", "discriminator", "examples", "minLength", "maxLength", "uniqueItems", "minProperties", "maxProperties"}
)
RENAMED = {"oneOf": "anyOf"}
# What Anthropic's schemas do not know: the model is told in words, and pydantic checks it on what comes back.
BOUNDS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "pattern", "format"),
)
NAMED = frozenset({"properties", "$defs"})


@lru_cache(256)
def of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model, closed wherever its objects list their properties. Not to be changed."""
    schema: dict[str, Any] = _close(model.model_json_schema())
    return schema


def is_closed(schema: Any) -> bool:
    """Whether a strict provider can take the schema: no object in it has properties of any name."""
    if isinstance(schema, list):
        return all(map(is_closed, schema))
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object" and schema.get("additionalProperties") is not False:
        return False
    return all(map(is_closed, schema.values()))


def without_bounds(schema: Any) -> Any:
    """The schema with its bounds in the descriptions."""
    if isinstance(schema, list):
        return [without_bounds(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {
        key: {name: without_bounds(part) for name, part in value.items()} if key in NAMED else without_bounds(value)
        for key, value in schema.items()
        if key not in BOUNDS
    }
    if bounds := ", ".join(f"{key}: {schema[key]}" for key in BOUNDS if key in schema):
        kept["description"] = f"{kept.get('description', '')} ({bounds})".strip()
    return kept


def in_words(schema: Mapping[str, Any]) -> str:
    """What is said to a model whose provider takes no schema."""
    return "Answer with one JSON object of this JSON schema:\n" + orjson.dumps(schema, default=dict).decode()


def _close(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_close(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}  # Strict providers allow nothing beside a reference.
    closed = {
        RENAMED.get(key, key): {name: _close(part) for name, part in value.items()} if key in NAMED else _close(value)
        for key, value in schema.items()
        if key not in REFUSED
    }
    if "properties" in closed:
        closed |= {"required": list(closed["properties"]), "additionalProperties": False}
    return closed
