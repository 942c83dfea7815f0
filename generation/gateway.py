"""This process's way to models: providers from the settings, breaker and leases shared through Redis, one router.

Connections belong to an event loop: a carrier opens a gateway in its loop and closes it there.
"""

from dataclasses import replace

from django.conf import settings
from redis.asyncio import Redis

from generation.llm.breaker import Breaker
from generation.llm.leases import Leases
from generation.llm.providers import Providers, adapter
from generation.llm.retries import RetryPolicy
from generation.llm.router import Router
from generation.llm.shared import SharedRedis
from generation.llm.specs import KNOWN, ProviderSpec, at
from generation.llm.values import ModelRef, Timeouts
from memory.base import metrics


def specs() -> list[ProviderSpec]:
    """The providers this house can ask; the demo model only when no other is configured.

    Whoever answers at OPENAI_BASE_URL is called `openai` in chains, and is spoken to as it wants to be.
    """
    parallel = settings.PROVIDER_PARALLEL
    if not (settings.OPENAI_API_KEY or settings.OPENAI_BASE_URL):
        return [ProviderSpec("demo", "openai", settings.DEMO_BASE_URL, api_key="demo", parallel=parallel)]
    spec = at(settings.OPENAI_BASE_URL or KNOWN["openai"].base_url)
    key = settings.OPENAI_API_KEY or "none"
    return [replace(spec, name="openai", api_key=key, parallel=min(parallel, spec.parallel))]


def load_adapters() -> None:
    """Import what asking a model takes before it is needed; the first call would wait for it."""
    for spec in specs():
        adapter(spec.kind)


def show_rest(model: ModelRef, rests: bool) -> None:
    metrics.breaker_state.labels(str(model)).set(rests)


class Gateway:
    def __init__(self) -> None:
        self.redis = Redis.from_url(settings.REDIS_URL, socket_timeout=settings.REDIS_SOCKET_TIMEOUT)
        self.providers = Providers(specs())
        shared = SharedRedis(self.redis)
        self.breaker = Breaker(shared, tell=show_rest)
        self.router = Router(
            self.providers, self.breaker, Leases(shared), RetryPolicy(), Timeouts(**settings.MODEL_TIMEOUTS)
        )

    async def close(self) -> None:
        await self.providers.close()
        await self.redis.aclose()
