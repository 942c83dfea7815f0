"""The cases of a portfolio, put in order by people."""

from uuid import UUID

from django.db import transaction

from generation import documents
from generation.models import Document
from generation.portfolios import Portfolio
from memory import history
from memory.base.errors import InvalidInput, NotFound
from memory.history import By
from memory.models import Change, User

STEPS = {"up": -1, "down": 1}


def move(portfolio: Document, case_id: UUID, to: str, user: User) -> list[Change]:
    """Past the next one up or down; at the end of its way it stays. A case in the bin keeps its place for when it comes
    back. Raises `validation.choice`, `not_found.document`."""
    if to not in STEPS:
        raise InvalidInput("choice", field="to", allowed=sorted(STEPS))
    with transaction.atomic():
        history.lock_roots([portfolio.id])
        portfolio.refresh_from_db()
        shown = [str(each.id) for each in Portfolio.of(portfolio).cases]
        if str(case_id) not in shown:
            raise NotFound("document")
        at = shown.index(str(case_id))
        beside = shown[min(max(at + STEPS[to], 0), len(shown) - 1)]
        kept = portfolio.fields.get("cases") or []
        order = [*kept, *(each for each in shown if each not in kept)]
        one, other = order.index(str(case_id)), order.index(beside)
        order[one], order[other] = order[other], order[one]
        return documents.edit(portfolio, {"cases": order}, By.person(user))
