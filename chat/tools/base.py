"""What a tool is: a plain function. Its name, docstring and signature are what the model is told of it.

Whatever a model does wrong comes back to it as an error that it can correct. A tool runs in the transaction that
records it: what it writes and what is told of it are one, or nothing.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import transaction
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from chat.tools.hand import Hand
from generation.fields import problems
from generation.llm.values import ToolSpec
from memory.base.errors import InvalidInput, ScriptoriumError, ToolFailed
from memory.base.text import read_json
from memory.models import Change


@dataclass(frozen=True)
class Done:
    """What a tool has done: what the model is told, what it is about, the changes it made, the run it began.

    `versions` are those of the objects that the model knows from now on. With an `error` nothing was done.
    """

    told: Mapping[str, Any]
    about: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    run: UUID | None = None
    versions: Mapping[str, int] = field(default_factory=dict)
    error: ScriptoriumError | None = None


class Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Tool:
    function: Callable[..., Done]
    writes: bool = False

    @property
    def name(self) -> str:
        return self.function.__name__

    @cached_property
    def arguments(self) -> type[Arguments]:
        """One field for each parameter after the hand, described by its annotation."""
        parameters = list(inspect.signature(self.function, eval_str=True).parameters.values())[1:]
        fields: dict[str, Any] = {
            each.name: (each.annotation, ... if each.default is inspect.Parameter.empty else each.default)
            for each in parameters
        }
        return create_model(self.name, __base__=Arguments, **fields)

    @cached_property
    def spec(self) -> ToolSpec:
        return ToolSpec(self.name, inspect.cleandoc(self.function.__doc__ or ""), schema_of(self.arguments))

    def use(self, hand: Hand, arguments: str) -> Done:
        """Raises `tool.arguments` for what does not fit, and whatever the tool raises; then nothing is changed."""
        try:
            given = self.arguments.model_validate(read(arguments))
        except ValidationError as error:
            raise ToolFailed("arguments", tool=self.name, problems=problems(error)) from None
        with transaction.atomic():
            return self.function(hand, **{name: getattr(given, name) for name in self.arguments.model_fields})


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


def refusal(error: ScriptoriumError) -> dict[str, Any]:
    """The error as its model reads it."""
    return {"error": error.code, **error.params}
