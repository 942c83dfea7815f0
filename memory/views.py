"""Pages of people: the one-time sign-in link."""

from uuid import UUID

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from memory import sign_in as links

HOME = "/admin/"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest, user_id: UUID, token: str) -> HttpResponse:
    """The link shows one button, and only the button signs in: a preview of the link does not use it up."""
    user = links.user_of(user_id, token)
    if request.method == "POST":
        login(request, user)
        return redirect(next_of(request))
    return render(request, "memory/sign_in.html", {"guest": user, "next": next_of(request)})


def next_of(request: HttpRequest) -> str:
    """Where to go on, if it is one of our own pages."""
    wanted = request.POST.get("next") or request.GET.get("next") or HOME
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else HOME
