"""Records of what people say about a document: threads, the comments in them, who is mentioned, who has looked."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from generation.models.documents import Document, Section
from memory.base.ids import new_id
from memory.models import User


class ThreadQuerySet(models.QuerySet["Thread"]):
    def visible(self, user: User) -> Self:
        """Of documents in the user's workspaces that do not lie in the bin."""
        return self.filter(document__workspace__members=user, document__present=True)

    def whole(self) -> Self:
        """With what verbs and pictures need."""
        return self.select_related("document__workspace", "section", "user", "assignee", "closed_by")


class Thread(models.Model):
    """What is said about a document, one of its sections, or a field of either. Open until somebody closes it.

    `quote` is the text it speaks of, as a reader saw it when the object had this `version`. `active_at` is when
    something in it was last said or asked of somebody.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    document = models.ForeignKey(Document, models.CASCADE, related_name="threads", db_index=False)
    section = models.ForeignKey(Section, models.CASCADE, null=True, related_name="threads")
    field = models.CharField(max_length=200, blank=True)
    quote = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=0)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="threads")
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, related_name="threads_assigned", db_index=False)
    closed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="threads_closed")
    closed_at = models.DateTimeField(null=True)
    active_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())

    objects = ThreadQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # The threads of a document, newest first, paged by id.
            models.Index(fields=["document", "-id"], name="thread_list"),
            # How many are open, section by section.
            models.Index(fields=["document", "section"], name="thread_open", condition=Q(closed_at=None)),
            # What somebody is asked to see to.
            models.Index(fields=["assignee", "-id"], name="thread_assigned", condition=Q(assignee__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.id}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def about(self) -> Document | Section:
        return self.section or self.document


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible(self, user: User) -> Self:
        return self.filter(thread__document__workspace__members=user, thread__document__present=True)


class Comment(models.Model):
    """One text in a thread. A deleted one that others answered stays, without its text.

    `key` names the request that made it, so that the same one makes it once.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="comments", db_index=False)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="comments", db_index=False)
    text = models.TextField()
    key = models.CharField(max_length=200, null=True)  # noqa: DJ001 what has none is unlike all others
    created_at = models.DateTimeField(db_default=Now())
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "key"], name="one_comment_per_key"),
        ]
        indexes: ClassVar = [
            # A thread, in the order in which it was said.
            models.Index(fields=["thread", "id"], name="comment_of_thread"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id} {self.id}"


class MentionQuerySet(models.QuerySet["Mention"]):
    def visible(self, user: User) -> Self:
        return self.filter(comment__thread__document__workspace__members=user, comment__thread__document__present=True)


class Mention(models.Model):
    """A comment names this user, who was a member of the workspace when it was written."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    comment = models.ForeignKey(Comment, models.CASCADE, related_name="mentions")
    user = models.ForeignKey(User, models.CASCADE, related_name="mentions", db_index=False)

    objects = MentionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "comment"], name="one_mention_each"),
        ]

    def __str__(self) -> str:
        return f"{self.comment_id} @{self.user_id}"


class SeenQuerySet(models.QuerySet["Seen"]):
    def visible(self, user: User) -> Self:
        """Who has looked at what is nobody else's to know."""
        return self.filter(user=user)


class Seen(models.Model):
    """When this user last looked at this thread: what came later is new to them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    thread = models.ForeignKey(Thread, models.CASCADE, related_name="seen", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    at = models.DateTimeField(db_default=Now())

    objects = SeenQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["thread", "user"], name="one_look_each"),
        ]

    def __str__(self) -> str:
        return f"{self.thread_id} {self.user_id}"
