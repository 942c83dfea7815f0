"""One page for all that is decided with a reason: what it does, what speaks against it, and one button."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from generation import decisions
from generation.decisions import MOST_REASON
from generation.models import Decision
from memory import sentences
from memory.admin import ReadOnly
from memory.base.errors import ScriptoriumError
from memory.http import SignedInRequest

SHOWN = 50


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=MOST_REASON, widget=forms.TextInput(attrs={"size": 60}))


def ask(
    page: ModelAdmin,
    request: SignedInRequest,
    rights: Sequence[str],
    title: str,
    act: Callable[[str], object],
    back: str,
    form: forms.Form | None = None,
    **facts: Any,
) -> HttpResponse:
    """Ask for the reason, or for what the form asks, act by it, and say so where it was asked from.

    Who lacks a right never sees the question.
    """
    if not request.user.has_perms(rights):
        raise PermissionDenied
    form = form or ReasonForm(request.POST or None)
    if form.is_valid():
        try:
            act(form.cleaned_data.get("reason", ""))
        except ScriptoriumError as error:
            form.add_error(None, sentences.say(error.code, error.params))
        else:
            page.message_user(request, gettext("Done: {what}").format(what=title), messages.SUCCESS)
            return redirect(back)
    context = {**page.admin_site.each_context(request), "title": title, "opts": page.opts, "form": form, "back": back}
    return TemplateResponse(request, "generation/admin/decide.html", {**context, **facts})


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    """Who did what, when and why; the last word on a thing can be taken back here."""

    fields = ("deed", "prompt", "agent", "experiment", "from_to", "reason", "user", "created_at", "undoes")
    list_display = ("created_at", "deed", "about", "from_to", "reason", "user", "way_back")
    list_select_related = ("prompt", "agent", "experiment", "user", "undone_by")
    list_filter = ("deed",)
    search_fields = ("prompt__slot", "agent__name", "experiment__title", "reason", "user__username")
    ordering = ("-id",)
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        may_decide = any(map(request.user.has_perm, decisions.RIGHTS.values()))
        return tuple(name for name in self.list_display if may_decide or name != "way_back")

    def get_urls(self) -> list[URLPattern]:
        undo = self.admin_site.admin_view(self.undo)
        return [path("<uuid:decision>/undo/", undo, name="generation_decision_undo"), *super().get_urls()]

    @admin.display(description=_("about"))
    def about(self, decision: Decision) -> str:
        return decision.about

    @admin.display(description=_("from → to"))
    def from_to(self, decision: Decision) -> str:
        return from_to(decision)

    @admin.display(description=_("way back"))
    def way_back(self, decision: Decision) -> str:
        if hasattr(decision, "undone_by"):
            return gettext("undone")
        return link_to_undo(decision) if decisions.can_be_undone(decision) else ""

    def undo(self, request: SignedInRequest, decision: Any) -> HttpResponse:
        found = get_object_or_404(Decision.objects.select_related("experiment"), id=decision)
        title = gettext("Undo: {what}").format(what=found)
        back = reverse("admin:generation_decision_changelist")
        rights = rights_of(found)
        does = f"{from_to(found)} ({found.reason})"
        return ask(
            self, request, rights, title, lambda reason: decisions.undo(found, request.user, reason), back, does=does
        )


@dataclass(frozen=True)
class Told:
    """A decision in a list of those about one thing. Only the last has a way back there: the others have passed."""

    decision: Decision
    said: str
    has_way_back: bool


def told(decisions_on_it: QuerySet[Decision], reader: Any) -> list[Told]:
    """`reader`: a way back is shown to whoever may go it."""
    rows = decisions_on_it.select_related("user", "experiment")[:SHOWN]

    def may_undo(decision: Decision) -> bool:
        return decisions.can_be_undone(decision) and reader.has_perms(rights_of(decision))

    return [Told(row, from_to(row), index == 0 and may_undo(row)) for index, row in enumerate(rows)]


def rights_of(decision: Decision) -> list[str]:
    """What it takes to undo it."""
    return sorted({decisions.RIGHTS.get(name, decisions.EXPERIMENT) for name in decision.before})


def from_to(decision: Decision) -> str:
    """What it changed, as `v3 → v2`."""
    return " · ".join(
        f"{said(name, decision.before.get(name))} → {said(name, value)}" for name, value in decision.after.items()
    )


def said(name: str, value: Any) -> str:
    if value is None or value == []:
        return "—"
    if name == "production":
        return f"v{value}"
    if name == "chain":
        return ", ".join(value)
    if name == "arms":
        return ", ".join(f"{arm} {share}" for arm, share in value.items())
    return gettext(str(value))


def link_to_undo(decision: Decision) -> str:
    return format_html(
        '<a class="text-link" href="{}">{}</a>',
        reverse("admin:generation_decision_undo", args=[decision.pk]),
        gettext("Undo"),
    )
