"""Prompts with their versions, and agents with their chains of models."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.timezone import now
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from generation import agents, prompt_checks, prompt_transfer, prompts
from generation.diffs import diff
from generation.llm.values import ModelRef
from generation.models import Agent, Call, Prompt, PromptVersion
from memory import sentences
from memory.admin import ReadOnly, ReadOnlyInline
from memory.base.errors import ScriptoriumError
from memory.base.text import read_json
from memory.http import SignedInRequest

RECENT_DAYS = 7
MOST_BYTES = 10_000_000  # of an imported slot
SHOWN = ("prompt", "whole", "message", "from_file", "author", "created_at")  # of a version: none of it changes


class VersionInline(ReadOnlyInline):
    model = PromptVersion
    fields = ("number", "message", "from_file", "author", "created_at")
    show_change_link = True


class TransferForm(forms.Form):
    file = forms.FileField(label=_("An exported slot (JSON)"), max_length=200)

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if upload.size > MOST_BYTES:
            raise forms.ValidationError(sentences.say("validation.body_too_large", {"limit": MOST_BYTES}))
        try:
            return read_json(upload.read())
        except ScriptoriumError as error:
            raise forms.ValidationError(sentences.say(error.code, error.params)) from None


@admin.register(Prompt)
class PromptAdmin(ReadOnly):
    fields = ("slot", "description", "agent", "variables", "production", "override", "updated_at")
    list_display = ("slot", "agent", "production", "override", "recent", "updated_at")
    list_select_related = ("production",)
    search_fields = ("slot",)
    inlines = (VersionInline,)
    change_form_before_template = "generation/admin/_prompt.html"
    list_after_template = "generation/admin/_import.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        out, take_in = (self.admin_site.admin_view(view) for view in (self.export, self.take_in))
        return [
            path("export/<path:slot>/", out, name="generation_prompt_export"),
            path("import/", take_in, name="generation_prompt_import"),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest, slot: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        prompt = get_object_or_404(Prompt.objects.select_related("production"), slot=slot)
        name = f"{slot.replace('/', '-')}.json"
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        content = orjson.dumps(prompt_transfer.export(prompt), option=orjson.OPT_INDENT_2)
        return HttpResponse(content, content_type="application/json", headers=disposition)

    def take_in(self, request: SignedInRequest) -> HttpResponse:
        """A slot that was exported, here or elsewhere: its new texts become versions."""
        if not request.user.has_perm("generation.add_promptversion"):
            raise PermissionDenied
        form = TransferForm(request.POST or None, request.FILES or None)
        if form.is_valid():
            try:
                made = prompt_transfer.take_in(form.cleaned_data["file"], request.user)
            except ScriptoriumError as error:
                form.add_error("file", sentences.say(error.code, error.params))
            else:
                for version in made:
                    self.log_addition(request, version, "imported")
                said = ngettext("{n} version was added.", "{n} versions were added.", len(made)).format(n=len(made))
                self.message_user(request, said, messages.SUCCESS)
                return redirect("admin:generation_prompt_changelist")
        facts = {**self.admin_site.each_context(request), "title": gettext("Import a slot"), "opts": self.opts}
        return TemplateResponse(request, "generation/admin/import.html", {**facts, "form": form})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prompt]:
        since = now() - timedelta(days=RECENT_DAYS)
        used = Call.objects.filter(prompt_version__prompt=OuterRef("pk"), created_at__gt=since).order_by()
        count = used.values("prompt_version__prompt").annotate(n=Count("pk")).values("n")
        return super().get_queryset(request).annotate(recent=Coalesce(Subquery(count), 0))

    @admin.display(description=_("calls in 7 days"), ordering="recent")
    def recent(self, prompt: Any) -> int:
        return int(prompt.recent)

    @admin.display(description=_("set by the environment"))
    def override(self, prompt: Prompt) -> str:
        return prompts.override_of(prompt.slot)


class VersionForm(forms.ModelForm):
    """A text is checked whole before it is kept; what it leaves out is asked about once."""

    accept = forms.BooleanField(label=_("It leaves variables out on purpose"), required=False)

    def clean_text(self) -> str:
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")  # as browsers send it

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not (prompt := cleaned.get("prompt")) or "text" not in cleaned:
            return cleaned
        for problem in prompt_checks.check(cleaned["text"], prompt.variables):
            if not problem.is_warning:
                where = gettext("Line {n}: ").format(n=problem.line) if problem.line else ""
                self.add_error("text", f"{where}{problem.said}")
            elif not cleaned.get("accept"):
                self.add_error("accept", problem.said)
        return cleaned


@admin.register(PromptVersion)
class PromptVersionAdmin(ModelAdmin):
    """A version never changes: a new text is a new version."""

    form = VersionForm
    fields = ("prompt", "text", "message", "accept")
    list_display = ("__str__", "message", "from_file", "author", "created_at", "is_production")
    list_select_related = ("prompt", "author")
    list_filter = ("prompt",)
    ordering = ("-created_at",)
    actions = ("set_production",)
    change_form_outer_after_template = "generation/admin/_versions.html"

    def get_urls(self) -> list[URLPattern]:
        compare = self.admin_site.admin_view(self.compare)
        return [path("<uuid:old>/to/<uuid:new>/", compare, name="generation_version_diff"), *super().get_urls()]

    def compare(self, request: HttpRequest, old: UUID, new: UUID) -> HttpResponse:
        """What changed between two versions of a slot, word by word."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        before, after = (
            get_object_or_404(PromptVersion.objects.select_related("prompt"), id=each) for each in (old, new)
        )
        facts = {
            **self.admin_site.each_context(request),
            "title": f"{before} → {after}",
            "opts": self.opts,
            "before": before,
            "after": after,
            "diff": diff(before.text, after.text),
        }
        return TemplateResponse(request, "generation/admin/compare.html", facts)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begun from a slot, a new version begins as the one in production."""
        given = super().get_changeform_initial_data(request)
        prompt = Prompt.objects.select_related("production").filter(slot=given.get("prompt", "")).first()
        return {**given, "text": prompt.production.text} if prompt and prompt.production else dict(given)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        beside = PromptVersion.objects.filter(prompt__versions__id=UUID(object_id)).exclude(id=object_id)
        others = {"others": lambda: beside.select_related("prompt")}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **others})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return SHOWN if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return SHOWN if obj else self.fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)

    @admin.display(description=_("text"))
    def whole(self, version: PromptVersion) -> str:
        return format_html('<pre class="prompt-text">{}</pre>', version.text)

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
