"""Records of conversations: a session with what it is about, and the tree of its messages.

A message holds all that is needed to show it for ever: its run, steps and events may go.
"""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from generation.models import Call, Document, Run
from memory.base.folding import fold
from memory.base.ids import new_id
from memory.models import User, Workspace


class SessionState(models.TextChoices):
    ACTIVE = "active", _("active")
    DORMANT = "dormant", _("dormant")
    ARCHIVED = "archived", _("archived")
    DELETED = "deleted", _("deleted")  # for everybody; its rows go as soon as nothing of it is being answered


class SessionQuerySet(models.QuerySet["Session"]):
    def visible(self, user: User) -> Self:
        """A conversation is its owner's alone, as long as they belong to its workspace."""
        return self.filter(user=user, workspace__members=user).exclude(state=SessionState.DELETED)


class Session(models.Model):
    """One conversation. `place` is a time-ordered id, new with each thing that is said: lists are ordered by it.

    `leaf` is the end of the branch that shows. `secret`, where there is one, lets members of the workspace read it.
    `is_named`: a person gave it its title.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="sessions")
    user = models.ForeignKey(User, models.CASCADE, related_name="chat_sessions")
    title = models.CharField(max_length=200, blank=True)
    folded_title = models.CharField(max_length=400, blank=True, editable=False)
    is_named = models.BooleanField(default=False)
    agent = models.CharField(max_length=50, default="assistant")
    state = models.CharField(max_length=10, choices=SessionState, default=SessionState.ACTIVE)
    leaf = models.ForeignKey("Message", models.SET_NULL, null=True, related_name="+")
    forked_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="forks")
    secret = models.UUIDField(null=True, unique=True, editable=False)
    place = models.UUIDField(default=new_id, editable=False)
    active_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    documents: models.ManyToManyField[Document, Link] = models.ManyToManyField(
        Document, through="Link", related_name="sessions"
    )

    objects = SessionQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # The list of somebody's conversations, the latest first, paged by place.
            models.Index(fields=["user", "workspace", "-place"], name="session_list"),
            # The sweep looks for those that have been quiet for long.
            models.Index(fields=["active_at"], name="session_active", condition=models.Q(state=SessionState.ACTIVE)),
        ]

    def __str__(self) -> str:
        return self.title or str(self.id)

    def give_title(self, title: str) -> None:
        """Nothing is saved."""
        self.title = title[:200]
        self.folded_title = fold(self.title)[:400]


class Link(models.Model):
    """What a conversation is about, and may change."""

    class By(models.TextChoices):
        PERSON = "person", _("person")
        TURN = "turn", _("turn")

    session = models.ForeignKey(Session, models.CASCADE, related_name="links")
    document = models.ForeignKey(Document, models.CASCADE, related_name="links")
    by = models.CharField(max_length=10, choices=By, default=By.PERSON)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "document"], name="one_link_each")]

    def __str__(self) -> str:
        return f"{self.session_id} about {self.document_id}"


class Speaker(models.TextChoices):
    USER = "user", _("user")
    AGENT = "agent", _("agent")


class MessageState(models.TextChoices):
    WRITING = "writing", _("writing")
    DONE = "done", _("done")
    STOPPED = "stopped", _("stopped")
    FAILED = "failed", _("failed")


class Form(models.TextChoices):
    """How an answer came about, where it was not by answering."""

    PANEL = "panel", _("panel")
    SYNTHESIS = "synthesis", _("synthesis")


class MessageQuerySet(models.QuerySet["Message"]):
    def visible(self, user: User) -> Self:
        own = self.filter(session__user=user, session__workspace__members=user)
        return own.exclude(session__state=SessionState.DELETED)


class Message(models.Model):
    """What somebody said. A message that was edited, or answered anew, is a sibling of the one before.

    Of an agent's: `parts` is what it thought, said and did, in order; `text` what it said, joined. While it is written
    both are empty, and its `run` tells. `seen`: what the model was shown, and what was decided about it.
    `step` is how the steps of its run begin that are its own, where several answers are made by one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    session = models.ForeignKey(Session, models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="replies")
    speaker = models.CharField(max_length=10, choices=Speaker)
    agent = models.CharField(max_length=50, blank=True)
    state = models.CharField(max_length=10, choices=MessageState, default=MessageState.DONE)
    text = models.TextField(blank=True)
    folded = models.TextField(blank=True, editable=False)
    parts = models.JSONField(default=list)
    seen = models.JSONField(null=True)
    usage = models.JSONField(default=dict)
    error = models.JSONField(null=True)
    files = models.JSONField(default=list)
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")
    step = models.CharField(max_length=50, blank=True)
    form = models.CharField(max_length=10, choices=Form, blank=True)
    call = models.ForeignKey(Call, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # The messages of a session, newest first, paged by id.
            models.Index(fields=["session", "-id"], name="message_list"),
        ]
        ordering: ClassVar = [F("id").asc()]

    def __str__(self) -> str:
        return f"{self.speaker} {self.id}"

    @property
    def is_open(self) -> bool:
        """Its run has not ended. Whether it waits for others before it, its run's claim tells."""
        return self.state == MessageState.WRITING

    def say(self, text: str) -> None:
        """Nothing is saved."""
        self.text, self.folded = text, fold(text)
