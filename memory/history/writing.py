"""Writing: each path a change, each write a version, in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import transaction

from memory.base import paths
from memory.base.errors import InvalidInput, StaleChange
from memory.base.ids import new_id
from memory.base.paths import State
from memory.base.text import clean_json, clean_text
from memory.history.ground import By, admit, author_of, later_changes, lock_roots, reload, replay, tell
from memory.history.resting import mark
from memory.models import AuthorKind, Change, Editable, Snapshot


@dataclass(frozen=True)
class Wish:
    """One path to be set, or (value None) taken away."""

    path: str
    value: Any
    place: int | None = None
    undoes: Change | None = None


def create(obj: Editable, by: By, *, reason: str = "", group: UUID | None = None) -> list[Change]:
    """Keep a new object: its first version, each part of it a change. In the caller's transaction."""
    with transaction.atomic():
        admit(by, [obj])
        lock_roots([obj.root_id])
        if misplaced := [name for name in obj.fields if name in obj.COLUMNS]:
            raise InvalidInput("path", path=misplaced[0])
        wishes = wishes_of(obj, obj.state(), by)
        obj.take({"present": False})
        obj.version = 0
        obj.save(force_insert=True)
        return write(obj, [wishes], by, reason, group or by.group or new_id(), old={})


def edit(
    obj: Editable,
    values: Mapping[str, Any],
    by: By,
    *,
    reason: str = "",
    group: UUID | None = None,
    expected_version: int | None = None,
) -> list[Change]:
    """Set each path to its value, None taking it away: the only way an editable object is saved after its creation.

    One transaction (the caller's, if there is one); `obj` stands as it was written afterwards. A value that stands
    already is no change. With `expected_version`, the version its writer saw: paths that others changed since are
    refused, the rest is not. Raises `permission.role`, `validation.…` of the object's kind, `validation.path`,
    `validation.version`, StaleChange `conflict.changed_since`, and for a tool `conflict.locked`.
    """
    with transaction.atomic():
        admit(by, [obj])
        lock_roots([obj.root_id])
        reload(obj)
        if by.kind == AuthorKind.TOOL and obj.is_locked:
            raise StaleChange("locked", object=str(obj.pk))
        if expected_version is not None:
            check_unchanged(obj, values, expected_version, by)
        return write(obj, [wishes_of(obj, values, by)], by, reason, group or by.group or new_id())


def wishes_of(obj: Editable, values: Mapping[str, Any], by: By) -> list[Wish]:
    cleaned = gated(values)
    check_separate(cleaned)
    return [Wish(path, value) for path, value in {**obj.implied(cleaned, by.kind), **cleaned}.items()]


def gated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as a state may hold them, each at its path."""
    return {path: paths.without_nulls(clean_json(value)) for path, value in values.items()}


def write(
    obj: Editable, layers: Sequence[Sequence[Wish]], by: By, reason: str, group: UUID, old: State | None = None
) -> list[Change]:
    """Each layer becomes one version. The root is locked, and `obj` stands as it does in the database."""
    changes = put_down(obj, layers, by, reason, group, old)
    if changes:
        obj.check_place()
        obj.check_room(changes)
    return changes


def put_down(
    obj: Editable, layers: Sequence[Sequence[Wish]], by: By, reason: str, group: UUID, old: State | None = None
) -> list[Change]:
    """`write`, of several objects: where each then stands is to be checked when all are written."""
    old, first_version = obj.state() if old is None else old, obj.version
    state, changes = deepcopy(old), []
    for n, layer in enumerate(layers, 1):
        before = deepcopy(state)
        made = [change for wish in layer if (change := apply(state, wish))]
        if n == len(layers):
            state = obj.clean_state(obj.settled({"present": False, **state}))
            made = refit(before, state, made)
        if made:
            obj.version += 1
            changes += [sign(obj, change, by, reason, group) for change in made]
    if not changes:
        return []
    if first_version and not is_made_by(obj, group):
        Snapshot.objects.bulk_create([snapshot(obj, old, first_version, group)], ignore_conflicts=True)
    obj.take(state)
    obj.save(update_fields=["fields", "version", *obj.COLUMNS])
    Change.objects.bulk_create(changes)
    mark(obj)
    tell(obj)
    return [*changes, *obj.after_change(changes)]


def apply(state: State, wish: Wish) -> Change | None:
    """Make the wish come true in `state`; the change this is, or None when it was so already."""
    before, place = paths.get(state, wish.path), paths.place(state, wish.path)
    if paths.same(before, wish.value):
        return None
    paths.put(state, wish.path, wish.value, wish.place)
    place = paths.place(state, wish.path) if place is None else place
    return Change(path=wish.path, place=place, before=before, after=wish.value, undoes=wish.undoes)


def refit(before: State, cleaned: State, made: Sequence[Change]) -> list[Change]:
    """The changes as they are kept after cleaning: by path where that tells all of a field, else the whole field."""
    for change in made:
        change.after = paths.get(cleaned, change.path)
    fitted = [change for change in made if not paths.same(change.before, change.after)]
    replayed = replay(fitted, before)
    for name in sorted({*replayed, *cleaned}):
        if paths.same(replayed.get(name), cleaned.get(name)):
            continue
        parts = [change for change in fitted if paths.overlap(change.path, name)]
        fitted = [change for change in fitted if change not in parts]
        undoes = parts[0].undoes if parts else None
        fitted.append(Change(path=name, before=before.get(name), after=cleaned.get(name), undoes=undoes))
    return [change for change in fitted if not paths.same(change.before, change.after)]


def sign(obj: Editable, change: Change, by: By, reason: str, group: UUID) -> Change:
    change.workspace_id = obj.home.pk
    change.root_id = obj.root_id
    change.object_type, change.object_id, change.version = obj.OBJECT, obj.pk, obj.version
    change.author, change.user, change.run_id, change.step = by.kind, by.user, by.run_id, by.step
    change.group, change.reason = group, clean_text(reason)[:200]
    return change


def is_made_by(obj: Editable, group: UUID) -> bool:
    """Before the first change of this group there was nothing."""
    return Change.objects.filter(object_id=obj.pk, version=1, group=group).exists()


def snapshot(obj: Editable, state: State, version: int, group: UUID) -> Snapshot:
    return Snapshot(
        workspace=obj.home,
        root_id=obj.root_id,
        object_type=obj.OBJECT,
        object_id=obj.pk,
        group=group,
        version=version,
        state=state,
    )


def check_unchanged(obj: Editable, values: Mapping[str, Any] | None, expected_version: int, by: By) -> None:
    """Raise `conflict.changed_since` if another group has changed one of these paths since; without any, whatever."""
    if not 0 <= expected_version <= obj.version:
        raise InvalidInput("version", version=obj.version)
    others = [each for each in later_changes(obj, expected_version) if by.group is None or each.group != by.group]
    if clashes := [change for change in others if values is None or paths.overlaps(change.path, values)]:
        firsts = {change.path: change for change in reversed(clashes)}
        raise StaleChange(
            "changed_since",
            version=obj.version,
            changes=[
                {**author_of(change), "path": path, "before": change.before, "now": paths.get(obj.state(), path)}
                for path, change in firsts.items()
            ],
        )


def check_separate(wanted: Iterable[str]) -> None:
    """`validation.paths_overlap`: of two addresses where one lies in the other, nobody could say which counts."""
    for outer, inner in pairwise(sorted(wanted, key=paths.segments)):  # what lies in an address comes right after it
        if paths.overlap(outer, inner):
            raise InvalidInput("paths_overlap", path=inner)
