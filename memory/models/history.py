"""What was done: every change of an editable object, states to go back to, what machines propose, what rests on it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, ClassVar, Self
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from memory.base.errors import InvalidInput
from memory.base.ids import new_id
from memory.base.paths import State
from memory.models.people import User, Workspace


class Editable(models.Model):
    """An object whose every change is kept. Only `memory.history` saves one.

    Its state is its `fields` and its COLUMNS under one roof, without nulls. `version` rises with each change of it.
    """

    OBJECT: ClassVar[str]  # its word in addresses, events and changes
    COLUMNS: ClassVar[tuple[str, ...]] = ("present",)
    LABELS: ClassVar[frozenset[str]] = frozenset()  # paths that say something about the others
    UNITS: ClassVar[tuple[frozenset[str], ...]] = ()  # paths that mean nothing without each other
    types: ClassVar[dict[str, type[Editable]]] = {}

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    fields = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=0, editable=False)
    present = models.BooleanField(default=True)

    class Meta:
        abstract = True

    def __init_subclass__(cls, **how: Any) -> None:
        super().__init_subclass__(**how)
        if "OBJECT" in vars(cls):
            cls.types[cls.OBJECT] = cls

    @property
    def root_id(self) -> UUID:
        """The object whose history this one's belongs to."""
        raise NotImplementedError

    @property
    def home(self) -> Workspace:
        raise NotImplementedError

    @property
    def is_locked(self) -> bool:
        """Whether machines may only propose."""
        return False

    @classmethod
    def whole(cls) -> models.QuerySet[Any]:
        """With what `home` and `root_id` need."""
        return cls._default_manager.all()

    @classmethod
    def columns(cls) -> dict[str, models.Field[Any, Any]]:
        return {field.name: field for field in cls._meta.fields if field.name in cls.COLUMNS}

    def state(self) -> State:
        """Fields and columns as they stand, as JSON without nulls: a copy, to be changed as one likes."""
        columns = {name: getattr(self, column.attname) for name, column in self.columns().items()}
        values = {name: str(value) if isinstance(value, UUID) else value for name, value in columns.items()}
        return deepcopy({**self.fields, **{name: value for name, value in values.items() if value is not None}})

    def settled(self, state: State) -> State:
        """The state as a row holds it: each column of its type, an absent one by its default.

        Raises `validation.fields` for what a column cannot hold.
        """
        columns = {name: settle(column, state.get(name)) for name, column in self.columns().items()}
        fields = {name: value for name, value in state.items() if name not in columns}
        return {**fields, **{name: value for name, value in columns.items() if value is not None}}

    def take(self, state: State) -> None:
        """Become this state; nothing is saved."""
        for name, column in self.columns().items():
            setattr(self, column.attname, column.to_python(state.get(name, column.get_default())))
        self.fields = {name: value for name, value in state.items() if name not in self.COLUMNS}

    def inside(self) -> list[UUID]:
        """The objects that it holds: they go when it goes."""
        return []

    def clean_state(self, state: State) -> State:
        """The state as it may be kept. Raises InvalidInput for what its kind does not allow."""
        raise NotImplementedError

    def check_place(self) -> None:
        """Raises InvalidInput when it cannot stand where it does, among the others as they are now."""

    def check_room(self, changes: Sequence[Change]) -> None:
        """Raises InvalidInput when these changes make one too many of it, among the others as they are now."""

    def implied(self, values: dict[str, Any], by: AuthorKind) -> dict[str, Any]:
        """What else changes when these paths are changed by such an author."""
        return {}

    def after_change(self, changes: Sequence[Change]) -> list[Change]:
        """What follows from these changes, in the same transaction; the changes of other objects that it made."""
        return []


def settle(column: models.Field[Any, Any], value: Any) -> Any:
    """The value as this column gives it back, as JSON."""
    value = column.get_default() if value is None else value
    try:
        if isinstance(column, models.CharField) and not isinstance(value, str):
            raise ValidationError("Input should be a valid string", "string_type")
        settled = column.to_python(value)
        column.run_validators(settled)
    except ValidationError as error:
        first = error.error_list[0]
        problem = {"path": column.name, "problem": str(first.code), "message": first.messages[0]}
        raise InvalidInput("fields", problems=[problem]) from None
    return str(settled) if isinstance(settled, UUID) else settled


class AuthorKind(models.TextChoices):
    PERSON = "person", _("person")
    TOOL = "tool", _("tool")
    RECIPE = "recipe", _("recipe")
    UNDO = "undo", _("undo")


class ChangeQuerySet(models.QuerySet["Change"]):
    def visible(self, user: User) -> Self:
        return self.filter(workspace__members=user)


class Change(models.Model):
    """One path of one object, before and after, and who did it. Written once; a NULL value means: nothing was there.

    Changes of one version were made together. In order of (version, id) they give the object's state, whole.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="changes")
    root_id = models.UUIDField(help_text=_("the document"))
    object_type = models.CharField(max_length=20)
    object_id = models.UUIDField()
    version = models.PositiveIntegerField()
    path = models.CharField(max_length=500)
    place = models.PositiveIntegerField(null=True, help_text=_("where in its list the item stands, or stood"))
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    author = models.CharField(max_length=10, choices=AuthorKind)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="changes")
    run_id = models.UUIDField(null=True)
    step = models.CharField(max_length=200, blank=True)
    group = models.UUIDField()
    reason = models.CharField(max_length=200, blank=True)
    undoes = models.ForeignKey("self", models.CASCADE, null=True, related_name="undone_by")
    created_at = models.DateTimeField(db_default=Now())

    objects = ChangeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["object_id", "version", "path"], name="one_change_per_path_and_version"),
        ]
        indexes: ClassVar = [
            # The history of a document, newest first, paged by id.
            models.Index(fields=["root_id", "-id"], name="change_of_root"),
            # Undo of a group.
            models.Index(fields=["group"], name="change_of_group"),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.path} v{self.version}"


class SnapshotQuerySet(models.QuerySet["Snapshot"]):
    def visible(self, user: User) -> Self:
        return self.filter(workspace__members=user)


class Snapshot(models.Model):
    """An object's state just before the first change of a group."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="snapshots")
    root_id = models.UUIDField()
    object_type = models.CharField(max_length=20)
    object_id = models.UUIDField()
    group = models.UUIDField()
    version = models.PositiveIntegerField()
    state = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["object_id", "group"], name="one_snapshot_per_object_and_group"),
        ]
        indexes: ClassVar = [
            # The states of a document to go back to, newest first, paged by id.
            models.Index(fields=["root_id", "-id"], name="snapshot_of_root"),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} v{self.version}"


class ProposalState(models.TextChoices):
    OPEN = "open", _("open")
    ACCEPTED = "accepted", _("accepted")
    REJECTED = "rejected", _("rejected")
    SUPERSEDED = "superseded", _("superseded")


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def visible(self, user: User) -> Self:
        return self.filter(workspace__members=user)


class Proposal(models.Model):
    """What a recipe would have written where a person's text stands, or a lock is. `values` by path."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="proposals")
    root_id = models.UUIDField(db_index=True)
    object_type = models.CharField(max_length=20)
    object_id = models.UUIDField()
    values = models.JSONField()
    state = models.CharField(max_length=10, choices=ProposalState, default=ProposalState.OPEN)
    run_id = models.UUIDField(null=True)
    step = models.CharField(max_length=200, blank=True)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="decided_proposals")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = ProposalQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.object_type} {self.state}"


class Basis(models.Model):
    """One thing was made from another: `source` as it stood then, by the digest of its value at a path ("" is all).

    `is_stale`: it does not stand so now. Kept with every change of the source.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    root_id = models.UUIDField(db_index=True)
    object_id = models.UUIDField()
    path = models.CharField(max_length=500, blank=True)
    source_type = models.CharField(max_length=20)
    source_id = models.UUIDField(db_index=True)
    source_path = models.CharField(max_length=500, blank=True)
    digest = models.CharField(max_length=64)
    is_stale = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["object_id", "path", "source_id", "source_path"], name="one_basis_per_source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object_id}/{self.path} from {self.source_type} {self.source_id}/{self.source_path}"
