"""Calls to models: what was asked with which version by which arm, what it took; what was sent, for who may read it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generation import traces
from generation.models import Call
from memory import sentences
from memory.admin import ReadOnly
from memory.http import SignedInRequest
from memory.models import User

FACTS = (
    "created_at", "agent", "asked", "state", "reason", "attempt", "version", "arms", "tokens", "cost_usd",
    "first_token_ms", "duration_ms", "finish_reason", "problem", "where", "workspace", "user",
)  # fmt: skip


@admin.register(Call)
class CallAdmin(ReadOnly):
    """What was sent is the people's, and shown to who has the right to read it, as long as it is kept."""

    list_display = ("created_at", "agent", "asked", "version", "arms", "state", "reason", "step", "cost_usd")
    list_select_related = (
        "prompt_version", "workspace", "user", "run",
        "assignment__arm__experiment", "chain_assignment__arm__experiment",
    )  # fmt: skip
    list_filter = ("state",)
    search_fields = ("prompt_version__prompt__slot", "model", "agent")
    search_help_text = _("the id of a call or a run, a prompt, a model, an agent")
    ordering = ("-id",)
    show_full_result_count = False
    change_form_outer_after_template = "generation/admin/_sent.html"
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Not what the base class allows: whoever may filter by what was sent may guess it letter by letter."""
        return lookup in {"run", "step", "prompt_version", "state__exact", "state"}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Call], search_term: str
    ) -> tuple[QuerySet[Call], bool]:
        """An id is looked up as one: no index serves it as a text."""
        try:
            wanted = UUID(search_term)
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(id=wanted) | Q(run=wanted) | Q(origin=wanted)), False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return FACTS

    def change_view(
        self, request: SignedInRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Called by the template only, so that who may not see the call has nothing read for them.
        shown = {"sent": lambda: sent_of(UUID(object_id), request.user)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Call]:
        return super().get_queryset(request).select_related(*self.list_select_related).defer("messages", "variables")

    @admin.display(description=_("model"))
    def asked(self, call: Call) -> str:
        return f"{call.provider}:{call.model}"

    @admin.display(description=_("prompt version"))
    def version(self, call: Call) -> str:
        if call.prompt_version is None:
            return "—"
        place = reverse("admin:generation_promptversion_change", args=[call.prompt_version_id])
        return format_html('<a class="text-link" href="{}">{}</a>', place, call.prompt_version)

    @admin.display(description=_("arm"))
    def arms(self, call: Call) -> str:
        return ", ".join(traces.given_by(call)) or "—"

    @admin.display(description=_("tokens"))
    def tokens(self, call: Call) -> str:
        if call.tokens_in is None:
            return "—"
        said = gettext("{i} in, {o} out").format(i=call.tokens_in, o=call.tokens_out)
        return f"{said} ({gettext('estimated')})" if call.tokens_estimated else said

    @admin.display(description=_("error"))
    def problem(self, call: Call) -> str:
        """Without its parameters: a model's refusal may repeat what was said to it."""
        error = call.error or {}
        return sentences.first(sentences.say(error["error_code"], {})) if "error_code" in error else "—"

    @admin.display(description=_("made for"))
    def where(self, call: Call) -> str:
        """The way back: the run in the admin, and the page where its words stand."""
        if call.run is None:
            return gettext("{step}, of a run that is gone").format(step=call.step)
        links = [(reverse("admin:generation_run_change", args=[call.run.pk]), gettext("the run"))]
        if call.run.document_id:
            links.append((reverse("document", args=[call.run.document_id]), gettext("the document")))
        return format_html("{} {}", call.step, format_html_join(" · ", '<a class="text-link" href="{}">{}</a>', links))


@dataclass(frozen=True)
class Sent:
    """What was sent; where it is not shown, why."""

    messages: list[tuple[str, str]]
    why_not: str = ""


def sent_of(call_id: UUID, reader: User) -> Sent:
    call = Call.objects.select_related("run").get(id=call_id)
    if call.messages is None:
        return Sent([], gettext("It is not kept any more."))
    if (messages := traces.sent(call, reader)) is None:
        return Sent(
            [], gettext("It is not yours to read: that takes a right, and conversations are their owner's alone.")
        )
    return Sent([(message["role"], said(message)) for message in messages])


def said(message: dict[str, Any]) -> str:
    """Its words, and the tools that it wished for."""
    wishes = [f"{call.get('name')}({call.get('arguments')})" for call in message.get("tool_calls") or ()]
    return "\n".join([str(message["content"] or ""), *wishes])
