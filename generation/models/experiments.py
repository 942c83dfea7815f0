"""Records of what staff put in force: each decision, and the experiments that lead to one."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from generation.models.prompting import Agent, Prompt, PromptVersion
from memory.base.ids import new_id
from memory.models import User

EXACTLY_ONE_TARGET = Q(prompt__isnull=False, agent=None) | Q(prompt=None, agent__isnull=False)


class Unit(models.TextChoices):
    """What is given to an arm as a whole, and what is counted: never the single call."""

    USER = "user", _("person")
    SESSION = "session", _("conversation")
    RUN = "run", _("run")


class ExperimentState(models.TextChoices):
    DRAFT = "draft", _("draft")
    RUNNING = "running", _("running")
    PAUSED = "paused", _("paused")
    STOPPED = "stopped", _("stopped")


OPEN_EXPERIMENTS = (ExperimentState.RUNNING, ExperimentState.PAUSED)


class Experiment(models.Model):
    """Versions of one prompt, or chains of one agent, against each other on real work.

    `plans` are the shares of the open arms by name, each time they changed, the newest last: units are drawn by it, and
    whether the arms were filled as planned is asked of the plan that held. Only a running one gives its arms; all
    others leave everybody with what is in production.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(_("title"), max_length=200)
    prompt = models.ForeignKey(Prompt, models.PROTECT, null=True, blank=True, related_name="experiments")
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, blank=True, related_name="experiments")
    unit = models.CharField(_("unit"), max_length=10, choices=Unit, default=Unit.USER)
    metric = models.CharField(_("metric"), max_length=30)
    guards = models.JSONField(_("guards"), default=list, blank=True)
    minimum = models.PositiveIntegerField(
        _("minimum sample"),
        default=100,
        validators=[MinValueValidator(2), MaxValueValidator(10_000_000)],
        help_text=_("units of each arm, before anything is said of a difference"),
    )
    state = models.CharField(max_length=10, choices=ExperimentState, default=ExperimentState.DRAFT, editable=False)
    plans = models.JSONField(default=list, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    stopped_at = models.DateTimeField(null=True, editable=False)
    critique = models.ForeignKey(
        "Run", models.SET_NULL, null=True, editable=False, related_name="+", help_text=_("the last that had it scored")
    )

    class Meta:
        permissions: ClassVar = [("run_experiment", _("Can start, pause and stop experiments"))]
        constraints: ClassVar = [
            models.CheckConstraint(condition=EXACTLY_ONE_TARGET, name="experiment_of_one_target"),
            # What would be learned of one could come from the other.
            models.UniqueConstraint(
                fields=["prompt"], condition=Q(state__in=OPEN_EXPERIMENTS), name="one_experiment_per_prompt"
            ),
            models.UniqueConstraint(
                fields=["agent"], condition=Q(state__in=OPEN_EXPERIMENTS), name="one_experiment_per_agent"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def target(self) -> str:
        return self.prompt_id or self.agent_id or ""


class Arm(models.Model):
    """One of the things compared: a version of the prompt, or a chain of models. The first is the control.

    A closed arm takes nobody in any more, and whoever was in it gets what is in production and counts for no arm.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="arms")
    name = models.SlugField(_("name"), max_length=30)
    version = models.ForeignKey(PromptVersion, models.PROTECT, null=True, blank=True, related_name="arms")
    chain = models.JSONField(_("chain"), default=list, blank=True)
    share = models.PositiveSmallIntegerField(
        _("share"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1_000)]
    )
    is_control = models.BooleanField(_("control"), default=False)
    is_open = models.BooleanField(default=True, editable=False)

    class Meta:
        ordering: ClassVar = ["-is_control", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["experiment", "name"], name="one_arm_per_name"),
            models.UniqueConstraint(fields=["experiment"], condition=Q(is_control=True), name="one_control"),
        ]

    def __str__(self) -> str:
        return self.name


class Assignment(models.Model):
    """The arm that a unit was given: made once, before its first call of the experiment, and never changed.

    `plan` is the index of the shares by which it was drawn.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    experiment = models.ForeignKey(Experiment, models.CASCADE, related_name="assignments", db_index=False)
    unit = models.UUIDField(help_text=_("of a user, a conversation or a run"))
    arm = models.ForeignKey(Arm, models.CASCADE, related_name="assignments")
    plan = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["experiment", "unit"], name="one_arm_per_unit")]

    def __str__(self) -> str:
        return f"{self.unit} {self.arm_id}"


class Deed(models.TextChoices):
    PROMOTE = "promote", _("put in production")
    ROLL_BACK = "roll_back", _("rolled back")
    CHAIN = "chain", _("chain changed")
    START = "start", _("started")
    PAUSE = "pause", _("paused")
    STOP = "stop", _("stopped")
    ARMS = "arms", _("arms changed")
    UNDO = "undo", _("undone")


class Decision(models.Model):
    """Who put what in force, when and why. Never changed: taking one back is another.

    `before` and `after` hold what it changed: `production` the number of a version, `chain` a chain, `state` the state
    of the experiment. Without a user it was a file that changed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    deed = models.CharField(max_length=10, choices=Deed)
    prompt = models.ForeignKey(Prompt, models.PROTECT, null=True, related_name="decisions")
    agent = models.ForeignKey(Agent, models.PROTECT, null=True, related_name="decisions")
    experiment = models.ForeignKey(Experiment, models.PROTECT, null=True, related_name="decisions")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=500)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    undoes = models.OneToOneField("self", models.PROTECT, null=True, related_name="undone_by")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_deed_display()}: {self.about}"

    @property
    def about(self) -> str:
        return self.prompt_id or self.agent_id or str(self.experiment or "")


class Critique(models.Model):
    """What a critic thinks of the answer that a call gave, from 0 to 10. Why is said in the run, while that is kept."""

    call = models.OneToOneField("Call", models.CASCADE, primary_key=True, related_name="critique")
    run = models.ForeignKey("Run", models.SET_NULL, null=True, related_name="+")
    score = models.FloatField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=10), name="critique_from_0_to_10")
        ]

    def __str__(self) -> str:
        return f"{self.score:g}: {self.call_id}"
