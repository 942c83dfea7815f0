"""Records of learning: what one person answered to the questions of a course, and the chapters they finished.

They are that person's own: nobody else sees them, not even who owns the course.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generation.models.documents import Section
from generation.models.work import OPEN_STATES, Run
from memory.base.ids import new_id
from memory.models import User

# An answer that was on its way when the time ran out still counts.
GRACE = timedelta(seconds=5)


class AttemptState(models.TextChoices):
    OPEN = "open", _("open")
    GRADING = "grading", _("being graded")
    GRADED = "graded", _("graded")


class AttemptQuerySet(models.QuerySet["Attempt"]):
    def visible(self, user: User) -> Self:
        """The user's own, in workspaces they are still in."""
        return self.filter(user=user, section__document__workspace__members=user)

    def whole(self) -> Self:
        """With what a picture of it needs."""
        return self.select_related("run__claim", "section__document__workspace", "section__parent")


class Attempt(models.Model):
    """One go at an exercise or an evaluation. `questions` are copied as they stood: later edits do not touch them.

    `answers` by question: ids of those chosen, or a text. `results` by question, once it has ended: `is_right`, null
    while nobody has graded it, `feedback`, and the error's data when that failed. `run` grades its open answers.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="attempts")
    section = models.ForeignKey(Section, models.CASCADE, related_name="attempts")
    number = models.PositiveIntegerField()
    version = models.PositiveIntegerField(help_text=_("of the section"))
    questions = models.JSONField()
    multi_answers = models.BooleanField(default=False)
    answers = models.JSONField(default=dict)
    results = models.JSONField(default=dict)
    score = models.PositiveSmallIntegerField(null=True)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "section", "number"], name="one_attempt_per_number"),
            models.UniqueConstraint(fields=["user", "section"], condition=Q(ended_at=None), name="one_open_attempt"),
        ]
        indexes: ClassVar = [
            # The sweep looks for those whose time is up.
            models.Index(fields=["due_at"], name="attempt_due", condition=Q(ended_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.section_id} #{self.number}"

    @property
    def state(self) -> AttemptState:
        """Graded is also what could not be: then its results say so."""
        if self.ended_at is None:
            return AttemptState.OPEN
        is_read = self.run is not None and self.run.claim.state in OPEN_STATES
        return AttemptState.GRADING if is_read and self.ungraded else AttemptState.GRADED

    @property
    def ungraded(self) -> list[str]:
        return [question for question, result in self.results.items() if result["is_right"] is None]

    def is_over(self, now: datetime | None = None) -> bool:
        """Its time is up, whether or not anybody has noticed yet."""
        return self.due_at is not None and (now or timezone.now()) > self.due_at + GRACE

    def question(self, name: str) -> dict[str, Any] | None:
        return next((each for each in self.questions if each["id"] == name), None)


class CompletionQuerySet(models.QuerySet["Completion"]):
    def visible(self, user: User) -> Self:
        return self.filter(user=user, section__document__workspace__members=user)


class Completion(models.Model):
    """Somebody has finished a chapter."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="completions")
    section = models.ForeignKey(Section, models.CASCADE, related_name="completions")
    at = models.DateTimeField(default=timezone.now)

    objects = CompletionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "section"], name="one_completion_each"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.section_id}"
