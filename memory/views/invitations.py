"""The page of an invitation's link: who invites, to what, as what; one button to join, or a new account that joins."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from memory import invitations as invites
from memory.forms import SignUpForm
from memory.models import Invitation, User
from memory.pages import anybody, enter
from memory.views.people import go_in

Sent = SignUpForm | None


@never_cache
@require_GET
@anybody
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    found = invites.find(secret)
    user = request.user if isinstance(request.user, User) else None
    held = invites.held_in(found.workspace, user) if user else None
    if user and held and not invites.raises(found, user):
        return render(request, "memory/invitation_member.html", {"invitation": found, "held": held})
    invites.check(found)
    return leaf(request, found, secret, None if user else new_form(found))


@require_POST
@anybody
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Whose session has ended meanwhile is asked again who they are, at the same link."""
    if not isinstance(request.user, User):
        return redirect("invitation", secret)
    joined = invites.accept(secret, request.user)
    enter(request, request.user, joined.workspace_id)
    return redirect("home")


@never_cache
@require_POST
def sign_up(request: HttpRequest, secret: str) -> HttpResponse:
    """An account and its place in the workspace in one step."""
    found = invites.find(secret)
    invites.check(found)
    form = SignUpForm(request.POST, name="sign-up")
    if not form.is_valid():
        return leaf(request, found, secret, form, status=400)
    wanted = form.cleaned_data
    language = get_language() or "en"
    user = invites.sign_up(secret, wanted["username"], wanted["email"], wanted["password"], language)
    return go_in(request, user, "/")


def leaf(request: HttpRequest, found: Invitation, secret: str, form: Sent, status: int = 200) -> HttpResponse:
    facts = {"invitation": found, "secret": secret, "path": invites.path_for(secret), "form": form}
    return render(request, "memory/invitation.html", facts, status=status)


def new_form(found: Invitation) -> SignUpForm:
    return SignUpForm(initial={"email": found.email}, name="sign-up")
