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
    """The providers this house can ask, in the order of the table; the demo model only when none is configured."""
    demo = ProviderSpec("demo", "openai", settings.DEMO_BASE_URL, api_key="demo", model="demo")
    found = [spec for known in KNOWN.values() if (spec := _configured(known))] or [demo]
    return [replace(spec, parallel=min(settings.PROVIDER_PARALLEL, spec.parallel)) for spec in found]


def _configured(known: ProviderSpec) -> ProviderSpec | None:
    """With its key, its address and its model; None for one that the environment does not offer."""
    key, url = settings.MODEL_KEYS.get(known.account, ""), settings.MODEL_URLS.get(known.account, "")
    spec = _dialect(known, url) if key or url else None
    if spec is None:
        return None
    model = settings.MODEL_NAMES.get(known.account) or spec.model or known.model
    return replace(spec, name=known.name, base_url=url or known.base_url, api_key=key, model=model)


def _dialect(known: ProviderSpec, url: str) -> ProviderSpec | None:
    """Whoever answers at OPENAI_BASE_URL is called `openai` in chains, and is spoken to as it wants to be; only OpenAI
    itself is asked for Responses there."""
    if not url or known.account != "openai":
        return known
    there = at(url)
    if known.account_of:
        return known if there.name == known.account_of else None
    return there


def load_adapters() -> None:
    """Import what asking a model takes before it is needed; the first call would wait for it."""
    for spec in specs():
        adapter(spec.kind)


def show_rest(model: ModelRef, rests: bool) -> None:
    metrics.breaker_state.labels(str(model)).set(rests)


class Gateway:
    def __init__(self, policy: RetryPolicy | None = None) -> None:
        self.redis = Redis.from_url(settings.REDIS_URL, socket_timeout=settings.REDIS_SOCKET_TIMEOUT)
        self.providers = Providers(specs())
        shared = SharedRedis(self.redis)
        self.breaker = Breaker(shared, tell=show_rest)
        self.router = Router(self.providers, self.breaker, Leases(shared), policy, Timeouts(**settings.MODEL_TIMEOUTS))

    async def close(self) -> None:
        await self.providers.close()
        await self.redis.aclose()
