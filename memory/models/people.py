"""Who there is and what belongs to whom: users, workspaces with their members and invitations, tokens."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from memory.base.ids import new_id


class Theme(models.TextChoices):
    """Empty: as the reader's machine has it."""

    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


class User(AbstractUser):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(_("email address"), unique=True)
    language = models.CharField(max_length=5, choices=[("en", "English"), ("fr", "Français")], default="en")
    study_level = models.CharField(max_length=100, blank=True)
    theme = models.CharField(max_length=5, choices=Theme, blank=True)

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    @property
    def name(self) -> str:
        """As others see it."""
        return self.get_full_name() or self.get_username()

    @property
    def initials(self) -> str:
        words = self.name.split()
        return "".join(word[0] for word in (words[0], *words[-1:] * (len(words) > 1))).upper()


class Role(models.TextChoices):
    """What a member may do; each role includes the ones above it."""

    VIEWER = "viewer", _("viewer")
    COMMENTER = "commenter", _("commenter")
    EDITOR = "editor", _("editor")
    OWNER = "owner", _("owner")

    def includes(self, other: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    def visible(self, user: User) -> Self:
        return self.filter(members=user)


class Workspace(models.Model):
    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    members: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        User, through="Membership", related_name="workspaces"
    )

    objects = WorkspaceQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.EDITOR)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "user"], name="one_membership_each")]

    def __str__(self) -> str:
        return f"{self.user} · {self.role} · {self.workspace}"


class Invitation(models.Model):
    """A way into a workspace for whoever holds its link. Only the hash of its secret is kept, and it works once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role, default=Role.EDITOR)
    email = models.EmailField(_("email address"), blank=True, help_text=_("whom it is meant for"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, models.CASCADE, related_name="invitations_sent")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="invitations_taken")
    revoked_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.workspace} · {self.role} · {self.email or self.id}"


class Token(models.Model):
    """A program's key. Only its hash is kept; a revoked or expired token opens nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"
