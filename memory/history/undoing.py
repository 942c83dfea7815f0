"""Undo: a change forward to what was there before. Alone, in the middle, or all that one group did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from memory.base import paths
from memory.base.errors import Conflict, InvalidInput, NotFound, StaleChange
from memory.base.ids import new_id
from memory.base.paths import State
from memory.history.ground import By, admit, author_of, load, lock_roots, replay
from memory.history.writing import Wish, put_down, write
from memory.models import AuthorKind, Change, Editable, Snapshot, User

TOGETHER = ("parent", "rank")  # a move is both; neither is undone without the other


def undo(change: Change, by: User, through: By | None = None) -> list[Change]:
    """Give the path back what it held before this change, whatever else was changed meanwhile.

    `through`: the run and step in which a tool does it on their behalf, and its group.

    Undoing what is undone already changes nothing. Raises StaleChange `conflict.stale_change` when the path does not
    hold what this change had written, showing what stands in the way.
    """
    with transaction.atomic():
        lock_roots([change.root_id])
        return undo_all(Change.objects.filter(pk__in=going_along(change)), by, through)


def undo_group(group: UUID, by: User) -> list[Change]:
    """Undo all that was done under this group, on all objects, or nothing of it."""
    changes = Change.objects.filter(group=group)
    if not changes.visible(by).exists():
        raise NotFound("group")
    return undo_all(changes, by)


def undo_latest(root: Editable, by: User) -> list[Change]:
    """Undo the newest group of changes in this document that is no undo and not undone.

    What the group did in other documents stays. That this one was begun is not undone here: for that there is the bin.
    Raises `conflict.nothing_to_undo`.
    """
    admit(By.person(by), [root])
    undone = undone_in(root.root_id)  # not locked: who asks twice at once means the same group, and it goes once
    done = Change.objects.filter(root_id=root.root_id).exclude(author=AuthorKind.UNDO)
    newest_first = done.exclude(object_id=root.root_id, version=1).order_by("-id").values_list("id", "group")
    group = next((group for change, group in newest_first if change not in undone), None)
    if group is None:
        raise Conflict("nothing_to_undo")
    return undo_all(Change.objects.filter(group=group, root_id=root.root_id), by)


def undone_in(root_id: UUID) -> set[UUID]:
    """Which changes of this document are undone, with all that went along when what they made went as a whole."""
    changes = Change.objects.filter(root_id=root_id)
    undone = undone_by(changes)
    made = {(each.object_id, each.group) for each in changes.filter(path="present", version=1, pk__in=undone)}
    parts = changes.filter(object_id__in={object_id for object_id, _ in made}) if made else changes.none()
    return undone | {each.pk for each in parts.only("object_id", "group") if (each.object_id, each.group) in made}


@dataclass(frozen=True)
class Undone:
    """What is undone in a document, with the undo that stands, which says who and when."""

    changes: Mapping[UUID, Change]
    wholes: Mapping[tuple[UUID, UUID], Change]  # by object and group: what went because its object did

    def of(self, change: Change) -> Change | None:
        return self.changes.get(change.pk) or self.wholes.get((change.object_id, change.group))


def undos_in(root_id: UUID) -> Undone:
    """As `undone_in`, in one query, with who undid."""
    undos = Change.objects.filter(root_id=root_id).exclude(undoes=None).select_related("user", "undoes")
    standing: dict[UUID, Change] = {}
    known: set[UUID] = set()
    for undo in undos.defer("before", "after", "undoes__before", "undoes__after").order_by("-version"):
        if undo.pk not in known and undo.undoes:
            known.add(undo.undoes.pk)
            standing.setdefault(undo.undoes.pk, undo)
    made = [undo for undo in standing.values() if undo.undoes and is_creation(undo.undoes)]
    return Undone(standing, {(undo.object_id, undo.undoes.group): undo for undo in made if undo.undoes})


def going_along(change: Change) -> list[UUID]:
    """What is undone with it: the other half of a move, all that its group made of a new object, and the labels that
    spoke of its text, where they still say so."""
    beside = Change.objects.filter(object_id=change.object_id, version=change.version).exclude(pk=change.pk)
    if change.path in TOGETHER:
        along = [other.pk for other in beside if other.path in TOGETHER]
    elif is_creation(change):
        along = list(Change.objects.filter(object_id=change.object_id, group=change.group).values_list("pk", flat=True))
    else:
        along = labels_of(change, list(beside))
    return [change.pk, *along]


def labels_of(change: Change, beside: Sequence[Change]) -> list[UUID]:
    """The labels written with this text, unless another text of that writing still stands, or they were changed."""
    named = Editable.types[change.object_type].LABELS
    labels = [other for other in beside if other.path in named]
    texts = [other for other in beside if other.path not in named]
    if change.path in named or not labels or len(standing_undos(texts)) < len(texts):
        return []
    state = load(named_by([change]))[change.object_id].state()
    return [label.pk for label in labels if paths.same(paths.get(state, label.path), label.after)]


def undo_all(chosen: QuerySet[Change], by: User, through: By | None = None) -> list[Change]:
    with transaction.atomic():
        roots = set(chosen.values_list("root_id", flat=True))
        lock_roots(roots)
        changes = list(chosen.filter(root_id__in=roots))  # as they are now that nobody adds to them
        if not changes:
            raise NotFound("object", objects=[])
        objects = load(named_by(changes))
        admit(By.person(by), objects.values())
        undoings = [Undoing(objects[object_id], own) for object_id, own in by_object(changes)]
        undone = standing_undos(changes)
        # What is undone by one of these stands again once that one is taken back, and is taken back after it.
        undone -= {each.undoes_id for each in changes if each.pk not in undone and each.path != "present"}
        for undoing in undoings:
            undoing.plan(undone)
        if obstacles := [obstacle for undoing in undoings for obstacle in undoing.obstacles]:
            raise in_the_way(obstacles, objects)
        try:
            with transaction.atomic():
                written = write_all(undoings, author(by, through), through and through.group or new_id())
        except InvalidInput as error:  # what was, cannot be any more: its place is gone, or its kind has changed
            raise in_the_way(changes, load(named_by(changes)), error.code) from error
        for undoing in undoings:
            undoing.obj.check_room([change for change in written if change.object_id == undoing.obj.pk])
        return written


def author(by: User, through: By | None) -> By:
    return replace(through, kind=AuthorKind.UNDO, user=by) if through else By(AuthorKind.UNDO, by)


def write_all(undoings: Sequence[Undoing], by: By, group: UUID) -> list[Change]:
    """Where things stand is checked when all of them do: in between, two may stand in each other."""
    written = [change for undoing in undoings for change in undoing.write(by, group)]
    for undoing in undoings:
        undoing.check()
    return written


class Undoing:
    """The way back of one object: layers of wishes, one for each version that is taken back, newest first."""

    def __init__(self, obj: Editable, changes: Sequence[Change]) -> None:
        self.obj = obj
        self.changes = sorted(changes, key=lambda change: (change.version, change.id), reverse=True)
        self.state = obj.state()
        self.layers: dict[int, list[Wish]] = {}
        self.obstacles: list[Change] = []

    def plan(self, undone: set[UUID]) -> None:
        standing = [change for change in self.changes if change.pk not in undone]
        created = [change for change in self.changes if is_creation(change)]
        if not created:
            for change in standing:
                self.take_back(change)
        elif created[0] not in standing:
            return
        elif is_result(self.state, reversed(standing)):
            self.take_back(created[0])  # it goes as a whole: its parts stay in it for the redo
        else:
            self.obstacles += created

    def take_back(self, change: Change) -> None:
        if not paths.same(paths.get(self.state, change.path), change.after):
            self.obstacles.append(change)
            return
        try:
            paths.put(self.state, change.path, change.before, change.place)
        except InvalidInput:  # what held it is gone
            self.obstacles.append(change)
            return
        self.layers.setdefault(change.version, []).append(Wish(change.path, change.before, change.place, change))

    def write(self, by: By, group: UUID) -> list[Change]:
        return put_down(self.obj, list(self.layers.values()), by, "", group) if self.layers else []

    def check(self) -> None:
        """Raises InvalidInput unless each path holds just what it held before."""
        if not self.layers:
            return
        self.obj.check_place()
        wanted, stands = self.obj.settled({"present": False, **self.state}), self.obj.state()
        for wish in chain(*self.layers.values()):
            if not paths.same(paths.get(stands, wish.path), paths.get(wanted, wish.path)):
                raise InvalidInput("fields", problems=[{"path": wish.path}])


def is_creation(change: Change) -> bool:
    return change.path == "present" and change.version == 1


def is_result(state: State, changes: Iterable[Change]) -> bool:
    """Whether the object is just what these changes made of nothing."""
    try:
        return paths.same(replay(changes), state)
    except InvalidInput:
        return False


def standing_undos(changes: Iterable[Change]) -> set[UUID]:
    """Which of the changes are undone, by an undo that is not undone itself."""
    objects = {change.object_id for change in changes}
    undos = Change.objects.filter(root_id__in={change.root_id for change in changes}, object_id__in=objects)
    undone = undone_by(undos)
    return {change.pk for change in changes if change.pk in undone}


def undone_by(undos: QuerySet[Change]) -> set[UUID]:
    """What the undos among these undo, as far as they are not undone themselves."""
    undone: set[UUID] = set()
    # An undo is of a later version than what it undoes: newest first, each is decided before what it decides about.
    for undo_id, undoes in undos.exclude(undoes=None).order_by("-version").values_list("id", "undoes_id"):
        if undo_id not in undone and undoes:
            undone.add(undoes)
    return undone


def in_the_way(changes: Iterable[Change], objects: Mapping[UUID, Editable], because: str = "") -> StaleChange:
    shown = [obstacle(change, objects[change.object_id]) for change in changes]
    refusal = StaleChange("stale_change", changes=shown)
    if because:
        refusal.params["because"] = because
    return refusal


def obstacle(change: Change, obj: Editable) -> dict[str, Any]:
    """What a reader needs to decide: the change that was to be undone, and what stands there now."""
    since = Change.objects.filter(object_id=obj.pk, version__gt=change.version).select_related("user")
    if is_creation(change):
        since = since.exclude(group=change.group)
    newest = since.order_by("-version", "-id")
    way = [later for later in newest if is_creation(change) or paths.overlap(later.path, change.path)][:1]
    return {
        "id": str(change.pk),
        "object": {"type": obj.OBJECT, "id": str(obj.pk), "version": obj.version},
        "path": change.path,
        "before": change.before,
        "after": change.after,
        "now": paths.get(obj.state(), change.path),
        "in_the_way": [author_of(later) for later in way],
    }


def restore(saved: Snapshot, by: User) -> list[Change]:
    """Bring the object back to the state it had at this snapshot; what came after stays in the history."""
    with transaction.atomic():
        lock_roots([saved.root_id])
        obj = load({(saved.object_type, saved.object_id)})[saved.object_id]
        admit(By.person(by), [obj])
        current = obj.state()
        wishes = [
            Wish(name, saved.state.get(name))
            for name in sorted({*current, *saved.state})
            if not paths.same(current.get(name), saved.state.get(name))
        ]
        return write(obj, [wishes], By.person(by), "restored", new_id())


def named_by(changes: Iterable[Change]) -> set[tuple[str, UUID]]:
    return {(change.object_type, change.object_id) for change in changes}


def by_object(changes: Iterable[Change]) -> list[tuple[UUID, list[Change]]]:
    own: defaultdict[UUID, list[Change]] = defaultdict(list)
    for change in changes:
        own[change.object_id].append(change)
    return sorted(own.items())
