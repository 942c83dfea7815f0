"""What every page begins with: who reads it, in which language, and in which of their workspaces they are."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django_htmx.middleware import HtmxDetails

from memory import workspaces
from memory.authentication import user_of
from memory.base.errors import SignInNeeded
from memory.models import Membership, Role, User

P = ParamSpec("P")
WORKSPACE = "workspace"  # in the session: the one last chosen


class PageRequest(HttpRequest):
    """A request for a page by somebody who has signed in. `membership` is None for who belongs to no workspace."""

    user: User
    htmx: HtmxDetails
    memberships: list[Membership]
    membership: Membership | None


View = Callable[Concatenate[PageRequest, P], HttpResponseBase]


def signed_in(view: View[P]) -> Callable[..., HttpResponseBase]:
    """The view, for people who have signed in and in their language; others are sent to do so and come back.

    Who belongs to no workspace yet is offered to make one, wherever a page would show what is in it. What they ask
    for by its id is looked for all the same: it is not theirs, and its error says so.
    """

    def page(request: PageRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.membership is None and request.method == "GET" and not (kwargs or request.htmx):
            return render(request, "memory/no_workspace.html")
        return view(request, *args, **kwargs)

    return wraps(view)(signed_in_anywhere(page))


def signed_in_anywhere(view: View[P]) -> Callable[..., HttpResponseBase]:
    """The same for pages that need no workspace: the profile, the way into a workspace."""

    @wraps(view)
    def page(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            meet(request, user_of(request))
        except SignInNeeded:
            return to_sign_in(request)
        return in_their_language(view, request, *args, **kwargs)

    return page


def anybody(view: View[P]) -> Callable[..., HttpResponseBase]:
    """The view, for everybody; who has signed in is met like on every page."""

    @wraps(view)
    def page(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return view(request, *args, **kwargs)
        meet(request, user_of(request))
        return in_their_language(view, request, *args, **kwargs)

    return page


def meet(request: PageRequest, user: User) -> None:
    request.memberships = list(workspaces.memberships(user))
    request.membership = chosen(request.memberships, request.session.get(WORKSPACE))


def in_their_language(view: View[P], request: PageRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
    language = request.user.language
    with translation.override(language):
        response = view(request, *args, **kwargs)
    response.headers.setdefault("Content-Language", language)
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def enter(request: HttpRequest, user: User, workspace_id: UUID) -> None:
    """From now on their pages show this workspace; `not_found.workspace` when it is not one of theirs."""
    membership = workspaces.visible(user, workspace_id)
    request.session[WORKSPACE] = str(membership.workspace_id)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """A fragment cannot be redirected: its page goes to sign in, and comes back to itself."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    back = htmx.current_url_abs_path if htmx else request.get_full_path() if request.method == "GET" else ""
    target = f"{reverse('sign_in')}?{urlencode({'next': back or '/'})}"
    if not htmx:
        return redirect(target)
    response = HttpResponse(status=401)
    response["HX-Redirect"] = target
    return response


def may_write(request: PageRequest, workspace_id: UUID) -> bool:
    """Whether the reader may change what lives in this workspace: else its page shows no buttons."""
    return may(request, workspace_id, Role.EDITOR)


def may(request: PageRequest, workspace_id: UUID, role: Role) -> bool:
    """Whether the reader has at least this role in this workspace."""
    held = next((each.role for each in request.memberships if each.workspace_id == workspace_id), None)
    return held is not None and Role(held).includes(role)


def chosen(memberships: list[Membership], named: str | None) -> Membership | None:
    """The one last chosen, if it is still theirs; else their oldest."""
    for membership in memberships:
        if named and membership.workspace_id == UUID(named):
            return membership
    return memberships[0] if memberships else None
