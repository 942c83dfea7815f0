"""Records of what is written: documents, the sections they are trees of, folders, and drawings of diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from generation.fields import Fields, Kind, SectionType, cleaned, one_line
from generation.kinds import KINDS
from generation.models.work import Run
from memory import history
from memory.base.errors import InvalidInput
from memory.base.ids import new_id
from memory.base.paths import State
from memory.history import By
from memory.models import AuthorKind, Change, Editable, User, Workspace

# Many file into one folder at once, beside each other; who removes it waits for them, and they for whoever does.
KEEP_FOLDER = "SELECT 1 FROM generation_folder WHERE id = %s::uuid AND workspace_id = %s FOR KEY SHARE"


class Folder(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="folders")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="folders")
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def stays(folder_id: object, workspace: Workspace) -> bool:
        """Whether there is such a folder; then nobody removes it until this transaction has ended."""
        with connection.cursor() as sql:
            sql.execute(KEEP_FOLDER, [str(folder_id), workspace.pk])
            return sql.fetchone() is not None


class Standing(models.TextChoices):
    """What people say of a text. Whether it is being written, or failed, is never stored: it shows in its runs."""

    DRAFT = "draft", _("draft")
    READY = "ready", _("ready")
    APPROVED = "approved", _("approved")
    ARCHIVED = "archived", _("archived")


class DocumentQuerySet(models.QuerySet["Document"]):
    def visible(self, user: User) -> Self:
        return self.filter(workspace__members=user)


class Document(Editable):
    """A text of some kind, a tree of sections. `present` is false in the bin; `run` is the latest that wrote it."""

    OBJECT = "document"
    COLUMNS = ("title", "language", "folder", "status", "present")

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="documents")
    kind = models.CharField(max_length=50)
    title = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=5, default="en")
    brief = models.TextField(blank=True)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    folder = models.ForeignKey(Folder, models.PROTECT, null=True, related_name="documents")
    status = models.CharField(max_length=10, choices=Standing, default=Standing.DRAFT)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="documents")
    created_at = models.DateTimeField(db_default=Now())

    objects = DocumentQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # The list of a workspace's documents, newest first, paged by id.
            models.Index(fields=["workspace", "-id"], name="document_list", condition=Q(parent=None)),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.kind} {self.id}"

    @classmethod
    def whole(cls) -> models.QuerySet[Any]:
        return cls.objects.select_related("workspace")

    @property
    def root_id(self) -> UUID:
        return self.id

    @property
    def home(self) -> Workspace:
        return self.workspace

    @property
    def shape(self) -> Kind:
        """Raises `validation.kind` when there is no such kind any more."""
        if self.kind not in KINDS:
            raise InvalidInput("kind", kind=self.kind, allowed=sorted(KINDS))
        return KINDS[self.kind]

    def clean_state(self, state: State) -> State:
        check_choice("status", state, Standing.values)
        check_choice("language", state, [code for code, _ in settings.LANGUAGES])
        state = {**state, "title": one_line(state["title"]) or ""}
        folder = state.get("folder")
        # One that it lies in already cannot be removed without this document's lock, which is ours.
        if folder and folder != str(self.folder_id) and not Folder.stays(folder, self.home):
            raise InvalidInput("folder")
        return clean_under_columns(self, self.shape.fields, state)


class SectionQuerySet(models.QuerySet["Section"]):
    def visible(self, user: User) -> Self:
        return self.filter(document__workspace__members=user)


class Section(Editable):
    """One part of a document's tree: what can be written, changed, locked or made again alone.

    `key` is stable and names the steps that write it. `fallback` holds why a stand-in is shown: an error's data.
    """

    OBJECT = "section"
    COLUMNS = ("parent", "rank", "present", "status", "locked", "fallback")
    LABELS = frozenset({"fallback", "status"})
    UNITS = (frozenset({"diagram_type", "diagram_code", "diagram", "diagram_error"}),)

    document = models.ForeignKey(Document, models.CASCADE, related_name="sections")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="sections")
    type = models.CharField(max_length=30)
    key = models.CharField(max_length=200)
    rank = models.CharField(max_length=100, db_collation="C")
    status = models.CharField(max_length=10, choices=Standing, default=Standing.DRAFT)
    locked = models.BooleanField(default=False)
    fallback = models.JSONField(null=True)

    objects = SectionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["document", "key"], name="one_section_per_key"),
        ]

    def __str__(self) -> str:
        return self.key

    @classmethod
    def whole(cls) -> models.QuerySet[Any]:
        return cls.objects.select_related("document__workspace")

    @property
    def root_id(self) -> UUID:
        return self.document_id

    @property
    def home(self) -> Workspace:
        return self.document.workspace

    @property
    def shape(self) -> SectionType:
        """Raises `validation.section_type` when the kind has no such sections any more."""
        types = self.document.shape.sections
        if self.type not in types:
            raise InvalidInput("section_type", type=self.type, allowed=sorted(types))
        return types[self.type]

    @property
    def is_locked(self) -> bool:
        return self.locked or (self.parent is not None and self.parent.is_locked)

    @property
    def shows(self) -> bool:
        """Neither it nor what it stands in was removed."""
        return self.present and (self.parent is None or self.parent.shows)

    def inside(self) -> list[UUID]:
        held = [(each.id, each.inside()) for each in self.sections.all()]
        return [section_id for own, below in held for section_id in (own, *below)]

    def implied(self, values: dict[str, Any], by: AuthorKind) -> dict[str, Any]:
        """What a person writes over a stand-in is a text like any other; what was made from what they change, goes."""
        writes = any(path.split("/")[0] not in self.COLUMNS for path in values)
        labels = {"fallback": None, "status": Standing.READY} if writes and self.fallback and by != "undo" else {}
        return {**labels, **(self.outdated(values) if by in (AuthorKind.PERSON, AuthorKind.TOOL) else {})}

    def after_change(self, changes: Sequence[Change]) -> list[Change]:
        """A text that comes to stand in a stand-in makes it a text like any other; undo brings back what was."""
        newest = changes[-1]
        if newest.author == AuthorKind.UNDO or not self.is_text or not any(map(is_arrival, changes)):
            return []
        holder = Section.whole().filter(id=self.parent_id, fallback__isnull=False).first()
        if holder is None or not holder.shape.only_holds:
            return []
        return history.edit(holder, {"fallback": None, "status": Standing.READY}, By.of(newest), group=newest.group)

    @property
    def is_text(self) -> bool:
        """Whether it shows a text, and no stand-in for one."""
        return self.present and self.fallback is None and (self.shape.only_holds or self.shape.body in self.fields)

    def outdated(self, values: dict[str, Any]) -> dict[str, None]:
        """What machines made from fields that would have other values now."""
        changed = {name for name, value in values.items() if value != self.fields.get(name)}
        made_from = self.shape.made_from.items()
        return {made: None for made, sources in made_from if made in self.fields and changed.intersection(sources)}

    def clean_state(self, state: State) -> State:
        check_choice("status", state, Standing.values)
        return clean_under_columns(self, self.shape.fields, state)

    def check_place(self) -> None:
        """`validation.place` unless it stands in the document, or in a section that may hold it and is not in it."""
        within = self.shape.within
        beside = Section.objects.filter(document_id=self.document_id)
        above = beside.filter(id=self.parent_id).first() if self.parent_id else None
        fits = above.type in within if above else not within and self.parent_id is None
        passed = {self.pk}
        while above is not None and above.pk not in passed:
            passed.add(above.pk)
            above = above.parent
        if not fits or above is not None or not self.rank:
            raise InvalidInput("place", type=self.type, within=list(within))

    def check_room(self, changes: Sequence[Change]) -> None:
        """`validation.sections_too_many` when people bring in, or back, one more than a document may hold."""
        is_brought = any(change.path == "present" and change.author != AuthorKind.RECIPE for change in changes)
        most = self.shape.most if is_brought and self.present else None
        alike = Section.objects.filter(document_id=self.document_id, type=self.type, present=True)
        if most is not None and alike.count() > most:
            raise InvalidInput("sections_too_many", type=self.type, limit=most)


def is_arrival(change: Change) -> bool:
    """Something was written, or came to stand here."""
    return change.path in ("present", "parent", "fallback") or change.path.split("/")[0] not in Section.COLUMNS


def check_choice(name: str, state: State, allowed: Sequence[str]) -> None:
    if state.get(name) not in (None, *allowed):
        raise InvalidInput("choice", field=name, allowed=list(allowed))


def clean_under_columns(obj: Editable, schema: type[Fields], state: State) -> State:
    """Fields by their schema, columns as they are."""
    columns = {name: value for name, value in state.items() if name in obj.COLUMNS}
    fields = {name: value for name, value in state.items() if name not in obj.COLUMNS}
    return {**cleaned(schema, fields), **columns}


class DrawingQuerySet(models.QuerySet["Drawing"]):
    def visible(self, user: User) -> Self:
        """A drawing shows what was written in its workspace: its members may see it."""
        return self.filter(workspace__members=user)


class Drawing(models.Model):
    """A diagram as it was drawn, or why its code cannot be. The digest is of workspace, code and renderer."""

    digest = models.CharField(max_length=64, primary_key=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="drawings")
    type = models.CharField(max_length=20)
    code = models.TextField()
    svg = models.TextField(blank=True)
    error = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = DrawingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.type} {self.digest[:12]}"
