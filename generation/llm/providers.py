"""Providers by name: a table of data in, adapters out. A new adapter is one file and one line of ADAPTERS."""

from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Protocol

from generation.llm.openai import OpenAIChat
from generation.llm.specs import ProviderSpec
from generation.llm.timers import Pause, at_once
from generation.llm.values import Delta, ModelRequest, Timeouts
from memory.base.errors import ModelRefused


class Provider(Protocol):
    """One verb: stream the deltas of an answer. Knows its wire format and nothing else."""

    spec: ProviderSpec

    def stream(
        self, model: str, request: ModelRequest, *, timeouts: Timeouts, request_id: str, pause: Pause = at_once
    ) -> AsyncGenerator[Delta, None]:
        """Ends normally only after a whole answer; any fault is a ModelError; closing it closes the connection.

        `pause` is awaited between two readings: what comes meanwhile is read together.
        """
        ...

    async def close(self) -> None: ...


ADAPTERS: dict[str, Callable[[ProviderSpec], Provider]] = {
    "openai": OpenAIChat,
}


class Providers:
    """The configured providers. Unknown kinds fail here, when the table is read."""

    def __init__(self, specs: Iterable[ProviderSpec]) -> None:
        self._providers = {spec.name: ADAPTERS[spec.kind](spec) for spec in specs}

    def __getitem__(self, name: str) -> Provider:
        if name not in self._providers:
            raise ModelRefused("unknown_provider", provider=name)
        return self._providers[name]

    def __contains__(self, name: str) -> bool:
        return name in self._providers

    async def close(self) -> None:
        """Closes the connections that the running event loop opened."""
        for provider in self._providers.values():
            await provider.close()
