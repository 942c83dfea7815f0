"""Staff's view of the work: runs with steps and calls, documents, prompts with their versions, agents with chains."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from generation import agents, conditions, documents, prompts, runs, time_line
from generation.conditions import Work
from generation.llm.values import ModelRef
from generation.models import Agent, Document, Prompt, PromptVersion, Run, Section
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


class VersionInline(ReadOnlyInline):
    model = PromptVersion
    fields = ("number", "message", "from_file", "author", "created_at")
    show_change_link = True


@admin.register(Prompt)
class PromptAdmin(ReadOnly):
    fields = ("slot", "description", "agent", "variables", "production", "updated_at")
    list_display = ("slot", "agent", "production", "override", "updated_at")
    list_select_related = ("production",)
    search_fields = ("slot",)
    inlines = (VersionInline,)

    @admin.display(description=_("set by the environment"))
    def override(self, prompt: Prompt) -> str:
        return prompts.override_of(prompt.slot)


class VersionForm(forms.ModelForm):
    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n")  # as browsers send it
        try:
            prompts.parts(text)
        except ScriptoriumError as error:
            raise forms.ValidationError(sentences.say(error.code, error.params)) from None
        return text


@admin.register(PromptVersion)
class PromptVersionAdmin(ModelAdmin):
    """A version never changes: a new text is a new version."""

    form = VersionForm
    fields = ("prompt", "text", "message")
    list_display = ("__str__", "message", "from_file", "author", "created_at", "is_production")
    list_select_related = ("prompt", "author")
    list_filter = ("prompt",)
    actions = ("set_production",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields if obj else ()

    def save_model(self, request: HttpRequest, version: PromptVersion, form: forms.ModelForm, change: bool) -> None:
        if not change:
            prompts.add_version(
                version.prompt, version.text, id=version.id, author=request.user, message=version.message
            )
            version.refresh_from_db()

    @admin.display(description=_("in production"), boolean=True)
    def is_production(self, version: PromptVersion) -> bool:
        return version.prompt.production_id == version.id

    @admin.action(description=_("Set as production"), permissions=["change"])
    def set_production(self, request: SignedInRequest, chosen: QuerySet[PromptVersion]) -> None:
        for version in chosen:
            prompts.set_production(version, by=request.user)
            self.log_change(request, version, "set as production")


class AgentForm(forms.ModelForm):
    def clean_chain(self) -> list[str]:
        chain = self.cleaned_data["chain"] or []
        try:
            return [str(ModelRef.parse(name)) for name in chain]
        except (AttributeError, TypeError, ValueError):
            said = sentences.say("validation.chain", {"agent": self.instance.title})
            raise forms.ValidationError(said) from None


@admin.register(Agent)
class AgentAdmin(ModelAdmin):
    form = AgentForm
    fields = (
        "name",
        "title",
        "role",
        "chain",
        "override",
        "in_force",
        "temperature",
        "max_tokens",
        "max_rounds",
        "updated_at",
    )
    readonly_fields = ("name", "override", "in_force", "updated_at")
    list_display = ("title", "name", "chain", "override", "in_force")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("set by the environment"))
    def override(self, agent: Agent) -> str:
        return agents.override_of(agent.name)

    @admin.display(description=_("in force"))
    def in_force(self, agent: Agent) -> str:
        try:
            return ", ".join(str(model) for model in agents.chain(agent))
        except ScriptoriumError as error:
            return sentences.say(error.code, error.params)
