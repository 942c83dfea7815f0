"""Conversations by when something was last said in them: today, yesterday, this week, before."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.timezone import localtime, now
from django.utils.translation import gettext_lazy as _

from chat.models import Session

DAYS: tuple[tuple[int, Promise], ...] = (
    (0, _("Today")),
    (1, _("Yesterday")),
    (7, _("This week")),
    (31, _("This month")),
)
BEFORE = _("Before")


@dataclass(frozen=True)
class Day:
    name: Promise
    sessions: list[Session] = field(default_factory=list)


def of(sessions: Iterable[Session]) -> list[Day]:
    """In their order; a day is named once."""
    found: list[Day] = []
    for session in sessions:
        name = name_of(session)
        if not found or found[-1].name != name:
            found.append(Day(name))
        found[-1].sessions.append(session)
    return found


def name_of(session: Session) -> Promise:
    since = localtime(now()).date() - localtime(session.active_at).date()
    return next((name for days, name in DAYS if since <= timedelta(days=days)), BEFORE)
