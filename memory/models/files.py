"""What was given: uploaded files, and what reading them gave."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models

from memory.base.ids import new_id
from memory.models.people import User, Workspace


class FileQuerySet(models.QuerySet["File"]):
    def visible(self, user: User) -> Self:
        return self.filter(workspace__members=user)


class File(models.Model):
    """An upload whose content was checked to be what its name says. The bytes lie under MEDIA_ROOT by their hash."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="files")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="files")
    name = models.CharField(max_length=255)
    kind = models.CharField(max_length=10)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FileQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Reading(models.Model):
    """What some bytes say when read as a kind of file, or why they say nothing. One for all uploads of the same bytes.

    `is_cut`: they say more than `text`. `encoding`: of plain text, where it is told or guessed.
    """

    sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=10)
    text = models.TextField(blank=True)
    characters = models.PositiveIntegerField(default=0)
    is_cut = models.BooleanField(default=False)
    encoding = models.CharField(max_length=20, blank=True)
    error = models.JSONField(null=True)
    read_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["sha256", "kind"], name="one_reading_per_content")]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} as {self.kind}"
