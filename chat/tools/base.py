"""What a tool is: a plain function. Its name, docstring and signature are what the model is told of it.

Whatever a model does wrong comes back to it as an error that it can correct. A tool runs in the transaction that
records it: what it writes and what is told of it are one, or nothing. A lookup asks outside the house: before that
transaction, with no connection in its hand; it writes nothing, so that it may run twice.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction

from chat.tools.hand import Hand
from generation.llm.values import ToolSpec
from generation.models import Run
from generation.signatures import Signature
from memory.base.errors import ScriptoriumError
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


@dataclass(frozen=True)
class Tool:
    function: Callable[..., Done]
    writes: bool = False

    @cached_property
    def signature(self) -> Signature:
        return Signature(self.function)

    @property
    def name(self) -> str:
        return self.signature.name

    @property
    def spec(self) -> ToolSpec:
        return self.signature.spec

    def use(self, hand: Hand, arguments: str) -> Done:
        """Raises `tool.arguments` for what does not fit, and whatever the tool raises; then nothing is changed."""
        given = self.signature.given(arguments)
        with transaction.atomic():
            return self.function(hand, **given)


@dataclass(frozen=True)
class Lookup:
    """`look` is given the run it is for, the arguments as the model wrote them, and all that the model has been shown.
    It raises `tool.arguments` for what does not fit, and whatever went wrong outside. `is_there`: whether this house is
    set up for it."""

    spec: ToolSpec
    look: Callable[[Run, str, str], Awaitable[Done]]
    is_there: Callable[[], bool]
    writes: ClassVar = False

    @property
    def name(self) -> str:
        return self.spec.name


def refusal(error: ScriptoriumError) -> dict[str, Any]:
    """The error as its model reads it."""
    return {"error": error.code, **error.params}
