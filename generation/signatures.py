"""A function as a model is told of it: its name, docstring and signature are name, description and JSON schema.

The first parameter is what the function works with, and no business of the model's.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from generation.fields import problems
from generation.llm.values import ToolSpec
from memory.base.errors import InvalidInput, ToolFailed
from memory.base.text import read_json


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Signature:
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        return self.function.__name__

    @cached_property
    def arguments(self) -> type[Arguments]:
        """One field for each parameter after the first, described by its annotation."""
        parameters = list(inspect.signature(self.function, eval_str=True).parameters.values())[1:]
        fields: dict[str, Any] = {
            each.name: (each.annotation, ... if each.default is inspect.Parameter.empty else each.default)
            for each in parameters
        }
        return create_model(self.name, __base__=Arguments, **fields)

    @cached_property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, inspect.cleandoc(self.function.__doc__ or ""), schema_of(self.arguments))

    def given(self, arguments: str) -> dict[str, Any]:
        """What the function is called with, of the JSON that a model wrote. Raises `tool.arguments`."""
        try:
            given = self.arguments.model_validate(read(arguments))
        except ValidationError as error:
            raise ToolFailed("arguments", tool=self.name, problems=problems(error)) from None
        return {name: getattr(given, name) for name in self.arguments.model_fields}


def schema_of(arguments: type[BaseModel]) -> dict[str, Any]:
    """Without the titles that pydantic adds: tokens that say nothing."""
    return untitled(arguments.model_json_schema())


def untitled(schema: Any) -> Any:
    if isinstance(schema, list):
        return [untitled(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if name != "title" or not isinstance(value, str)}
    return {name: untitled(value) for name, value in kept.items()}


def read(arguments: str) -> Any:
    """The JSON that a model wrote, no deeper than any other. Raises `tool.arguments`."""
    try:
        return read_json(arguments or "{}")
    except InvalidInput as error:
        raise ToolFailed("arguments", problems=[{"path": "", "problem": error.code.partition(".")[2]}]) from None
