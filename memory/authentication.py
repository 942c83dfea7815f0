"""Who asks: a program by its Bearer token, a person by their session. The same for REST, streams and sockets."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from ninja.security.base import AuthBase
from structlog.contextvars import bind_contextvars

from memory import tokens
from memory.base.errors import PermissionRefused, SignInNeeded
from memory.base.limits import admit_user, is_read
from memory.models import Token, User


def user_of(request: HttpRequest) -> User:
    """The user behind the request, who is `request.user` from then on, and whose language answers are written in.

    A token needs the scope of what is done (`read` to look, `write` for the rest); a session needs the CSRF token for
    what is not a read. Raises `authentication.needed`, `authentication.token`, `permission.scope`, `permission.csrf`,
    `limit.requests`.
    """
    secret = secret_of(request)
    if secret is not None:
        token = tokens.authenticate(secret)
        user = recognised(request, token.user)
        check_scope(token, "read" if is_read(request) else "write")
    elif isinstance(request.user, User):
        user = recognised(request, request.user)
        check_csrf(request)
    else:
        raise SignInNeeded("needed")
    admit_user(request)
    return user


def recognised(request: HttpRequest, user: User) -> User:
    """Known now, also to a refusal that follows: it is told in the user's language, not in their browser's. And to
    the log, until the request ends."""
    bind_contextvars(user=str(user.pk))
    request.user = user
    request.LANGUAGE_CODE = user.language
    return user


def user_of_token(secret: str, scope: str) -> User:
    """The user of a live token that has the scope; `authentication.token` or `permission.scope` otherwise."""
    token = tokens.authenticate(secret)
    check_scope(token, scope)
    return token.user


def check_scope(token: Token, scope: str) -> None:
    if scope not in token.scopes:
        raise PermissionRefused("scope", needed=scope, held=token.scopes)


def secret_of(request: HttpRequest) -> str | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def check_csrf(request: HttpRequest) -> None:
    """What Django's middleware does for forms, for views it leaves alone because programs call them too."""
    guard = CsrfViewMiddleware(reached)
    request.csrf_processing_done = False  # type: ignore[attr-defined]
    guard.process_request(request)
    if guard.process_view(request, reached, (), {}) is not None:
        raise PermissionRefused("csrf")


def reached(request: HttpRequest) -> HttpResponse:
    """Stands where the view would, for a guard that only says whether it may be reached."""
    return HttpResponse()


class Bearer(AuthBase):
    """What OpenAPI says of tokens. A request without one is left to the session."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> User | None:
        return None if secret_of(request) is None else user_of(request)


class Session(AuthBase):
    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME
    csrf = True  # ninja's documentation page then sends the token with what one tries out

    def __call__(self, request: HttpRequest) -> User:
        return user_of(request)
