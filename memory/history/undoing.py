"""Undo: a change forward to what was there before. Alone, in the middle, or all that one group did."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from memory.base import paths
from memory.base.errors import InvalidInput, NotFound, StaleChange
from memory.base.ids import new_id
from memory.history.ground import By, admit, author_of, load, lock_roots
from memory.history.writing import Wish, write
from memory.models import AuthorKind, Change, Editable, Snapshot, User

TOGETHER = ("parent", "rank")  # a move is both; neither is undone without the other


def undo(change: Change, by: User) -> list[Change]:
    """Give the path back what it held before this change, whatever else was changed meanwhile.

    Undoing what is undone already changes nothing. Raises StaleChange `conflict.stale_change` when the path does not
    hold what this change had written, showing what stands in the way.
    """
    moved = Q(object_id=change.object_id, version=change.version, path__in=TOGETHER)
    together = Change.objects.filter(moved) if change.path in TOGETHER else [change]
    return undo_all(list(together), by)


def undo_group(group: UUID, by: User) -> list[Change]:
    """Undo all that was done under this group, on all objects, or nothing of it."""
    changes = list(Change.objects.visible(by).filter(group=group))
    if not changes:
        raise NotFound("group")
    return undo_all(changes, by)


def undo_all(changes: Sequence[Change], by: User) -> list[Change]:
    group = new_id()
    with transaction.atomic():
        lock_roots({change.root_id for change in changes})
        objects = load({(change.object_type, change.object_id) for change in changes})
        admit(By.person(by), objects.values())
        undone = standing_undos(changes)
        obstacles: list[Change] = []
        written: list[Change] = []
        for obj, own in by_object(changes, objects):
            layers = undoing(obj, own, undone, obstacles)
            if not obstacles:
                written += write_undo(obj, layers, by, group, own)
        if obstacles:
            raise StaleChange("stale_change", changes=[obstacle(change, objects) for change in obstacles])
    return written


def write_undo(
    obj: Editable, layers: Sequence[Sequence[Wish]], by: User, group: UUID, changes: Sequence[Change]
) -> list[Change]:
    try:
        return write(obj, layers, By(AuthorKind.UNDO, by), "", group)
    except InvalidInput as error:  # where it came from is not there any more
        shown = [obstacle(change, {obj.pk: obj}) for change in changes]
        raise StaleChange("stale_change", changes=shown, because=error.code) from error


def undoing(obj: Editable, changes: Sequence[Change], undone: set[UUID], obstacles: list[Change]) -> list[list[Wish]]:
    """Layers that take the changes back, newest first; what another value stands upon goes to `obstacles`.

    An object that these changes created goes as a whole: its parts stay in it for the redo.
    """
    state = obj.state()
    created = any(change.path == "present" and change.version == 1 for change in changes)
    layers: dict[int, list[Wish]] = {}
    for change in sorted(changes, key=lambda change: (change.version, change.id), reverse=True):
        if change.pk in undone or (created and change.path != "present"):
            continue
        if paths.get(state, change.path) != change.after:
            obstacles.append(change)
            continue
        wish = Wish(change.path, change.before, change.place, change)
        paths.put(state, wish.path, wish.value, wish.place)
        layers.setdefault(change.version, []).append(wish)
    return list(layers.values())


def standing_undos(changes: Iterable[Change]) -> set[UUID]:
    """Which of the changes are undone, by an undo that is not undone itself."""
    objects = {change.object_id for change in changes}
    undos = Change.objects.filter(root_id__in={change.root_id for change in changes}, object_id__in=objects)
    undone: set[UUID | None] = set()
    # An undo is of a later version than what it undoes: newest first, each is decided before what it decides about.
    for undo_id, undoes in undos.exclude(undoes=None).order_by("-version").values_list("id", "undoes_id"):
        if undo_id not in undone:
            undone.add(undoes)
    return {change.pk for change in changes if change.pk in undone}


def obstacle(change: Change, objects: Mapping[UUID, Editable]) -> dict[str, Any]:
    """What a reader needs to decide: the change that was to be undone, and what stands there now."""
    obj = objects[change.object_id]
    since = Change.objects.filter(object_id=obj.pk, version__gt=change.version).order_by(F("version").desc())
    way = [later for later in since.select_related("user") if paths.overlap(later.path, change.path)][:1]
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
            if current.get(name) != saved.state.get(name)
        ]
        return write(obj, [wishes], By.person(by), "restored", new_id())


def by_object(changes: Iterable[Change], objects: Mapping[UUID, Editable]) -> Iterable[tuple[Editable, list[Change]]]:
    own: defaultdict[UUID, list[Change]] = defaultdict(list)
    for change in changes:
        own[change.object_id].append(change)
    return [(objects[object_id], own[object_id]) for object_id in sorted(own)]
