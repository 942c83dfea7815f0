"""What was done last to a document, in a sentence, with what undoes it: the bar at its foot."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.timezone import now
from django.utils.translation import gettext as _

from generation import places, turns
from generation.models import OPEN_STATES, Run, Section
from memory.models import AuthorKind, Change, User

RECENT = timedelta(hours=1)  # what is older is looked for in the history


@dataclass(frozen=True)
class LastChange:
    group: UUID
    said: str
    at: datetime
    is_undo: bool


def of(document_id: UUID, reader: User, shown: Iterable[Section] = ()) -> LastChange | None:
    """None when nothing was done lately, and while a run writes: each of its sentences would be one more.

    `shown`: its sections, where they were read already.
    """
    found = Change.objects.filter(root_id=document_id).defer("before").select_related("user", "undoes").order_by("-id")
    latest = list(found[: turns.SHOWN * 2])
    newest = latest[0] if latest else None
    if newest is None or newest.created_at < now() - RECENT or is_being_written(newest):
        return None
    group = sorted((each for each in latest if each.group == newest.group), key=lambda each: each.pk)
    loud = [each for each in group if each.version > 1 or turns.is_begin(each)]
    if not loud or (loud[0].object_id == document_id and turns.is_begin(loud[0])):
        return None
    said = sentence(newest, reader, what(document_id, loud, shown), loud[0])
    return LastChange(newest.group, said, newest.created_at, newest.author == AuthorKind.UNDO)


def is_being_written(change: Change) -> bool:
    if change.author != AuthorKind.RECIPE or change.run_id is None:
        return False
    return Run.objects.filter(id=change.run_id, claim__state__in=OPEN_STATES).exists()


def what(document_id: UUID, changes: list[Change], shown: Iterable[Section]) -> str:
    rows = [change for change in changes if not turns.is_beside(change, changes)]
    objects = {change.object_id for change in rows}
    if len(objects) > 1:
        return _("several places")
    first, place = rows[0], ""
    if first.object_id != document_id:
        place = places.among(shown).name(first.object_id) or places.of(document_id).name(first.object_id)
    fields = [places.of_path(row.path) for row in rows if row.path.split("/")[0] not in turns.SAID]
    named = fields[0] if len(fields) == 1 and len(rows) == 1 and deed(first) in ("changed", "undo", "redo") else ""
    return ", ".join(part for part in (place, named) if part) or _("the document")


def deed(change: Change) -> str:
    if change.author == AuthorKind.UNDO:
        return "redo" if change.undoes and change.undoes.undoes_id else "undo"
    if change.path == "present":
        return "removed" if change.after is False else "added"
    if change.path == "locked":
        return "locked" if change.after else "unlocked"
    if change.path == "status" and change.after == "approved":
        return "approved"
    return "moved" if change.path in ("parent", "rank") else "changed"


def sentence(change: Change, reader: User, what: str, first: Change) -> str:
    done = deed(first)
    if change.author in turns.PEOPLE and change.user_id == reader.pk:
        said = {
            "undo": _("You undid: %(what)s."),
            "redo": _("You brought back: %(what)s."),
            "removed": _("You removed: %(what)s."),
            "added": _("You added: %(what)s."),
            "moved": _("You moved: %(what)s."),
            "locked": _("You locked: %(what)s."),
            "unlocked": _("You unlocked: %(what)s."),
            "approved": _("You approved: %(what)s."),
            "changed": _("You changed: %(what)s."),
        }[done]
        return said % {"what": what}
    said = {
        "undo": _("%(who)s undid: %(what)s."),
        "redo": _("%(who)s brought back: %(what)s."),
        "removed": _("%(who)s removed: %(what)s."),
        "added": _("%(who)s added: %(what)s."),
        "moved": _("%(who)s moved: %(what)s."),
        "locked": _("%(who)s locked: %(what)s."),
        "unlocked": _("%(who)s unlocked: %(what)s."),
        "approved": _("%(who)s approved: %(what)s."),
        "changed": _("%(who)s changed: %(what)s."),
    }[done]
    return said % {"who": turns.who(change), "what": what}
