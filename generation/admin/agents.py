"""Agents: who answers, by which chain of models, within which limits."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from generation import agents, decisions
from generation.decisions import MOST_REASON, PROMOTE
from generation.models import Agent
from memory import sentences
from memory.base.errors import ScriptoriumError
from memory.http import SignedInRequest


class AgentForm(forms.ModelForm):
    """Another chain is decided with a reason, like all that is put in force."""

    reason = forms.CharField(
        label=_("Reason"), max_length=MOST_REASON, required=False, help_text=_("needed for another chain")
    )

    def clean_chain(self) -> list[str]:
        try:
            return decisions.clean_chain(self.instance.title, self.cleaned_data["chain"] or [])
        except ScriptoriumError as error:
            raise forms.ValidationError(sentences.say(error.code, error.params)) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "chain" in self.changed_data and not str(cleaned.get("reason") or "").strip():
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
        "updated_at",
    )
    readonly_fields: tuple[str, ...] = ("name", "override", "in_force", "updated_at")
    list_display = ("title", "name", "chain", "override", "in_force")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if request.user.has_perm(PROMOTE) else (*self.readonly_fields, "chain")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return tuple(name for name in self.fields if name != "reason" or request.user.has_perm(PROMOTE))

    def save_model(self, request: SignedInRequest, agent: Agent, form: forms.ModelForm, change: bool) -> None:
        agents.edit(agent, [name for name in form.changed_data if name not in {"chain", "reason"}])
        if "chain" in form.changed_data:
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
