"""Prompts with their versions: written, compared, put in production, carried from house to house."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.timezone import now
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from generation import decisions, prompt_checks, prompt_transfer, prompts
from generation.admin.deciding import ask, told
from generation.admin.rehearsing import attempt, preview
from generation.decisions import EXPERIMENT, PROMOTE
from generation.diffs import diff
from generation.models import Call, Decision, ExperimentState, Prompt, PromptVersion
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
    fields = ("version", "message", "from_file", "author", "created_at")

    @admin.display(description=_("version"))
    def version(self, version: PromptVersion) -> str:
        place = reverse("admin:generation_promptversion_change", args=[version.pk])
        note = f" · {gettext('in production')}" if version.prompt.production_id == version.pk else ""
        return format_html('<a class="text-link" href="{}">v{}</a>{}', place, version.number, note)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromptVersion]:
        return super().get_queryset(request).select_related("prompt", "author")


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

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        slot = unquote(object_id)
        prompt = Prompt.objects.filter(slot=slot).first()
        # Called by the template only, so that who may not see the prompt has nothing read for them.
        shown = {
            "decisions": lambda: told(Decision.objects.filter(prompt=slot), request.user),
            "warnings": lambda: warnings_of(prompt) if prompt else [],
        }
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

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
    search_fields = ("prompt__slot", "message")
    change_form_before_template = "generation/admin/_variables.html"
    change_form_outer_after_template = "generation/admin/_versions.html"

    def get_urls(self) -> list[URLPattern]:
        views = (self.compare, self.promote, self.preview, self.attempt)
        compare, promote, preview, attempt = (self.admin_site.admin_view(view) for view in views)
        return [
            path("<uuid:old>/to/<uuid:new>/", compare, name="generation_version_diff"),
            path("<uuid:version>/production/", promote, name="generation_version_promote"),
            path("<uuid:version>/preview/", preview, name="generation_version_preview"),
            path("<uuid:version>/try/", attempt, name="generation_version_try"),
            *super().get_urls(),
        ]

    def promote(self, request: SignedInRequest, version: UUID) -> HttpResponse:
        """Put it in production, or roll back to it, with a reason."""
        found = get_object_or_404(PromptVersion.objects.select_related("prompt__production"), id=version)
        before = found.prompt.production
        is_older = before is not None and found.number < before.number
        title = gettext("Roll back to {version}") if is_older else gettext("Put {version} in production")
        return ask(
            self,
            request,
            [PROMOTE],
            title.format(version=found),
            lambda reason: decisions.promote(found, request.user, reason),
            reverse("admin:generation_prompt_change", args=[quote(found.prompt_id)]),
            warnings=warnings_of(found.prompt),
            diff=diff(before.text, found.text) if before else None,
        )

    def preview(self, request: SignedInRequest, version: UUID) -> HttpResponseBase:
        """What it would send, beside another version, and what a model answers."""
        return preview(self, request, version, warnings_of)

    def attempt(self, request: SignedInRequest, version: UUID) -> HttpResponseBase:
        """The same answer as it comes, for the page's script."""
        return attempt(request, version)

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

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        slot = request.POST.get("prompt") or request.GET.get("prompt", "")
        at_hand = {"prompt": Prompt.objects.filter(slot=slot).first(), "limit": settings.PROMPT_MAX_CHARACTERS}
        return super().add_view(request, form_url, {**(extra_context or {}), **at_hand})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begun from a slot, a new version begins as the one in production."""
        given = super().get_changeform_initial_data(request)
        prompt = Prompt.objects.select_related("production").filter(slot=given.get("prompt", "")).first()
        return {**given, "text": prompt.production.text} if prompt and prompt.production else dict(given)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Called by the template only, for a version that is there.
        others = {"others": lambda: beside(UUID(object_id))}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **others})

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who decides on versions sees them."""
        return super().has_view_permission(request, obj) or any(map(request.user.has_perm, (PROMOTE, EXPERIMENT)))

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


def beside(version_id: UUID) -> QuerySet[PromptVersion]:
    """The other versions of its slot."""
    others = PromptVersion.objects.filter(prompt__versions__id=version_id).exclude(id=version_id)
    return others.select_related("prompt")


def warnings_of(prompt: Prompt) -> list[str]:
    """Why production would not be what everybody gets."""
    warnings = []
    if number := prompts.override_of(prompt.slot):
        said = gettext("The environment sets version {number} ({name}). It wins, until it is taken out there.")
        warnings.append(said.format(number=number, name=prompts.override_name(prompt.slot)))
    for experiment in prompt.experiments.filter(state=ExperimentState.RUNNING):
        said = gettext("The experiment “{title}” runs on this prompt. Who is in it gets its arms, until it is stopped.")
        warnings.append(said.format(title=experiment.title))
    return warnings
