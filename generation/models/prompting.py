"""Records of who is asked in which words: prompts as versions, agents with their chains of models."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from memory.base.ids import new_id
from memory.models import User


class Prompt(models.Model):
    """A slot that call sites name; `production` is the version that is in force."""

    slot = models.CharField(max_length=100, primary_key=True)
    description = models.TextField(blank=True)
    agent = models.CharField(max_length=50)
    variables = models.JSONField(default=list)
    production = models.ForeignKey("PromptVersion", models.PROTECT, null=True, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        permissions: ClassVar = [("promote_prompt", _("Can put a version in production"))]

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
    max_rounds = models.PositiveSmallIntegerField(
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("how often it may use tools and go on, in one answer"),
    )
    tools = models.JSONField(
        _("tools"),
        default=list,
        blank=True,
        help_text=_("the names of those it may use, of all that are offered to it; without any, all of them"),
    )
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.title

    def may_use(self, tool: str) -> bool:
        return not self.tools or tool in self.tools
