"""Pages of workspaces: which are mine, who belongs to one and as what, which one I am in."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from memory import invitations as invites
from memory import workspaces as verbs
from memory.forms import Form, InvitationForm, NameForm, RoleForm
from memory.models import Membership, Role
from memory.pages import PageRequest, enter, signed_in_anywhere

SHOWN = 50  # members on a page


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in_anywhere
def workspaces(request: PageRequest) -> HttpResponse:
    """Mine, and a form to make another one; the new one is the one they are in."""
    form = NameForm(request.POST or None, name="workspace")
    if request.method == "POST" and form.is_valid():
        made = verbs.create(form.cleaned_data["name"], request.user)
        enter(request, request.user, made.id)
        return redirect("workspace", made.id)
    status = 400 if form.errors else 200
    return render(request, "memory/workspaces.html", {"form": form, "place": "workspaces"}, status=status)


@require_GET
@signed_in_anywhere
def workspace(request: PageRequest, workspace_id: UUID) -> HttpResponse:
    return leaf(request, verbs.visible(request.user, workspace_id))


@require_POST
@signed_in_anywhere
def switch(request: PageRequest, workspace_id: UUID) -> HttpResponse:
    enter(request, request.user, workspace_id)
    return redirect("home")


@require_POST
@signed_in_anywhere
def rename(request: PageRequest, workspace_id: UUID) -> HttpResponse:
    mine = verbs.visible(request.user, workspace_id)
    form = NameForm(request.POST, name="rename")
    if not form.is_valid():
        return leaf(request, mine, {"rename": form}, status=400)
    verbs.rename(mine.workspace, form.cleaned_data["name"], by=request.user)
    return told(request, mine, gettext("Saved."), "rename")


@require_POST
@signed_in_anywhere
def role(request: PageRequest, workspace_id: UUID, user_id: UUID) -> HttpResponse:
    mine = verbs.visible(request.user, workspace_id)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return leaf(request, mine, status=400)
    verbs.change_role(mine.workspace, user_id, form.cleaned_data["role"], by=request.user)
    return told(request, mine, gettext("Saved."), f"member-{user_id}")


@require_POST
@signed_in_anywhere
def remove(request: PageRequest, workspace_id: UUID, user_id: UUID) -> HttpResponse:
    mine = verbs.visible(request.user, workspace_id)
    verbs.remove_member(mine.workspace, user_id, by=request.user)
    if user_id == request.user.pk:
        return redirect("workspaces")
    return told(request, mine, gettext("Removed. What they wrote stays."), "members")


@require_POST
@signed_in_anywhere
def leave(request: PageRequest, workspace_id: UUID) -> HttpResponse:
    mine = verbs.visible(request.user, workspace_id)
    verbs.leave(mine.workspace, request.user)
    return redirect("workspaces")


@require_POST
@signed_in_anywhere
def invite(request: PageRequest, workspace_id: UUID) -> HttpResponse:
    """The answer itself shows the link, once: its secret is kept nowhere, so there is nothing to redirect to."""
    mine = verbs.visible(request.user, workspace_id)
    form = InvitationForm(request.POST, name="invite")
    if not form.is_valid():
        return leaf(request, mine, {"invite": form}, status=400)
    wanted = form.cleaned_data
    _, secret = invites.invite(mine.workspace, wanted["role"], by=request.user, email=wanted["email"])
    response = leaf(request, mine, link=settings.PUBLIC_URL + invites.path_for(secret))
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@signed_in_anywhere
def revoke_invitation(request: PageRequest, workspace_id: UUID, invitation_id: UUID) -> HttpResponse:
    mine = verbs.visible(request.user, workspace_id)
    invites.revoke(mine.workspace, invitation_id, by=request.user)
    return told(request, mine, gettext("Withdrawn. Its link opens nothing any more."), "invite")


def leaf(
    request: PageRequest, mine: Membership, sent: dict[str, Form] | None = None, link: str = "", status: int = 200
) -> HttpResponse:
    page = cursor_of(request.GET)
    listed = list(verbs.members(mine.workspace, page)[: SHOWN + 1])
    facts: dict[str, Any] = {
        "workspace": mine.workspace,
        "mine": mine,
        "is_owner": mine.role == Role.OWNER,
        "is_current": request.membership is not None and request.membership.workspace_id == mine.workspace_id,
        "members": listed[:SHOWN],
        "members_in_all": verbs.members(mine.workspace).count(),
        "page": page,
        "after": listed[SHOWN - 1].pk if len(listed) > SHOWN else None,
        "roles": Role.choices,
        "link": link,
        "told": {message.extra_tags: message for message in messages.get_messages(request)},
    }
    if mine.role == Role.OWNER:
        facts["invitations"] = invites.standing(mine.workspace, by=request.user)
        facts["forms"] = {
            "rename": NameForm(initial={"name": mine.workspace.name}, name="rename"),
            "invite": InvitationForm(initial={"role": Role.EDITOR}, name="invite"),
            **(sent or {}),
        }
    return render(request, "memory/workspace.html", facts, status=status)


def told(request: PageRequest, mine: Membership, sentence: str, place: str) -> HttpResponse:
    messages.success(request, sentence, extra_tags=place)
    response = redirect("workspace", mine.workspace_id)
    page = cursor_of(request.POST)
    response["Location"] += f"?after={page}#{place}" if page else f"#{place}"
    return response


def cursor_of(sent: QueryDict) -> int:
    """After whom the list of members goes on; 0 is its top."""
    cursor = sent.get("after", "")
    return int(cursor) if cursor.isdecimal() and len(cursor) < 19 else 0
