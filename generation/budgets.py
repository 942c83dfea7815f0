"""Money and tokens: what a call may cost is reserved in the transaction that inserts it. Spent is a sum of rows.

While a call is open its reservation counts, afterwards what it really used. Locks are taken in the order run, user,
workspace, so that two calls cannot both take the last of a budget and cannot block each other for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from generation.models import Run
from memory.base.errors import BudgetSpent

ZERO = Decimal(0)

LOCK = "pg_advisory_xact_lock(hashtextextended(%s, 2))"
# An unknown price adds nothing to the money, and is why tokens have limits of their own.
SPENT = """
SELECT coalesce(sum(CASE state WHEN 'sent' THEN reserved_tokens
                    ELSE coalesce(tokens_in, 0) + coalesce(tokens_out, 0) END), 0),
       coalesce(sum(CASE state WHEN 'sent' THEN coalesce(reserved_usd, 0) ELSE coalesce(cost_usd, 0) END), 0)
FROM generation_call WHERE {which}
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
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    root = run.parent_id or run.id
    every = [
        Scope("run", f"run-{root}", CALLS_OF_RUN, (root, root), settings.BUDGET_RUN_TOKENS, settings.BUDGET_RUN_USD),
        Scope(
            "user_day",
            f"user-{run.user_id}",
            "user_id = %s AND created_at >= %s",
            (run.user_id, today),
            settings.BUDGET_USER_DAY_TOKENS,
            settings.BUDGET_USER_DAY_USD,
        ),
        Scope(
            "workspace_day",
            f"workspace-{run.workspace_id}",
            "workspace_id = %s AND created_at >= %s",
            (run.workspace_id, today),
            settings.BUDGET_WORKSPACE_DAY_TOKENS,
            settings.BUDGET_WORKSPACE_DAY_USD,
        ),
    ]
    return [scope for scope in every if scope.tokens or scope.usd]


def reserve(run: Run, wanted: Reservation) -> None:
    """Pass when every budget still holds the reservation, else raise `budget.run|user_day|workspace_day`.

    Call it in the transaction that inserts the Call: the locks it takes end with that transaction.
    """
    limited = scopes(run)
    if not limited:
        return
    for scope, (tokens, usd) in zip(limited, spent(limited), strict=True):
        refuse_over(scope, "tokens", tokens, wanted.tokens, scope.tokens)
        refuse_over(scope, "usd", usd, wanted.usd or ZERO, Decimal(str(scope.usd)))


def spent(limited: Sequence[Scope]) -> list[tuple[int, Decimal]]:
    """Tokens and USD of each scope, under its lock. The locks come first, in a statement of their own: a sum that
    shared theirs would see the rows as they stood before the wait."""
    with connection.cursor() as sql:
        sql.execute("SELECT " + ", ".join([LOCK] * len(limited)), [scope.lock for scope in limited])
        sums = " UNION ALL ".join(f"({SPENT.format(which=scope.which)})" for scope in limited)
        sql.execute(sums, [value for scope in limited for value in scope.params])
        return [(int(tokens), usd) for tokens, usd in sql.fetchall()]


def refuse_over(scope: Scope, unit: str, spent: Any, wanted: Any, limit: Any) -> None:
    if limit and spent + wanted > limit:
        raise BudgetSpent(
            scope.name,
            retry_after=None if scope.name == "run" else seconds_to_midnight(timezone.now()),
            unit=unit,
            limit=float(limit),
            spent=float(spent),
            wanted=float(wanted),
        )


def seconds_to_midnight(moment: datetime) -> int:
    return 86_400 - (moment.hour * 3_600 + moment.minute * 60 + moment.second)
