"""The page of one's own: name, language, theme, password, tokens of programs. Small forms, each saved alone."""

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, override
from django.views.decorators.http import require_GET, require_POST

from memory import tokens, users
from memory.forms import AboutForm, Form, PasswordForm, ReadingForm, TokenForm
from memory.models import User
from memory.pages import PageRequest, signed_in_anywhere
from memory.views.people import speaking


@require_GET
@signed_in_anywhere
def profile(request: PageRequest) -> HttpResponse:
    return leaf(request)


@require_POST
@signed_in_anywhere
def about(request: PageRequest) -> HttpResponse:
    form = AboutForm(request.POST, name="about")
    if not form.is_valid():
        return leaf(request, {"about": form}, status=400)
    users.introduce(request.user, form.cleaned_data["name"], form.cleaned_data["study_level"])
    return saved(request, "about")


@require_POST
@signed_in_anywhere
def reading(request: PageRequest) -> HttpResponse:
    form = ReadingForm(request.POST, name="reading")
    if not form.is_valid():
        return leaf(request, {"reading": form}, status=400)
    language = form.cleaned_data["language"]
    users.set_reading(request.user, language, form.cleaned_data["theme"])
    with override(language):
        return speaking(language, saved(request, "reading"))


@require_POST
@signed_in_anywhere
def password(request: PageRequest) -> HttpResponse:
    form = PasswordForm(request.user, request.POST, name="password")
    if not form.is_valid():
        return leaf(request, {"password": form}, status=400)
    users.set_password(request.user, form.cleaned_data["new"])
    update_session_auth_hash(request, request.user)
    return saved(request, "password")


@require_POST
@signed_in_anywhere
def token(request: PageRequest) -> HttpResponse:
    """The answer itself shows the secret, once: it is kept nowhere, so there is nothing to redirect to."""
    form = TokenForm(request.POST, name="token")
    if not form.is_valid():
        return leaf(request, {"token": form}, status=400)
    _, secret = tokens.issue(request.user, form.cleaned_data["name"], form.cleaned_data["scopes"])
    response = leaf(request, secret=secret)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@signed_in_anywhere
def revoke(request: PageRequest, token_id: UUID) -> HttpResponse:
    tokens.revoke_own(token_id, by=request.user)
    messages.success(request, gettext("Revoked."), extra_tags="token")
    return redirect(reverse("profile") + "#token")


def leaf(
    request: PageRequest, sent: Mapping[str, Form] | None = None, secret: str = "", status: int = 200
) -> HttpResponse:
    """The page with its forms as they stand; `sent` are those that came back with something to correct."""
    shown = {**forms_of(request.user), **(sent or {})}
    told = {message.extra_tags: message for message in messages.get_messages(request)}
    facts = {"forms": shown, "told": told, "tokens": tokens.of(request.user), "secret": secret, "place": "profile"}
    return render(request, "memory/profile.html", facts, status=status)


def forms_of(user: User) -> dict[str, Form]:
    named = {"name": user.get_full_name(), "study_level": user.study_level}
    return {
        "about": AboutForm(initial=named, name="about"),
        "reading": ReadingForm(initial={"language": user.language, "theme": user.theme}, name="reading"),
        "password": PasswordForm(user, name="password"),
        "token": TokenForm(name="token"),
    }


def saved(request: PageRequest, name: str) -> HttpResponse:
    messages.success(request, gettext("Saved."), extra_tags=name)
    return redirect(f"{reverse('profile')}#{name}")
