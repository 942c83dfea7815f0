"""From words to the calls that wrote them: which run and step, and what was asked there."""

from typing import Any

import structlog
from django.db.models import Q

from generation.models import Call, Section
from memory.base.errors import NotFound
from memory.models import AuthorKind, Change, User

log = structlog.get_logger()

READ_CALLS = "generation.read_call"
MACHINES = (AuthorKind.RECIPE, AuthorKind.TOOL)


def of_section(section: Section) -> dict[str, Any]:
    """Where its words come from, as a filter of calls: `run`, and `step` where it is the step that wrote.

    Raises `not_found.call` when no machine has written in it.
    """
    texts = [path for path in (section.shape.body, "title", "content", "description") if path]
    written = Change.objects.filter(object_id=section.pk, author__in=MACHINES, run_id__isnull=False)
    change = written.filter(path__in=texts).order_by("-version").first() or written.order_by("-version").first()
    if change is None:
        raise NotFound("call")
    return of_change(change)


def of_change(change: Change) -> dict[str, Any]:
    """A tool writes in a step of its own; who wished for it is another step of the run."""
    where: dict[str, Any] = {"run": str(change.run_id)}
    return where if change.author == AuthorKind.TOOL else {**where, "step": change.step}


def may_read(call: Call, by: User) -> bool:
    """Whether this one may read what was sent: it takes the right, and a conversation is its owner's alone. Whose a run
    was that is gone is not known any more."""
    if call.run is None or not by.has_perm(READ_CALLS):
        return False
    return not call.run.is_private or call.run.user_id == by.pk


def readable(by: User) -> Q:
    """The calls of runs that `may_read` allows whoever has the right, as a condition."""
    return Q(run__is_private=False) | Q(run__is_private=True, run__user=by)


def sent(call: Call, by: User) -> list[dict[str, Any]] | None:
    """What was sent to the model, and the look goes into the log; None where it is not kept, or not for them."""
    if call.messages is None or not may_read(call, by):
        return None
    note_look(call, by)
    return list(call.messages)


def note_look(call: Call, by: User) -> None:
    """Who looked into what people gave to a call is in the log."""
    log.info("call_shown", call=str(call.id), by=str(by.pk))


def given_by(call: Call) -> list[str]:
    """The arms that gave it its version and its chain, with their experiments."""
    assignments = (call.assignment, call.chain_assignment)
    return [f"{each.arm.experiment}: {each.arm}" for each in assignments if each]
