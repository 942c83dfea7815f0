"""Records of what was found in a document, by checks of ours or by a model, and what people made of it."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from generation.models.documents import Document, Section
from memory.base.ids import new_id
from memory.models import User


class Severity(models.TextChoices):
    LOW = "low", _("low")
    MEDIUM = "medium", _("medium")
    HIGH = "high", _("high")
    CRITICAL = "critical", _("critical")


class IssueState(models.TextChoices):
    """`intentional`: it is as it should be, and `reason` says why; it is not raised again."""

    OPEN = "open", _("open")
    RESOLVED = "resolved", _("resolved")
    INTENTIONAL = "intentional", _("intentional")


class IssueQuerySet(models.QuerySet["Issue"]):
    def visible(self, user: User) -> Self:
        return self.filter(document__workspace__members=user)


class Issue(models.Model):
    """One finding. `type` and `params` say what, in no language; `detail` is what a model wrote of it.

    `step` of `run` found it: made again, it says anew what is wrong.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, models.CASCADE, related_name="issues")
    section = models.ForeignKey(Section, models.CASCADE, null=True, related_name="issues")
    path = models.CharField(max_length=200, blank=True)
    severity = models.CharField(max_length=10, choices=Severity)
    type = models.CharField(max_length=50)
    params = models.JSONField(default=dict)
    detail = models.TextField(blank=True)
    quotes = models.JSONField(default=list)
    fix = models.TextField(blank=True)
    state = models.CharField(max_length=15, choices=IssueState, default=IssueState.OPEN)
    reason = models.CharField(max_length=500, blank=True)
    run = models.UUIDField(null=True, editable=False)
    step = models.CharField(max_length=200, blank=True, editable=False)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = IssueQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["document", "id"], name="issue_open", condition=Q(state=IssueState.OPEN)),
        ]

    def __str__(self) -> str:
        return f"{self.severity} {self.type}"
