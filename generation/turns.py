"""The history as its page tells it: turns, newest first. A turn is what was done together: an edit, a run, an undo.

Each change is one row: where, what was there and what is, who, whether it is undone. The number of queries is fixed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from generation import places
from generation.comparisons import DRAWN
from generation.diffs import Diff, diff, glimpse
from generation.models import Document, Section
from generation.paging import parse_cursor
from generation.places import Places
from generation.wording import in_words
from memory import history
from memory.base.errors import InvalidInput
from memory.history import Undone
from memory.models import AuthorKind, Change, Snapshot

TURNS = 15  # on a page
SHOWN = 6  # of a turn
ROWS = 50  # of a turn that is shown alone
# Nobody asks for these of a thing that is new: that it is there says it.
SILENT = Q(version=1) & ~Q(path="present")
LABELS = Section.LABELS
PEOPLE = (AuthorKind.PERSON, AuthorKind.UNDO)
WHO = ("tool", "recipe")


@dataclass(frozen=True)
class Which:
    """What of a history is asked for: of one object, of one turn, by a person, the conversation or the writing."""

    obj: UUID | None = None
    group: UUID | None = None
    who: str = ""

    def of(self, document: Document) -> QuerySet[Change]:
        found = Change.objects.filter(root_id=document.id)
        if self.obj:
            found = found.filter(object_id=self.obj)
        if self.group:
            found = found.filter(group=self.group)
        if self.who in WHO:
            return found.filter(author=self.who)
        return found.filter(author__in=PEOPLE, user=uuid_of(self.who)) if self.who else found

    @property
    def is_all(self) -> bool:
        return not (self.obj or self.group or self.who)


def uuid_of(text: str) -> UUID:
    """Raises `validation.choice`."""
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("choice", field="who", allowed=list(WHO)) from None


@dataclass(frozen=True)
class Row:
    """One change. `said` where there are no words to compare."""

    change: Change
    heading: str
    diff: Diff | None
    said: str
    undo: Change | None  # that stands
    snapshot: UUID | None  # of what stood before its turn
    may_be_undone: bool = True

    @property
    def redo(self) -> UUID | None:
        """What to undo so that it stands again."""
        return self.undo.pk if self.undo and self.undo.undoes_id == self.change.pk else None


@dataclass(frozen=True)
class Turn:
    group: UUID
    heading: str
    who: str
    at: datetime
    run: UUID | None
    rows: list[Row]
    more: int

    @property
    def is_undone(self) -> bool:
        return bool(self.rows) and all(row.undo for row in self.rows)

    @property
    def redo(self) -> UUID | None:
        """The turn that undid this one, if it was one."""
        groups = {row.undo.group for row in self.rows if row.undo}
        return groups.pop() if self.is_undone and len(groups) == 1 else None

    @property
    def is_begin(self) -> bool:
        return not any(row.may_be_undone for row in self.rows)


@dataclass(frozen=True)
class Told:
    """A page of the history."""

    turns: list[Turn]
    cursor: str | None


def page(document: Document, named: Places, which: Which, cursor: str | None = None) -> Told:
    if which.group:
        return one_turn(document, named, which, cursor)
    newest = which.of(document).order_by("group", "-id").distinct("group").values("id")
    heads = Change.objects.filter(id__in=newest).select_related("user").defer("before", "after")
    if cursor:
        heads = heads.filter(id__lt=parse_cursor(cursor))
    found = list(heads.order_by("-id")[: TURNS + 1])
    following = str(found[TURNS - 1].id) if found[TURNS:] else None
    return Told(told(document, named, which, found[:TURNS], SHOWN), following)


def one_turn(document: Document, named: Places, which: Which, cursor: str | None) -> Told:
    """All rows of a turn, from the first on."""
    heads = which.of(document).select_related("user").order_by("-id")[:1]
    turns = told(document, named, which, list(heads), ROWS, parse_cursor(cursor) if cursor else None)
    more = turns[0].rows[-1].change.pk if turns and turns[0].more > 0 and turns[0].rows else None
    return Told(turns, str(more) if more else None)


def told(
    document: Document, named: Places, which: Which, heads: Sequence[Change], most: int, after: UUID | None = None
) -> list[Turn]:
    groups = [head.group for head in heads]
    found = which.of(document).filter(group__in=groups).exclude(SILENT)
    if after:
        found = found.filter(id__gt=after)
    ranked = found.annotate(
        number=Window(RowNumber(), partition_by="group", order_by="id"),
        count=Window(Count("id"), partition_by="group"),
    )
    rows = list(ranked.filter(number__lte=most).select_related("user").order_by("id"))
    reader = Reader.of(document, named, rows, groups)
    by_group: dict[UUID, list[Change]] = {group: [] for group in groups}
    for row in rows:
        by_group[row.group].append(row)
    return [turn(head, by_group[head.group], reader) for head in heads]


def turn(head: Change, rows: Sequence[Any], reader: "Reader") -> Turn:
    return Turn(
        group=head.group,
        heading=heading_of_turn(head, rows, reader.document.id),
        who=who(head),
        at=head.created_at,
        run=head.run_id,
        rows=[reader.row(change) for change in rows if not is_beside(change, rows)],
        more=max(0, rows[0].count - len(rows)) if rows else 0,
    )


def is_beside(change: Change, rows: Sequence[Change]) -> bool:
    """It goes without saying: the new place of what has a new parent, the drawing of what has a new code, the label
    that a new text takes off or brings along."""
    beside = {each.path for each in rows if (each.object_id, each.version) == (change.object_id, change.version)}
    is_place = change.path == "rank" and "parent" in beside
    is_drawing = change.path in DRAWN and "diagram_code" in beside
    is_label = change.path in LABELS and any(path.split("/")[0] not in (*SAID, "status") for path in beside)
    return is_place or is_drawing or is_label


def who(change: Change) -> str:
    if change.author == AuthorKind.TOOL:
        return capfirst(_("the conversation"))
    if change.author == AuthorKind.RECIPE:
        return capfirst(_("the writing"))
    return change.user.name if change.user else capfirst(_("somebody who has left"))


def heading_of_turn(change: Change, rows: Sequence[Change], document_id: UUID) -> str:
    if change.author == AuthorKind.PERSON and rows and is_begin(rows[0]):
        return _("Begun") if rows[0].object_id == document_id else _("Added by hand")
    if change.author == AuthorKind.PERSON:
        return (
            {
                "removed": _("Removed"),
                "proposal": _("A proposal accepted"),
                "restored": _("An earlier state brought back"),
                "binned": _("Put into the bin"),
                "unbinned": _("Taken out of the bin"),
            }.get(change.reason)
            or change.reason
            or _("Changed by hand")
        )
    return {"tool": _("In conversation"), "recipe": _("Written"), "undo": _("Undone")}[change.author]


@dataclass(frozen=True)
class Reader:
    """What rows of a history are told with."""

    document: Document
    places: Places
    undone: Undone
    snapshots: Mapping[tuple[UUID, UUID], UUID]
    begun: Mapping[UUID, str]  # what new objects said at first

    @classmethod
    def of(cls, document: Document, named: Places, rows: Sequence[Change], groups: Sequence[UUID]) -> "Reader":
        saved = Snapshot.objects.filter(root_id=document.id, group__in=groups)
        return cls(
            document,
            named,
            history.undos_in(document.id),
            {(object_id, group): known for known, object_id, group in saved.values_list("id", "object_id", "group")},
            begun([row.object_id for row in rows if is_begin(row)]),
        )

    def row(self, change: Change, whole: bool = False) -> Row:
        words = (in_words(change.before, name_of(change)), in_words(change.after, name_of(change)))
        said = "" if change.path.split("/")[0] not in SAID else say(change)
        if is_begin(change):
            words = ("", self.begun.get(change.object_id, ""))
        compare = diff if whole else glimpse
        return Row(
            change=change,
            heading=self.heading(change),
            diff=compare(*words) if words[0] != words[1] and (not said or is_begin(change)) else None,
            said=said,
            undo=self.undone.of(change),
            snapshot=self.snapshots.get((change.object_id, change.group)),
            may_be_undone=not (is_begin(change) and change.object_id == self.document.id),
        )

    def heading(self, change: Change) -> str:
        place = self.places.name(change.object_id)
        if change.object_id == self.document.id:
            place = _("document") if change.path in SAID else ""
        field = "" if change.path.split("/")[0] in SAID else places.of_path(change.path)
        return capfirst(", ".join(part for part in (place, field) if part))


def is_begin(change: Change) -> bool:
    return change.path == "present" and change.version == 1


def name_of(change: Change) -> str:
    """The field whose value it is; of an item of a list the list."""
    parts = change.path.split("/")
    return parts[-1] if len(parts) % 2 else parts[-2]


def begun(objects: Sequence[UUID]) -> dict[UUID, str]:
    if not objects:
        return {}
    first = Change.objects.filter(object_id__in=objects, version=1).order_by("object_id", "id")
    said: dict[UUID, list[str]] = {}
    for object_id, path, after in first.exclude(path__in=(*SAID, "status", "language", *DRAWN)).values_list(
        "object_id", "path", "after"
    ):
        words = in_words(after, path)
        said.setdefault(object_id, []).insert(0 if path in ("title", "topic") else 9, words)
    return {object_id: "\n".join(words) for object_id, words in said.items()}


# What is told by a sentence: its values would tell nobody anything.
SAID = ("present", "parent", "rank", "locked", "fallback", "folder", *DRAWN)


def say(change: Change) -> str:
    path, is_on = change.path.split("/")[0], bool(change.after)
    if path == "present":
        return _("Added") if is_begin(change) else _("Brought back") if is_on else _("Removed")
    if path == "locked":
        return _("Locked against machines") if is_on else _("Unlocked")
    if path == "fallback":
        return _("Is a stand-in") if is_on else _("Is no stand-in any more")
    if path in DRAWN:
        return _("The diagram was drawn") if is_on else _("The drawing was taken away")
    return _("Put into another folder") if path == "folder" else _("Moved")


def whole(document: Document, change: Change) -> Row:
    """One change with all its words."""
    return Reader.of(document, places.of(document.id), [change], [change.group]).row(change, whole=True)


# --- what stands beside it


def authors(document: Document) -> list[dict[str, Any]]:
    """Who did how many turns, in the order of their number."""
    counted = Change.objects.filter(root_id=document.id).values("author", "user", "user__username", "user__first_name")
    found: dict[str, dict[str, Any]] = {}
    for each in counted.annotate(last_name=F("user__last_name"), turns=Count("group", distinct=True)):
        machine = {"tool": capfirst(_("the conversation")), "recipe": capfirst(_("the writing"))}.get(each["author"])
        full = " ".join(part for part in (each["user__first_name"], each["last_name"]) if part)
        name = machine or full or each["user__username"] or capfirst(_("somebody who has left"))
        key = each["author"] if machine else str(each["user"] or "")
        known = found.setdefault(key, {"key": key, "name": name, "turns": 0})
        known["turns"] += each["turns"]
    return sorted(found.values(), key=lambda each: -each["turns"])
