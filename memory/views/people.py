"""Pages of people: signing in by a one-time link or a password, signing out, the theme."""

from uuid import UUID

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from memory import sign_in as links
from memory import users
from memory.forms import SignInForm
from memory.models import User
from memory.pages import PageRequest, signed_in_anywhere

HOME = "/"
YEAR = 31_536_000


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.method != "POST" and request.user.is_authenticated:
        return redirect(next_of(request))
    form = SignInForm(request, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return go_in(request, form.get_user(), next_of(request))
    status = 400 if form.errors else 200
    return render(request, "memory/sign_in.html", {"form": form, "next": next_of(request)}, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, user_id: UUID, token: str) -> HttpResponse:
    """The link shows one button, and only the button signs in: a preview of the link does not use it up."""
    user = links.user_of(user_id, token)
    if request.method == "POST":
        return go_in(request, user, next_of(request))
    return render(request, "memory/sign_in_link.html", {"guest": user, "next": next_of(request)})


def go_in(request: HttpRequest, user: User, place: str) -> HttpResponse:
    login(request, user)
    return speaking(user.language, redirect(place))


def speaking(language: str, response: HttpResponse) -> HttpResponse:
    """Pages that do not know who reads them, such as this browser's next sign-in, speak the language last read."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR, secure=settings.HTTPS, httponly=True, samesite="Lax"
    )
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign_in")


@require_POST
@signed_in_anywhere
def theme(request: PageRequest) -> HttpResponse:
    """From what is shown to the other; `shown` says what that is where the reader's machine decides."""
    users.turn_theme(request.user, request.POST.get("shown", ""))
    return redirect(next_of(request))


def next_of(request: HttpRequest) -> str:
    """Where to go on, if it is one of our own pages."""
    wanted = request.POST.get("next") or request.GET.get("next") or HOME
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else HOME
