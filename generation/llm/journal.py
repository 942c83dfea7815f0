"""What the router tells about its work: each attempt before it leaves, each delta, each outcome, each pause."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol

from generation.llm.values import Delta, ModelRef, ModelRequest, Usage
from memory.base.errors import ModelError

Reason = Literal["first", "retry", "next_model", "repair"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to one model: which try of this model it is, and why it was made."""

    model: ModelRef
    try_number: int
    reason: Reason
    because: ModelError | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `error` is None for a whole answer, a ModelError for a failed one, and otherwise
    what ended the call from outside (a cancellation, an error of the journal)."""

    usage: Usage
    error: BaseException | None
    finish_reason: str | None
    first_token_ms: int | None
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Of the list or the title at this path of an answer, so much was kept of so much."""

    path: str
    kept: int
    of: int


class NoRoomYet(Exception):
    """The attempt may not begin now, but perhaps when others have ended."""


class Journal(Protocol):
    """Kept by the caller, who owns the rows; one journal follows one call of the router at a time."""

    async def begin(self, attempt: Attempt, request: ModelRequest) -> str:
        """The request id, given while the lease is held and before the request leaves; raising ends the call.

        Not so NoRoomYet: then the lease goes back, and it is asked again in its `turn`, after each `room`.
        """
        ...

    def turn(self) -> AbstractAsyncContextManager[object]:
        """Held by the one attempt that asks for room, until it has begun: the others wait behind it."""
        ...

    async def room(self) -> None:
        """Until something has changed since `begin` was refused."""
        ...

    def emit(self, delta: Delta) -> None:
        """Called for every delta as it arrives: must be quick."""
        ...

    async def pause(self) -> None:
        """Until the stream may be read on: who writes in ticks has it read just before the next."""
        ...

    async def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        """Called exactly once for every attempt that began, also when it was cancelled."""
        ...

    async def wait(self, attempt: Attempt, error: ModelError, seconds: float) -> None:
        """Told before the router pauses; `attempt` failed with `error`, the same model is tried after `seconds`."""
        ...

    def trimmed(self, cuts: Sequence[Cut]) -> None:
        """Told when an answer said more than was asked for, and what of it was kept."""
        ...
