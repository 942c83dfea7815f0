"""What a request that was admitted holds: one of the places of its process (`config.admission`)."""

from collections.abc import Callable
from contextvars import ContextVar


def nothing() -> None:
    """Who was not admitted, as in a command or a run, holds no place."""


give_back: ContextVar[Callable[[], None]] = ContextVar("give_back", default=nothing)


def wait_outside() -> None:
    """From here on the request waits for other processes, and the next one may come in."""
    give_back.get()()
