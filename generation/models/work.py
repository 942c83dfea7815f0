"""Records of work: a run and its claim, steps, calls to models, the numbered events.

Thing, attempt and outcome are separate: a Run is the piece of work, its Claim says who works on it now (a narrow row,
because it changes every tick), a Step keeps a result, a Call is one paid request, an Event is what readers were told.
"""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from memory.base.ids import new_id
from memory.models import User, Workspace


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

    `again` names the steps a retry was asked to make again, `action` what is done to the document. Runs of one `line`
    are carried one after another, in the order in which they joined it: the turns of a conversation.
    """

    WRITE: ClassVar = "write"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="runs")
    user = models.ForeignKey(User, models.CASCADE, related_name="runs")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="children")
    parent_step = models.CharField(max_length=200, blank=True)
    line = models.UUIDField(null=True, editable=False)
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
            # Who joins a line, or leaves it, looks for the others in it.
            models.Index(fields=["line"], name="run_line", condition=Q(line__isnull=False)),
            # Retention looks for those that ended long ago and still have their single deltas.
            models.Index(
                fields=["finished_at"], name="run_unjoined", condition=Q(is_joined=False, finished_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.title or self.id}"

    def is_own_of(self, user: User) -> bool:
        """Nobody else sees it, so that whoever asked for it may stop it, whatever they may write."""
        return self.is_private and self.user_id == user.pk


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
    # What was paid outlives what it was paid for: budgets are sums of these rows.
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="calls")
    origin = models.UUIDField(null=True, editable=False, help_text=_("the id of its run, also when that is gone"))
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
    prompt_version = models.ForeignKey("PromptVersion", models.PROTECT, null=True, related_name="calls", db_index=False)
    # What it was exposed to: by the experiment on its prompt, and by the one on its agent.
    assignment = models.ForeignKey("Assignment", models.PROTECT, null=True, related_name="calls", db_index=False)
    chain_assignment = models.ForeignKey(
        "Assignment", models.PROTECT, null=True, related_name="chain_calls", db_index=False
    )
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
        permissions: ClassVar = [("read_call", _("Can read what was sent to models"))]
        indexes: ClassVar = [
            # Sums of a day's spending, by user and by workspace.
            models.Index(fields=["user", "created_at"], name="call_user_day"),
            models.Index(fields=["workspace", "created_at"], name="call_workspace_day"),
            # The sweep looks for calls whose owner died.
            models.Index(fields=["run"], name="call_sent", condition=Q(state=CallState.SENT)),
            # Retention looks for the oldest whose messages are still kept.
            models.Index(fields=["created_at"], name="call_remembered", condition=Q(messages__isnull=False)),
            # What an experiment has shown is read from its calls.
            models.Index(fields=["assignment"], name="call_exposed", condition=Q(assignment__isnull=False)),
            models.Index(
                fields=["chain_assignment"], name="call_chain_exposed", condition=Q(chain_assignment__isnull=False)
            ),
            # What a version did lately, and when it was last used.
            models.Index(fields=["prompt_version", "created_at"], name="call_of_version"),
        ]

    def __str__(self) -> str:
        return f"{self.step} #{self.attempt} {self.provider}:{self.model}"


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def visible(self, user: User) -> Self:
        return self.filter(user=user)


class Feedback(models.Model):
    """What somebody thinks of what came of a call."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    call = models.ForeignKey(Call, models.CASCADE, related_name="feedback")
    user = models.ForeignKey(User, models.CASCADE, related_name="feedback")
    is_good = models.BooleanField()
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["call", "user"], name="one_feedback_each")]

    def __str__(self) -> str:
        return f"{'good' if self.is_good else 'bad'}: {self.call_id}"


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


class Chore(models.Model):
    """Work of the house that is due now and then, and when that is, whichever process does it."""

    name = models.CharField(max_length=50, primary_key=True)
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
