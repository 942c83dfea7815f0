"""How a page goes on after something was done: to another page, or, for a page that asked by htmx, with fresh lists."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme


def done(request: HttpRequest, target: str = "/", news: str = "changed") -> HttpResponse:
    """`next` of the form, if it is one of our own pages; else the target. A page that asked by htmx hears `news`."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Trigger": news})
    wanted = request.POST.get("next") or target
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if is_ours else target)


def begun(request: HttpRequest, target: str) -> HttpResponse:
    """After something that a run does: its lists and its document look again."""
    return done(request, target, "begun, changed")
