"""Records of work: a run and its claim, steps, calls to models, the numbered events; drawings; prompts and agents.

And what is written: documents, and the sections they are trees of.

Thing, attempt and outcome are separate: a Run is the piece of work, its Claim says who works on it now (a narrow row,
because it changes every tick), a Step keeps a result, a Call is one paid request, an Event is what readers were told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from generation.fields import Fields, Kind, SectionType, cleaned, one_line
from generation.kinds import KINDS
from memory.base.errors import InvalidInput
from memory.base.ids import new_id
from memory.base.paths import State
from memory.models import AuthorKind, Editable, User, Workspace


class RunState(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    PARTIAL = "partial", _("partial")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


OPEN_STATES = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING)
END_STATES = (RunState.DONE, RunState.PARTIAL, RunState.FAILED, RunState.CANCELLED)


class Queue(models.TextChoices):
    WEB = "web", _("web")
    HIGH = "high", _("high")
    DEFAULT = "default", _("default")
    LOW = "low", _("low")


class RunQuerySet(models.QuerySet["Run"]):
    def visible(self, user: User) -> Self:
        """Runs of documents are the workspace's; private ones (chat turns) are the asker's alone."""
        return self.filter(Q(user=user) | Q(is_private=False), workspace__members=user).distinct()


class Run(models.Model):
    """One piece of work with a story. What changes every tick lives in its claim, what is told in its events.

    `again` names the steps a retry was asked to make again, `action` what is done to the document.
    """

    WRITE: ClassVar = "write"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="runs")
    user = models.ForeignKey(User, models.CASCADE, related_name="runs")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    parent_step = models.CharField(max_length=200, blank=True)
    retries = models.ForeignKey("self", models.SET_NULL, null=True, related_name="retried_by")
    document = models.ForeignKey("Document", models.CASCADE, null=True, related_name="runs")
    kind = models.CharField(max_length=50)
    action = models.CharField(max_length=50, default=WRITE)
    again = models.JSONField(default=list)
    job = models.CharField(max_length=200, help_text=_("dotted path of the function that does the work"))
    title = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=5, default="en")
    brief = models.TextField(blank=True)
    options = models.JSONField(default=dict)
    files = models.JSONField(default=list)
    is_private = models.BooleanField(default=False)
    # NULL, not empty: runs without a key are many.
    key = models.CharField(max_length=200, null=True, editable=False, help_text=_("idempotency key"))  # noqa: DJ001
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    progress = models.FloatField(default=0)
    label = models.JSONField(default=dict)
    question = models.JSONField(null=True)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)
    active_seconds = models.FloatField(default=0)
    is_joined = models.BooleanField(default=False, help_text=_("its deltas were joined after the retention time"))
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = RunQuerySet.as_manager()
    claim: Claim

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="one_run_per_key")]
        indexes: ClassVar = [
            # The list of a workspace's runs, newest first, paged by id.
            models.Index(fields=["workspace", "-id"], name="run_list"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.title or self.id}"


class Claim(models.Model):
    """Who works on a run, until when, and how far its log has come. One narrow row a run; the fence of every write.

    `epoch` rises with each claim: a write that names an older epoch touches nothing. `last_seq` is the number of the
    run's newest event. The table has a low fillfactor (migration 0001), so that ticks are HOT updates.
    """

    run = models.OneToOneField(Run, models.CASCADE, primary_key=True, related_name="claim")
    state = models.CharField(max_length=10, choices=RunState, default=RunState.QUEUED)
    reason = models.CharField(max_length=10, blank=True)
    queue = models.CharField(max_length=10, choices=Queue, default=Queue.DEFAULT)
    queued_at = models.DateTimeField(db_default=Now())
    nudged_at = models.DateTimeField(null=True)
    epoch = models.IntegerField(default=0)
    owner = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    crashes = models.SmallIntegerField(
        default=0, help_text=_("claims in a row that ended in a crash without a new step")
    )
    has_progressed = models.BooleanField(default=False, help_text=_("whether this claim has recorded a step"))
    last_seq = models.BigIntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            # Claiming and sweeping look at open runs only; nothing that changes each tick is indexed.
            models.Index(fields=["queue", "state", "queued_at"], name="claim_open", condition=Q(state__in=OPEN_STATES)),
        ]

    def __str__(self) -> str:
        return f"{self.run_id} {self.state}"


class StepState(models.TextChoices):
    RUNNING = "running", _("running")
    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    FALLBACK = "fallback", _("fallback")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


RECORDED_STATES = (StepState.DONE, StepState.FALLBACK, StepState.FAILED)


class Step(models.Model):
    """A named unit inside a run. Once recorded its result stands and is never paid for again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, models.CASCADE, related_name="steps")
    key = models.CharField(max_length=200)
    label = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=StepState, default=StepState.RUNNING)
    attempts = models.IntegerField(default=0)
    is_fallback = models.BooleanField(default=False)
    result = models.JSONField(null=True)
    text = models.TextField(blank=True, help_text=_("what the last attempt wrote, joined"))
    error = models.JSONField(null=True)
    copied_from = models.UUIDField(null=True, editable=False)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "key"], name="one_step_per_key")]

    def __str__(self) -> str:
        return self.key


class CallState(models.TextChoices):
    SENT = "sent", _("sent")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    UNKNOWN = "unknown", _("unknown")


class Call(models.Model):
    """One request to a model. Inserted before the request leaves, so that nothing paid is ever unaccounted for.

    While `sent`, the reserved figures count as spent; settled, what was really used does. `unknown`: its process died,
    tokens are estimated from the deltas that were recorded. A cost of NULL is an unknown price, never zero.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, models.CASCADE, related_name="calls")
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="calls")
    user = models.ForeignKey(User, models.CASCADE, related_name="calls")
    step = models.CharField(max_length=200)
    attempt = models.IntegerField()
    epoch = models.IntegerField()
    reason = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=CallState, default=CallState.SENT)
    agent = models.CharField(max_length=50)
    provider = models.CharField(max_length=50)
    model = models.CharField(max_length=100)
    prompt_version = models.ForeignKey("PromptVersion", models.PROTECT, null=True, related_name="calls")
    arm = models.CharField(max_length=50, blank=True)
    reserved_tokens = models.IntegerField(default=0)
    reserved_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    tokens_in = models.IntegerField(null=True)
    tokens_out = models.IntegerField(null=True)
    tokens_estimated = models.BooleanField(default=False)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    first_token_ms = models.IntegerField(null=True)
    duration_ms = models.IntegerField(null=True)
    finish_reason = models.CharField(max_length=30, blank=True)
    error = models.JSONField(null=True)
    messages = models.JSONField(null=True)
    variables = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # Sums of a day's spending, by user and by workspace.
            models.Index(fields=["user", "created_at"], name="call_user_day"),
            models.Index(fields=["workspace", "created_at"], name="call_workspace_day"),
            # The sweep looks for calls whose owner died.
            models.Index(fields=["run"], name="call_sent", condition=Q(state=CallState.SENT)),
        ]

    def __str__(self) -> str:
        return f"{self.step} #{self.attempt} {self.provider}:{self.model}"


class Event(models.Model):
    """One entry of a run's numbered log. Numbers are contiguous from 1; the last of an ended run is its `done`."""

    pk = models.CompositePrimaryKey("run_id", "seq")
    # No constraint: checking one would lock the run's wide row for every delta. Events go when their run goes.
    run = models.ForeignKey(Run, models.CASCADE, related_name="events", db_constraint=False, db_index=False)
    seq = models.BigIntegerField()
    type = models.CharField(max_length=20)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"


class Folder(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="folders")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="folders")
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


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
        if (folder := state.get("folder")) and not Folder.objects.filter(id=folder, workspace=self.home).exists():
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
        """What a person writes over a stand-in is a text like any other."""
        writes = any(path.split("/")[0] not in self.COLUMNS for path in values)
        return {"fallback": None, "status": Standing.READY} if writes and self.fallback and by != "undo" else {}

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


class Prompt(models.Model):
    """A slot that call sites name; `production` is the version that is in force."""

    slot = models.CharField(max_length=100, primary_key=True)
    description = models.TextField(blank=True)
    agent = models.CharField(max_length=50)
    variables = models.JSONField(default=list)
    production = models.ForeignKey("PromptVersion", models.PROTECT, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.slot


class PromptVersion(models.Model):
    """The text of a slot at one time. Immutable once a call has used it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    digest = models.CharField(max_length=64, editable=False)
    from_file = models.BooleanField(default=False, editable=False)
    author = models.ForeignKey(User, models.SET_NULL, null=True, blank=True)
    message = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["prompt", "number"], name="one_version_per_number")]
        ordering: ClassVar = [F("number").desc()]

    def __str__(self) -> str:
        return f"{self.prompt_id} v{self.number}"


class Agent(models.Model):
    """Who answers: a role with a chain of models, tried in order. Staff edit the row; the environment overrides it."""

    name = models.SlugField(max_length=50, primary_key=True)
    title = models.CharField(max_length=100)
    role = models.TextField(blank=True)
    chain = models.JSONField(
        default=list, help_text=_("models in order, as provider:model; empty: the house's default")
    )
    temperature = models.FloatField(null=True, blank=True)
    max_tokens = models.PositiveIntegerField(default=4_000)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.title
