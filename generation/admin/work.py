"""Runs with what they did, and documents as they stand."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import EmptyFieldListFilter
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generation import conditions, documents, runs, time_line
from generation.conditions import Work
from generation.models import Document, Issue, Run, Section, Thread
from memory import sentences
from memory.admin import ReadOnly, ReadOnlyInline
from memory.base.errors import ScriptoriumError
from memory.http import SignedInRequest
from memory.models import Change

CHANGES_SHOWN = 50


@admin.register(Run)
class RunAdmin(ReadOnly):
    fieldsets = (
        (None, {"fields": (
            ("kind", "action"), ("state", "progress"), ("document", "title"), ("workspace", "user"),
            ("created_at", "active_seconds"), ("started_at", "finished_at"), ("parent", "retries"),
            "label", "options", "error",
        )}),
    )  # fmt: skip
    list_display = ("kind", "title", "state", "progress", "workspace", "user", "created_at", "finished_at")
    list_select_related = ("claim", "workspace", "user")
    list_filter = ("claim__state", "claim__queue", "kind")
    search_fields = ("=id", "title", "user__username")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("cancel",)
    change_form_before_template = "generation/admin/_time_line.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Called by the template only, so that who may not see the run has nothing read for them.
        story = {"time_line": lambda: time_line.of(UUID(object_id))}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **story})

    @admin.display(description=_("state"), ordering="claim__state")
    def state(self, run: Run) -> str:
        return run.claim.get_state_display()

    @admin.action(description=_("Stop"), permissions=["change"])
    def cancel(self, request: SignedInRequest, chosen: QuerySet[Run]) -> None:
        for run in chosen:
            try:
                runs.cancel(run, by=request.user)
                self.log_change(request, run, "cancelled")
            except ScriptoriumError as error:
                self.message_user(request, sentences.say(error.code, error.params), messages.ERROR)


class RunInline(ReadOnlyInline):
    model = Run
    fk_name = "document"
    fields = ("action", "state", "progress", "user", "created_at", "finished_at")
    ordering = ("-id",)
    show_change_link = True

    @admin.display(description=_("state"))
    def state(self, run: Run) -> str:
        return run.claim.get_state_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        return super().get_queryset(request).select_related("claim", "user")


@admin.register(Document)
class DocumentAdmin(ReadOnly):
    """A document as it stands, without its text: that is its workspace's."""

    fieldsets = (
        (None, {"fields": (
            ("kind", "title"), ("workspace", "user"), ("language", "status"), ("condition", "version"),
            ("parent", "folder"), ("present", "created_at"), "tree",
        )}),
    )  # fmt: skip
    list_display = ("kind", "title", "condition", "workspace", "user", "present", "created_at")
    list_select_related = ("workspace", "user")
    list_filter = ("kind", "status", "present")
    search_fields = ("=id", "title", "user__username")
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (RunInline,)
    change_form_outer_after_template = "generation/admin/_changes.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return super().get_queryset(request).annotate(condition=conditions.OF_DOCUMENT)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        changes = {"changes": lambda: last_changes(UUID(object_id))}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **changes})

    @admin.display(description=_("condition"))
    def condition(self, document: Any) -> str:
        return gettext(document.condition)

    @admin.display(description=_("sections"))
    def tree(self, document: Document) -> str:
        return branch(documents.sections_of(document), None, conditions.work_on(document))


@admin.register(Thread)
class ThreadAdmin(ReadOnly):
    """That something is said about a document, and who is to see to it; what is said is its workspace's."""

    fields = ("document", "section", "field", "user", "assignee", "said", "created_at", "active_at", "closed_at",
              "closed_by")  # fmt: skip
    list_display = ("document", "user", "assignee", "said", "created_at", "active_at", "closed_at")
    list_select_related = ("document", "user", "assignee")
    list_filter = (("closed_at", EmptyFieldListFilter),)
    search_fields = ("=id", "=document__id", "user__username", "assignee__username")
    ordering = ("-id",)
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Thread]:
        return super().get_queryset(request).annotate(said=Count("comments"))

    @admin.display(description=_("comments"))
    def said(self, thread: Any) -> int:
        return int(thread.said)


def last_changes(root_id: UUID) -> QuerySet[Change]:
    """Without their values: those are the workspace's."""
    rows = Change.objects.filter(root_id=root_id).select_related("user").defer("before", "after")
    return rows.order_by("-id")[:CHANGES_SHOWN]


def branch(rows: Sequence[Section], parent: UUID | None, work: Work) -> str:
    """The sections in this one as a list of lists."""
    items = format_html_join(
        "",
        "<li>{} {}: {}, v{}{}</li>",
        (
            (row.type, row.key, gettext(conditions.of_section(row, work)), row.version, branch(rows, row.id, work))
            for row in rows
            if row.parent_id == parent
        ),
    )
    return format_html("<ul>{}</ul>", items) if items else ""


@admin.register(Issue)
class IssueAdmin(ReadOnly):
    """What was found in documents. The words that were found fault with are their people's, and stay out of here."""

    fields = (
        "document",
        "section",
        "path",
        "severity",
        "type",
        "state",
        "reason",
        "run",
        "step",
        "decided_by",
        "created_at",
    )
    list_display = ("created_at", "type", "severity", "state", "document", "step")
    list_select_related = ("document",)
    list_filter = ("state", "severity", "type")
    search_fields = ("=document__id", "=run", "type")
    ordering = ("-id",)
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
