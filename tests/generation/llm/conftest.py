import dataclasses
from collections.abc import AsyncIterator, Callable

import pytest

from generation.llm.openai import OpenAIChat
from generation.llm.specs import ProviderSpec
from generation.llm.values import Delta, Message, ModelRequest, Timeouts
from tests.generation.llm.upstream import Upstream

REQUEST = ModelRequest((Message("user", "Say hello"),))
QUICK = Timeouts(connect=1, first_token=0.3, idle=0.3, total=5)

Ask = Callable[..., AsyncIterator[Delta]]


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as server:
        yield server


@pytest.fixture
def spec(upstream: Upstream) -> ProviderSpec:
    return ProviderSpec("test", "openai", upstream.url, api_key="sk-secret")


@pytest.fixture
async def ask(spec: ProviderSpec) -> AsyncIterator[Ask]:
    """Asks the upstream through the adapter; keywords change the provider's facts."""
    providers = []

    def stream(request: ModelRequest = REQUEST, timeouts: Timeouts = QUICK, **facts: object) -> AsyncIterator[Delta]:
        provider = OpenAIChat(dataclasses.replace(spec, **facts))  # type: ignore[arg-type]
        providers.append(provider)
        return provider.stream("some-model", request, timeouts=timeouts, request_id="call-1")

    yield stream
    for provider in providers:
        await provider.close()
