"""The page of a version on which it is rehearsed: what it would send, beside another one, and what a model answers.

To look takes the right to see versions, to ask a model the right to write them. Nothing of it is kept.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from typing import Any
from uuid import UUID

import orjson
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseNotAllowed, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from generation import rehearsals, samples, tries
from generation.diffs import Diff, diff
from generation.llm.values import Message
from generation.models import Agent, Call, Prompt, PromptVersion
from generation.rehearsals import TRY, Given, Rehearsal
from generation.tries import QUIET_SECONDS, Piece, Tried
from memory import sentences
from memory.base import limits
from memory.base.database import db
from memory.base.errors import InvalidInput, ScriptoriumError
from memory.base.text import clean_text
from memory.http import SignedInRequest
from memory.models import User

PREVIEW, FILL, ATTEMPT = "preview", "fill", "try"
DO = "do"  # the name of the buttons


class RehearsalForm(forms.Form):
    """What a version is rehearsed with. It is always bound: what was typed stays, whatever is wrong with it."""

    beside = forms.ChoiceField(label=_("Beside it"), required=False)
    call = forms.ChoiceField(label=_("Values of"), required=False)
    variables = forms.CharField(label=_("Variables (JSON)"), widget=forms.Textarea(attrs={"rows": 12}), strip=False)
    said = forms.CharField(
        label=_("What a person says then"), required=False, widget=forms.Textarea(attrs={"rows": 2}), strip=False
    )
    agent = forms.ModelChoiceField(Agent.objects.order_by("title"), label=_("Agent"), empty_label=None)
    model = forms.CharField(
        label=_("Model"),
        required=False,
        max_length=200,
        help_text=_("provider:model; empty: the first of the agent's chain"),
        widget=forms.TextInput(attrs={"list": "models", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, version: PromptVersion, offered: Sequence[Call], data: QueryDict) -> None:
        super().__init__(data)
        others = version.prompt.versions.exclude(id=version.id).select_related("prompt")
        self.fields["beside"].choices = [("", "—"), *((str(each.id), str(each)) for each in others)]  # type: ignore[attr-defined]
        self.fields["call"].choices = [("", gettext("a sample")), *((str(each.id), named(each)) for each in offered)]  # type: ignore[attr-defined]
        self.fields["agent"].label_from_instance = with_limits  # type: ignore[attr-defined]

    def clean_variables(self) -> dict[str, Any]:
        try:
            return rehearsals.read_variables(self.cleaned_data["variables"])
        except ScriptoriumError as error:
            raise forms.ValidationError(sentences.say(error.code, error.params)) from None

    def clean_said(self) -> str:
        return clean_text(self.cleaned_data["said"].replace("\r\n", "\n"))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "agent" in cleaned and "model" in cleaned:
            try:
                cleaned["model"] = rehearsals.model_of(cleaned["agent"], cleaned["model"])
            except ScriptoriumError as error:
                self.add_error("model", sentences.say(error.code, error.params))
        return cleaned

    def rehearse(self, version: PromptVersion) -> Rehearsal:
        """Of a valid form. Raises what `rehearsals.rehearse` does."""
        given = Given(self.cleaned_data["variables"], self.cleaned_data["said"])
        return rehearsals.rehearse(version, given, self.cleaned_data["agent"], self.cleaned_data["model"])


def named(call: Call) -> str:
    when = date_format(localtime(call.created_at), "SHORT_DATETIME_FORMAT")
    version = call.prompt_version.number if call.prompt_version else ""
    said = gettext("a call of {user} in “{workspace}”, {when}, v{version}, {step}")
    return said.format(user=call.user, workspace=call.workspace.name, when=when, version=version, step=call.step)


def with_limits(agent: Agent) -> str:
    temperature = "" if agent.temperature is None else gettext("temperature {t}, ").format(t=agent.temperature)
    said = gettext("{agent} ({temperature}at most {n} tokens)")
    return said.format(agent=agent.title, temperature=temperature, n=agent.max_tokens)


@dataclass(frozen=True)
class Side:
    """One of the versions side by side."""

    version: PromptVersion
    rehearsal: Rehearsal | None = None
    error: str = ""
    tried: Tried | None = None

    @property
    def failure(self) -> str:
        return failure(self.tried)


def failure(tried: Tried | None) -> str:
    """What went wrong, for a person."""
    error = tried.error if tried else None
    return sentences.say(error.code, {**error.params, "retry_after": error.retry_after}) if error else ""


@dataclass(frozen=True)
class Compared:
    role: str
    diff: Diff


# --- the page


def preview(
    page: ModelAdmin, request: SignedInRequest, version_id: UUID, warnings: Callable[[Prompt], list[str]]
) -> HttpResponseBase:
    """What would be sent; after the button to try, and without a script, with the whole answers."""
    if not page.has_view_permission(request):
        raise PermissionDenied
    version, do = version_of(version_id), request.POST.get(DO, "")
    may_try = request.user.has_perm(TRY)
    if do == ATTEMPT and not may_try:
        raise PermissionDenied
    offered = rehearsals.offered(version.prompt, request.user)
    data = filled(request, version) if do in ("", FILL) else request.POST
    form = RehearsalForm(version, offered, data)
    sides = sides_of(form, version)
    facts = {
        **page.admin_site.each_context(request),
        "title": gettext("Preview of {version}").format(version=version),
        "opts": page.opts,
        "version": version,
        "form": form,
        "sides": sides,
        "compared": compared(sides),
        "call": next((each for each in offered if str(each.id) == data.get("call")), None),
        "may_try": may_try,
        "needs_words": any(rehearsals.needs_words(side.version.text) for side in sides),
        "models": rehearsals.models_in_force(),
        "warnings": warnings(version.prompt),
    }
    if do == ATTEMPT and all(side.rehearsal for side in sides):
        limits.admit_user(request)
        draw = partial(drawn, request, translation.get_language(), facts)
        return StreamingHttpResponse(answered(sides, request.user, draw))
    return TemplateResponse(request, "generation/admin/preview.html", facts)


def version_of(version_id: UUID) -> PromptVersion:
    return get_object_or_404(PromptVersion.objects.select_related("prompt__production"), id=version_id)


def filled(request: SignedInRequest, version: PromptVersion) -> QueryDict:
    """The form as it begins, or as it was with other values in it."""
    prompt, data = version.prompt, request.POST.copy()
    if not data:
        production = "" if prompt.production_id in (None, version.id) else str(prompt.production_id)
        begin = {"beside": production, "call": "", "agent": prompt.agent, "model": ""}
        data.update({name: request.GET.get(name, value) for name, value in begin.items()})
    given = given_of(prompt, data.get("call", ""), request.user)
    data["variables"], data["said"] = rehearsals.written(given.variables), given.said
    return data


def given_of(prompt: Prompt, call_id: str, by: User) -> Given:
    """What the call that was chosen was given, else a sample; the form says so when there is no such call."""
    try:
        return rehearsals.of_call(prompt, UUID(call_id), by)[1]
    except (ValueError, ScriptoriumError):
        return Given(samples.of(prompt), samples.said())


def sides_of(form: RehearsalForm, version: PromptVersion) -> list[Side]:
    """The version, and the one beside it."""
    is_whole = form.is_valid()
    beside = form.cleaned_data.get("beside")
    versions = [version, *(PromptVersion.objects.filter(id=beside).select_related("prompt") if beside else ())]
    return [side_of(form, each) if is_whole else Side(each) for each in versions]


def side_of(form: RehearsalForm, version: PromptVersion) -> Side:
    try:
        return Side(version, form.rehearse(version))
    except ScriptoriumError as error:
        return Side(version, error=sentences.say(error.code, error.params))


def compared(sides: Sequence[Side]) -> list[Compared]:
    """What is other in the newer one of two, message by message."""
    there = [side.rehearsal for side in sorted(sides, key=lambda side: side.version.number) if side.rehearsal]
    if len(there) < 2:
        return []
    pairs = zip_longest(there[0].messages, there[1].messages)
    return [Compared(role_of(old, new), diff(said_in(old), said_in(new))) for old, new in pairs]


def role_of(*messages: Message | None) -> str:
    """Of messages in the same place, of which one may be missing."""
    return next(message.role for message in reversed(messages) if message)


def said_in(message: Message | None) -> str:
    return message.content if message else ""


# --- answers


async def answered(sides: Sequence[Side], user: User, draw: Callable[[Sequence[Side]], bytes]) -> AsyncIterator[bytes]:
    """The page with whole answers, for who has no script; blank lines meanwhile, so that proxies keep it open."""
    asked = asyncio.gather(*(tries.whole(side.rehearsal, user.pk) for side in sides if side.rehearsal))
    try:
        while not (await asyncio.wait([asked], timeout=QUIET_SECONDS))[0]:
            yield b"\n"
    finally:
        asked.cancel()
        await asyncio.wait([asked])
    yield await db(draw, [replace(side, tried=tried) for side, tried in zip(sides, asked.result(), strict=True)])


def drawn(request: SignedInRequest, language: str, facts: dict[str, Any], sides: Sequence[Side]) -> bytes:
    with translation.override(language):
        told = TemplateResponse(request, "generation/admin/preview.html", {**facts, "sides": sides})
        return told.rendered_content.encode()


def attempt(request: SignedInRequest, version_id: UUID) -> HttpResponseBase:
    """The answer to one version as it comes: `{"content"}` and `{"reasoning"}`, at last `{"html"}` with its figures."""
    if not request.user.has_perm(TRY):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    version, data = version_of(version_id), request.POST.copy()
    data["beside"] = ""  # on its page, this one may be the one beside
    form = RehearsalForm(version, rehearsals.offered(version.prompt, request.user), data)
    if not form.is_valid():
        problems = [{"path": name, "problem": "form", "message": told[0]} for name, told in form.errors.items()]
        raise InvalidInput("request", problems=problems)
    rehearsal = form.rehearse(version)
    limits.admit_user(request)
    parts = events(rehearsal, request.user.pk, translation.get_language())
    response = StreamingHttpResponse(parts, content_type="text/event-stream")
    response["X-Accel-Buffering"] = "no"
    return response


async def events(rehearsal: Rehearsal, user_id: UUID, language: str) -> AsyncIterator[bytes]:
    async with aclosing(tries.ask(rehearsal, user_id)) as pieces:
        async for piece in pieces:
            yield event(piece, language)


def event(piece: Piece | Tried | None, language: str) -> bytes:
    if piece is None:
        return b": still here\n\n"
    if isinstance(piece, Piece):
        told = {"reasoning" if piece.is_reasoning else "content": piece.text}
    else:
        with translation.override(language):
            facts = {"tried": piece, "failure": failure(piece)}
            told = {"html": render_to_string("generation/admin/_tried.html", facts)}
    return b"data: " + orjson.dumps(told) + b"\n\n"
