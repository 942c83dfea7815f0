"""The cases of a portfolio, put in order and removed. What people do to it is one change of the portfolio each."""

from dataclasses import replace
from uuid import UUID

from django.db import transaction

from generation import documents
from generation.models import Document
from generation.portfolios import Portfolio
from memory import history
from memory.base.errors import InvalidInput, NotFound
from memory.base.ids import new_id
from memory.history import By
from memory.models import Change, User

STEPS = {"up": -1, "down": 1}


def move(portfolio: Document, case_id: UUID, to: str, user: User) -> list[Change]:
    """One place up or down; at the end of its way it stays. Raises `validation.choice`, `not_found.document`."""
    if to not in STEPS:
        raise InvalidInput("choice", field="to", allowed=sorted(STEPS))
    with transaction.atomic():
        order = order_of(portfolio, case_id)
        old = order.index(case_id)
        new = min(max(old + STEPS[to], 0), len(order) - 1)
        order.insert(new, order.pop(old))
        return documents.edit(portfolio, {"cases": [str(each) for each in order]}, By.person(user))


def remove(portfolio: Document, case_id: UUID, user: User) -> list[Change]:
    """It goes to the bin and out of the order, in one group: undo brings it back to its place."""
    with transaction.atomic():
        history.lock_roots([portfolio.id, case_id])
        rest = [str(each) for each in order_of(portfolio, case_id) if each != case_id]
        by = replace(By.person(user), group=new_id())
        changes = documents.edit(portfolio, {"cases": rest}, by)
        case = Document.whole().get(id=case_id)
        return [*changes, *history.edit(case, {"present": False}, by, reason="binned")]


def order_of(portfolio: Document, case_id: UUID) -> list[UUID]:
    """As it stands, nobody else changing it. Raises `not_found.document` for a case that is none of it."""
    history.lock_roots([portfolio.id])
    portfolio.refresh_from_db()
    order = [each.id for each in Portfolio.of(portfolio).cases]
    if case_id not in order:
        raise NotFound("document")
    return order
