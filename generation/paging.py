"""Pages of a list by key, newest first: no page is slower than the first, and none moves when something new comes."""

from typing import TypeVar
from uuid import UUID

from django.db.models import F, Model, QuerySet

from memory.base.errors import InvalidInput

PAGE = 50

M = TypeVar("M", bound=Model)


def page(found: QuerySet[M], cursor: str | None, by: str = "pk") -> tuple[list[M], str | None]:
    """The rows after the cursor, and the cursor of the next page; None on the last. `by`: the time-ordered key."""
    if cursor:
        found = found.filter(**{f"{by}__lt": parse_cursor(cursor)})
    rows = list(found.order_by(F(by).desc())[: PAGE + 1])
    return rows[:PAGE], str(getattr(rows[PAGE - 1], by)) if rows[PAGE:] else None


def parse_cursor(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError:
        raise InvalidInput("cursor") from None
