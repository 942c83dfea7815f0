import dataclasses
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from generation.llm.providers import adapter
from generation.llm.specs import ProviderSpec
from generation.llm.values import Delta, Message, ModelRef, ModelRequest, Timeouts
from tests.generation.llm.redis_server import RedisServer
from tests.generation.llm.upstream import Upstream
from tests.generation.llm.wire_formats import CHAT, WireFormat

PATIENT = Timeouts()
REQUEST = ModelRequest((Message("user", "Say hello"),))
# For providers that never come to the point.
QUICK = Timeouts(first_token=0.3, idle=0.3)

Ask = Callable[..., AsyncGenerator[Delta, None]]


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    async with Upstream() as server:
        yield server


@pytest.fixture
def wire_format() -> WireFormat:
    """Tests of what is true of all formats take each of them in its place."""
    return CHAT


@pytest.fixture
def spec(upstream: Upstream, wire_format: WireFormat) -> ProviderSpec:
    return ProviderSpec("test", wire_format.kind, wire_format.address(upstream.url), api_key="sk-secret")


@pytest.fixture
async def ask(spec: ProviderSpec) -> AsyncIterator[Ask]:
    """Asks the upstream through the adapter; keywords change the provider's facts."""
    providers = []

    def stream(
        request: ModelRequest = REQUEST, timeouts: Timeouts = PATIENT, model: str = "some-model", **facts: Any
    ) -> AsyncGenerator[Delta, None]:
        provider = adapter(spec.kind)(dataclasses.replace(spec, **facts))
        providers.append(provider)
        return provider.stream(model, request, timeouts=timeouts, request_id="call-1")

    yield stream
    for provider in providers:
        await provider.close()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may kill."""
    # A socket's path must be short, which pytest's own folders are not.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        server = RedisServer(Path(folder))
        yield server
        server.stop()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        server = RedisServer(Path(folder))
        yield server.url
        server.stop()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def model() -> ModelRef:
    """A model that no other test knows, so that tests can share a Redis."""
    return ModelRef(f"provider-{uuid4().hex}", "m")
