from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from generation.llm.breaker import Breaker
from generation.llm.leases import Leases
from generation.llm.providers import Providers
from generation.llm.retries import RetryPolicy
from generation.llm.router import Router
from generation.llm.shared import SharedRedis
from generation.llm.specs import ProviderSpec
from generation.llm.values import ModelRef
from tests.generation.llm.upstream import Upstream

ONE, TWO = ModelRef("one", "m"), ModelRef("two", "m")


@asynccontextmanager
async def routing(
    *,
    one: Upstream,
    two: Upstream,
    shared: SharedRedis | None = None,
    pause: float = 30,
    patience: float = 0,
    parallel: int = 8,
) -> AsyncIterator[Router]:
    """A router over two providers, with retries that do not keep a test waiting."""
    shared = shared or SharedRedis(None)
    providers = Providers(
        ProviderSpec(name, "openai", up.url, parallel=parallel) for name, up in (("one", one), ("two", two))
    )
    policy = RetryPolicy(base=0.01, retry_after_cap=0.05, patience=patience)
    yield Router(providers, Breaker(shared, pause=pause), Leases(shared), policy)
    await providers.close()
