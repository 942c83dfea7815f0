"""What somebody spends on tries, which leave no rows: counted by day in Redis, and held with their calls against the
budget of their day.

What a try may use is set aside before it is asked, so that tries at once never pass the budget together. Where nothing
can be counted, nothing is asked.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import structlog
from redis.asyncio import Redis

from generation import budgets
from generation.budgets import ZERO, Reservation, Scope
from memory.base.database import db
from memory.base.errors import BudgetSpent, ServiceUnavailable
from memory.base.news import AWAY

log = structlog.get_logger()

KEPT_SECONDS = 2 * 86_400
MICROS = 1_000_000


@dataclass(frozen=True)
class Allowance:
    redis: Redis
    user_id: UUID

    @property
    def key(self) -> str:
        return f"tries:{self.user_id}:{budgets.midnight():%Y-%m-%d}"

    async def reserve(self, wanted: Reservation) -> str:
        """Set it aside; where it is kept. Raises `budget.user_day`, and `service.tries` while Redis is away."""
        scope, of_calls = await db(day_of, self.user_id)
        key = self.key
        try:
            of_tries = await self.add(key, wanted)
        except AWAY as error:
            log.warning("tries_uncounted", error=str(error))
            raise ServiceUnavailable("tries", retry_after=1) from None
        before = minus(plus(of_calls, of_tries), wanted)
        limits = Reservation(scope.tokens, Decimal(str(scope.usd)))
        for unit in ("tokens", "usd"):
            if budgets.is_over(before, wanted, limits, unit):
                await self.settle(key, wanted, Reservation(0, ZERO))
                raise BudgetSpent("user_day", **budgets.refused(scope, unit, before, wanted, limits))
        return key

    async def settle(self, key: str, wanted: Reservation, used: Reservation) -> None:
        """Only what was used counts. Without Redis all that was set aside goes on counting, until the day is over."""
        try:
            await self.add(key, minus(used, wanted))
        except AWAY as error:
            log.warning("tries_unsettled", error=str(error))

    async def add(self, key: str, more: Reservation) -> Reservation:
        """What is counted now."""
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.hincrby(key, "tokens", more.tokens)
            pipe.hincrby(key, "micros", round((more.usd or ZERO) * MICROS))
            pipe.expire(key, KEPT_SECONDS)
            tokens, micros, _ = await pipe.execute()
        return Reservation(tokens, Decimal(micros) / MICROS)


def day_of(user_id: UUID) -> tuple[Scope, Reservation]:
    scope = budgets.user_day(user_id)
    return scope, budgets.spent([scope])[0]


def plus(one: Reservation, other: Reservation) -> Reservation:
    return Reservation(one.tokens + other.tokens, (one.usd or ZERO) + (other.usd or ZERO))


def minus(one: Reservation, other: Reservation) -> Reservation:
    return Reservation(one.tokens - other.tokens, (one.usd or ZERO) - (other.usd or ZERO))
