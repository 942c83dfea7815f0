"""Money and tokens: what a call may cost is reserved in the transaction that inserts it. Spent is a sum of rows.

While a call is open its reservation counts, afterwards what it really used. Locks are taken in the order run, user,
workspace, so that two calls cannot both take the last of a budget and cannot block each other for ever. What open calls
of the same run hold back refuses nothing: it is waited for (`Room`), by calls that hold nothing back themselves.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from generation.models import Run
from memory.base.errors import BudgetHeld, BudgetSpent

ZERO = Decimal(0)
LOOK_SECONDS = 1.0

LOCK = "pg_advisory_xact_lock(hashtextextended(%s, 2))"
# An unknown price adds nothing to the money, and is why tokens have limits of their own.
SPENT = """
SELECT coalesce(sum(CASE state WHEN 'sent' THEN reserved_tokens
                    ELSE coalesce(tokens_in, 0) + coalesce(tokens_out, 0) END), 0),
       coalesce(sum(CASE state WHEN 'sent' THEN coalesce(reserved_usd, 0) ELSE coalesce(cost_usd, 0) END), 0)
FROM generation_call WHERE {which}
"""
HELD = """
SELECT coalesce(sum(reserved_tokens), 0), coalesce(sum(reserved_usd), 0) FROM generation_call WHERE state = 'sent' AND
"""
CALLS_OF_RUN = "run_id IN (SELECT id FROM generation_run WHERE id = %s OR parent_id = %s)"


@dataclass(frozen=True, slots=True)
class Reservation:
    """The most a call can use: tokens in and out, and what they cost (None: the price is not known)."""

    tokens: int
    usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What one budget counts: calls by a condition, against limits of which 0 means none."""

    name: str
    lock: str
    which: str
    params: tuple[Any, ...]
    tokens: int
    usd: float


def scopes(run: Run) -> list[Scope]:
    """The budgets that have a limit, in the order in which their locks are taken."""
    root = run.parent_id or run.id
    every = [
        Scope("run", f"run-{root}", CALLS_OF_RUN, (root, root), settings.BUDGET_RUN_TOKENS, settings.BUDGET_RUN_USD),
        user_day(run.user_id),
        Scope(
            "workspace_day",
            f"workspace-{run.workspace_id}",
            "workspace_id = %s AND created_at >= %s",
            (run.workspace_id, midnight()),
            settings.BUDGET_WORKSPACE_DAY_TOKENS,
            settings.BUDGET_WORKSPACE_DAY_USD,
        ),
    ]
    return [scope for scope in every if scope.tokens or scope.usd]


def midnight() -> datetime:
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)


def user_day(user_id: UUID) -> Scope:
    """What somebody may use in a day."""
    return Scope(
        "user_day",
        f"user-{user_id}",
        "user_id = %s AND created_at >= %s",
        (user_id, midnight()),
        settings.BUDGET_USER_DAY_TOKENS,
        settings.BUDGET_USER_DAY_USD,
    )


def reserve(run: Run, wanted: Reservation) -> None:
    """Pass when every budget still holds the reservation, else raise `budget.run|user_day|workspace_day`: BudgetHeld
    when it would do without what open calls of the same run hold back.

    Call it in the transaction that inserts the Call: the locks it takes end with that transaction.
    """
    limited = scopes(run)
    if not limited:
        return
    for scope, now in zip(limited, spent(limited), strict=True):
        limits = Reservation(scope.tokens, Decimal(str(scope.usd)))
        for unit in ("tokens", "usd"):
            if is_over(now, wanted, limits, unit):
                still_open = held(run.parent_id or run.id)
                without = Reservation(now.tokens - still_open.tokens, (now.usd or ZERO) - (still_open.usd or ZERO))
                facts = refused(scope, unit, now, wanted, limits)
                if is_over(without, wanted, limits, unit):
                    raise BudgetSpent(scope.name, **facts)
                raise BudgetHeld(scope.name, **facts)


def is_over(now: Reservation, wanted: Reservation, limits: Reservation, unit: str) -> bool:
    most = getattr(limits, unit)
    return bool(most) and (getattr(now, unit) or 0) + (getattr(wanted, unit) or 0) > most


def spent(limited: Sequence[Scope]) -> list[Reservation]:
    """Tokens and USD of each scope, under its lock. The locks come first, in a statement of their own: a sum that
    shared theirs would see the rows as they stood before the wait."""
    with connection.cursor() as sql:
        sql.execute("SELECT " + ", ".join([LOCK] * len(limited)), [scope.lock for scope in limited])
        sums = " UNION ALL ".join(f"({SPENT.format(which=scope.which)})" for scope in limited)
        sql.execute(sums, [value for scope in limited for value in scope.params])
        return [Reservation(int(tokens), usd) for tokens, usd in sql.fetchall()]


def held(root: UUID) -> Reservation:
    """What open calls of this run and its children hold back."""
    with connection.cursor() as sql:
        sql.execute(HELD + CALLS_OF_RUN, [root, root])
        tokens, usd = sql.fetchone()
        return Reservation(int(tokens), usd)


def refused(scope: Scope, unit: str, now: Reservation, wanted: Reservation, limits: Reservation) -> dict[str, Any]:
    return {
        "retry_after": None if scope.name == "run" else seconds_to_midnight(timezone.now()),
        "unit": unit,
        "limit": float(getattr(limits, unit)),
        "spent": float(getattr(now, unit) or 0),
        "wanted": float(getattr(wanted, unit) or 0),
    }


def seconds_to_midnight(moment: datetime) -> int:
    return 86_400 - (moment.hour * 3_600 + moment.minute * 60 + moment.second)


class Room:
    """Where calls of one run wait until another has ended: in order, one of them asks at a time."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.ended = 0
        self.ended_at = time.monotonic()
        self.changed = asyncio.Event()

    def tell(self) -> None:
        """A call has ended, and holds nothing back any more."""
        self.ended += 1
        self.ended_at = time.monotonic()
        self.changed.set()

    async def wait(self, seen: int) -> None:
        """Until more than `seen` have ended, or for a moment: what died, or works elsewhere, ends unheard."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                while self.ended == seen:
                    self.changed.clear()
                    await self.changed.wait()

    def is_hopeless(self, since: float) -> bool:
        """Whether nothing has ended for longer than any call may take."""
        return time.monotonic() - max(since, self.ended_at) > settings.MODEL_TIMEOUTS["total"] + settings.LEASE_SECONDS
