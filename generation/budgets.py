"""Money and tokens: what a call may cost is reserved in the transaction that inserts it. Spent is a sum of rows.

While a call is open its reservation counts, afterwards what it really used. Locks are taken in the order run, user,
workspace, so that two calls cannot both take the last of a budget and cannot block each other for ever.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Case, DecimalField, F, IntegerField, Q, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from generation.models import Call, CallState, Run
from memory.base.errors import BudgetSpent

ZERO = Decimal(0)

TOKENS = Case(
    When(state=CallState.SENT, then=F("reserved_tokens")),
    default=Coalesce("tokens_in", 0) + Coalesce("tokens_out", 0),
    output_field=IntegerField(),
)
# An unknown price adds nothing to the money, and is why tokens have limits of their own.
MONEY = Case(
    When(state=CallState.SENT, then=Coalesce("reserved_usd", Value(ZERO))),
    default=Coalesce("cost_usd", Value(ZERO)),
    output_field=DecimalField(max_digits=14, decimal_places=6),
)


@dataclass(frozen=True, slots=True)
class Reservation:
    """The most a call can use: tokens in and out, and what they cost (None: the price is not known)."""

    tokens: int
    usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Scope:
    name: str
    lock: str
    calls: Q
    tokens: int
    usd: float


def scopes(run: Run) -> Iterator[Scope]:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    root = run.parent_id or run.id
    yield Scope(
        "run",
        f"run-{root}",
        Q(run_id=root) | Q(run__parent_id=root),
        settings.BUDGET_RUN_TOKENS,
        settings.BUDGET_RUN_USD,
    )
    yield Scope(
        "user_day",
        f"user-{run.user_id}",
        Q(user_id=run.user_id, created_at__gte=today),
        settings.BUDGET_USER_DAY_TOKENS,
        settings.BUDGET_USER_DAY_USD,
    )
    yield Scope(
        "workspace_day",
        f"workspace-{run.workspace_id}",
        Q(workspace_id=run.workspace_id, created_at__gte=today),
        settings.BUDGET_WORKSPACE_DAY_TOKENS,
        settings.BUDGET_WORKSPACE_DAY_USD,
    )


def reserve(run: Run, wanted: Reservation) -> None:
    """Pass when every budget still holds the reservation, else raise `budget.run|user_day|workspace_day`.

    Call it in the transaction that inserts the Call: the locks it takes end with that transaction.
    """
    for scope in scopes(run):
        if not scope.tokens and not scope.usd:
            continue
        with connection.cursor() as sql:
            sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [scope.lock])
        spent = Call.objects.filter(scope.calls).aggregate(tokens=Sum(TOKENS), usd=Sum(MONEY))
        refuse_over(scope, "tokens", spent["tokens"] or 0, wanted.tokens, scope.tokens)
        refuse_over(scope, "usd", spent["usd"] or ZERO, wanted.usd or ZERO, Decimal(str(scope.usd)))


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
