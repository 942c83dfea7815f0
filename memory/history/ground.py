"""The ground of the history: who writes, the lock of a document, objects as they stand, and the states they hold."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, transaction

from memory import workspaces
from memory.base import paths
from memory.base.errors import NotFound
from memory.base.news import changed
from memory.base.paths import State
from memory.models import AuthorKind, Change, Editable, Role, User

# Whose changes no recipe writes over.
PEOPLE = (AuthorKind.PERSON, AuthorKind.TOOL, AuthorKind.UNDO)


@dataclass(frozen=True)
class By:
    """Who changes something: a person, a tool on somebody's behalf, or the step of a run.

    `group`: all they change belongs together and is undone as one; without it each verb is a group of its own.
    """

    kind: AuthorKind
    user: User | None
    run_id: UUID | None = None
    step: str = ""
    group: UUID | None = None

    @classmethod
    def person(cls, user: User) -> "By":
        return cls(AuthorKind.PERSON, user)

    @classmethod
    def of(cls, change: Change) -> "By":
        """Whoever made this change."""
        return cls(AuthorKind(change.author), change.user, change.run_id, change.step)


def lock_roots(roots: Iterable[UUID]) -> None:
    """Wait for other writers of these documents, in one order everywhere; held to the end of the transaction."""
    with connection.cursor() as sql:
        for root in sorted(set(roots)):
            sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [str(root)])


def admit(by: By, objects: Iterable[Editable]) -> None:
    """Recipes were admitted when their run began; everybody else must be an editor where the object lives."""
    if by.kind == AuthorKind.RECIPE:
        return
    homes = {obj.home.pk: obj.home for obj in objects}
    for home in homes.values():
        if by.user is None:
            raise NotFound("workspace")
        workspaces.require(by.user, home, Role.EDITOR)


def load(named: Iterable[tuple[str, UUID]]) -> dict[UUID, Editable]:
    """The objects as they stand now. Raises `not_found.object` for one that is gone for good."""
    ids: defaultdict[str, list[UUID]] = defaultdict(list)
    for object_type, object_id in named:
        ids[object_type].append(object_id)
    found = {
        obj.pk: obj
        for object_type, wanted in ids.items()
        for obj in Editable.types[object_type].whole().filter(pk__in=wanted)
    }
    if missing := [str(each) for wanted in ids.values() for each in wanted if each not in found]:
        raise NotFound("object", objects=missing)
    return found


def reload(obj: Editable) -> None:
    """Raises `not_found.object` for one that is gone for good."""
    try:
        obj.refresh_from_db(fields=["fields", "version", *obj.COLUMNS])
    except type(obj).DoesNotExist:
        raise NotFound("object", objects=[str(obj.pk)]) from None


def later_changes(obj: Editable, version: int) -> list[Change]:
    return list(Change.objects.filter(object_id=obj.pk, version__gt=version).select_related("user").order_by("version"))


def replay(changes: Iterable[Change], state: State | None = None) -> State:
    """The state these changes lead to, from nothing or from `state`."""
    replayed = deepcopy(state or {})
    for change in changes:
        paths.put(replayed, change.path, change.after, change.place)
    return replayed


def tell(obj: Editable) -> None:
    """Pages that show it hear of it after commit."""
    topics = [f"document.{obj.root_id}", f"workspace.{obj.home.pk}"]
    ring = partial(changed, obj.OBJECT, obj.pk, obj.version, topics)
    transaction.on_commit(ring, robust=True)


def author_of(change: Change) -> dict[str, Any]:
    return {
        "id": str(change.pk),
        "author": change.author,
        "user": change.user.username if change.user else None,
        "at": change.created_at.isoformat(),
    }


def digest(value: Any) -> str:
    """One short word for a value: equal values, equal words."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()
