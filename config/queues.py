"""The pages of django-rq, for superusers: whoever can enqueue there can make a worker run what it can import."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django_rq.urls import urlpatterns as open_patterns

View = Callable[..., HttpResponseBase]


def superusers(view: View) -> View:
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), "admin:login")
        if not (request.user.is_active and request.user.is_superuser):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


app_name = "django_rq"
urlpatterns = [
    URLPattern(pattern.pattern, superusers(pattern.callback), pattern.default_args, pattern.name)
    for pattern in open_patterns
]
