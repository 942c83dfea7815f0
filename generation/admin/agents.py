"""Agents: who answers, by which chain of models, within which limits."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from generation import agents, chain_check, decisions, health
from generation.decisions import MOST_REASON, PROMOTE
from generation.health import ModelHealth, Report
from generation.models import Agent, Prompt
from generation.web import engines
from memory import sentences
from memory.base.errors import ScriptoriumError
from memory.http import SignedInRequest


class AgentForm(forms.ModelForm):
    """Another chain is decided with a reason, like all that is put in force."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MOST_REASON,
        required=False,
        help_text=_("needed for another chain"),
        widget=UnfoldAdminTextInputWidget,
    )

    tools = forms.CharField(
        label=_("Tools"),
        required=False,
        help_text=_("the names of those it may use, separated by commas; without any, all that are offered to it"),
        widget=UnfoldAdminTextInputWidget,
    )

    has_new_chain = False

    def __init__(self, *args: Any, **facts: Any) -> None:
        super().__init__(*args, **facts)
        self.initial["tools"] = ", ".join(self.instance.tools)
        if "chain" in self.fields:
            self.fields["chain"].required = False  # without any it is the house's

    def clean_tools(self) -> list[str]:
        return [name.strip() for name in self.cleaned_data["tools"].split(",") if name.strip()]

    def clean_chain(self) -> list[str]:
        try:
            return decisions.clean_chain(self.instance.title, self.cleaned_data["chain"] or [])
        except ScriptoriumError as error:
            raise forms.ValidationError(sentences.say(error.code, error.params)) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        # Compared here: a list of its own that is empty counts as changed for the field.
        self.has_new_chain = "chain" in cleaned and cleaned["chain"] != self.instance.chain
        if self.has_new_chain and not str(cleaned.get("reason") or "").strip():
            self.add_error("reason", sentences.say("validation.reason", {"limit": MOST_REASON}))
        return cleaned


@admin.register(Agent)
class AgentAdmin(ModelAdmin):
    form = AgentForm
    fields = (
        "name",
        "title",
        "role",
        "chain",
        "reason",
        "override",
        "in_force",
        "temperature",
        "max_tokens",
        "max_rounds",
        "tools",
        "updated_at",
    )
    readonly_fields: tuple[str, ...] = ("name", "override", "in_force", "updated_at")
    list_display = ("title", "name", "chain", "override", "in_force")
    list_before_template = "generation/admin/_troubles.html"
    change_form_outer_before_template = "generation/admin/_agent.html"

    # --- what is shown beside the rows: called by the templates only, so that who may not see them has nothing read

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "report": health.report})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {"standing": lambda: standing(object_id), "may_check": self.has_change_permission(request)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def get_urls(self) -> list[URLPattern]:
        health, check = (self.admin_site.admin_view(view) for view in (self.health, self.check_chain))
        return [
            path("health/", health, name="generation_agent_health"),
            path("<slug:name>/check/", check, name="generation_agent_check"),
            *super().get_urls(),
        ]

    def health(self, request: HttpRequest) -> HttpResponse:
        """How models have done in the last hour; the page asks for itself again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": gettext("Health of models"), "opts": self.opts}
        shown = {"report": health.report(), "search": engines.backend()}
        return TemplateResponse(request, "generation/admin/health.html", {**context, **shown})

    def check_chain(self, request: HttpRequest, name: str) -> HttpResponse:
        """Asks the models of its chain when it is posted to; before that it says what it will ask."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        agent = get_object_or_404(Agent, name=name)
        title = gettext("Check of the chain: {agent}").format(agent=agent.title)
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "agent": agent}
        if request.method == "POST":
            try:
                context["check"] = chain_check.check(agent)
            except ScriptoriumError as error:
                context["problem"] = sentences.say(error.code, error.params)
        return TemplateResponse(request, "generation/admin/check.html", context)

    # --- who may

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if request.user.has_perm(PROMOTE) else (*self.readonly_fields, "chain")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(name for name in self.fields if name != "reason" or request.user.has_perm(PROMOTE))

    def save_model(self, request: SignedInRequest, agent: Agent, form: AgentForm, change: bool) -> None:
        agents.edit(agent, [name for name in form.changed_data if name not in {"chain", "reason"}])
        if form.has_new_chain:
            decisions.set_chain(agent, form.cleaned_data["chain"], request.user, form.cleaned_data["reason"])

    @admin.display(description=_("set by the environment"))
    def override(self, agent: Agent) -> str:
        return agents.override_of(agent.name)

    @admin.display(description=_("in force"))
    def in_force(self, agent: Agent) -> str:
        try:
            return ", ".join(str(model) for model in agents.chain(agent))
        except ScriptoriumError as error:
            return sentences.say(error.code, error.params)


@dataclass(frozen=True)
class Standing:
    """An agent beside its row: the slots that name it, and how the models of its chain do."""

    slots: list[Prompt]
    models: list[ModelHealth]
    trouble: ModelHealth | None
    report: Report


def standing(name: str) -> Standing:
    report = health.report()
    return Standing(
        list(Prompt.objects.filter(agent=name).order_by("slot")),
        report.chain_of(name),
        report.trouble_of(name),
        report,
    )
