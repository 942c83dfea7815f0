"""Providers by name: a table of data in, adapters out. A new adapter is one file and one line of ADAPTERS."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from importlib import import_module
from typing import Protocol

from generation.llm.specs import ProviderSpec
from generation.llm.timers import Pause, at_once
from generation.llm.values import Delta, ModelRequest, Timeouts
from memory.base.errors import ModelRefused


class Provider(Protocol):
    """One verb: stream the deltas of an answer. Knows its wire format and nothing else."""

    def __init__(self, spec: ProviderSpec) -> None: ...

    def stream(
        self, model: str, request: ModelRequest, *, timeouts: Timeouts, request_id: str, pause: Pause = at_once
    ) -> AsyncGenerator[Delta, None]:
        """Ends normally only after a whole answer; any fault is a ModelError; closing it closes the connection.

        `pause` is awaited between two readings: what comes meanwhile is read together.
        """
        ...

    async def close(self) -> None: ...


# Module and class, by name: an SDK takes most of a second to import, and most processes never ask a model.
ADAPTERS = {
    "openai": ("generation.llm.openai", "OpenAIChat"),
    "responses": ("generation.llm.openai", "OpenAIResponses"),
    "anthropic": ("generation.llm.anthropic", "AnthropicMessages"),
}


def adapter(kind: str) -> type[Provider]:
    """Imports it the first time; later it is there at once. From any thread."""
    module, name = ADAPTERS[kind]
    found: type[Provider] = getattr(import_module(module), name)
    return found


class Providers:
    """The configured providers. Unknown kinds fail here, when the table is read."""

    def __init__(self, specs: Iterable[ProviderSpec]) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._open: dict[str, Provider] = {}
        if unknown := {spec.kind for spec in self._specs.values()} - set(ADAPTERS):
            raise KeyError(*unknown)

    def __contains__(self, name: str) -> bool:
        return name in self._specs

    def spec(self, name: str) -> ProviderSpec:
        """Raises `model.refused` (unknown_provider)."""
        if name not in self._specs:
            raise ModelRefused("unknown_provider", provider=name)
        return self._specs[name]

    async def open(self, name: str) -> Provider:
        """The adapter, the same one each time; imported in a thread, so that the loop goes on meanwhile."""
        spec = self.spec(name)
        if name not in self._open:
            made = (await asyncio.to_thread(adapter, spec.kind))(spec)
            self._open.setdefault(name, made)
        return self._open[name]

    async def close(self) -> None:
        """Closes the connections that the running event loop opened."""
        for provider in self._open.values():
            await provider.close()
