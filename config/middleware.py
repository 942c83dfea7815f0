"""What happens around every request, API, page and health alike."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin
from structlog.contextvars import unbind_contextvars

from memory.answers import answer
from memory.base import limits, metrics
from memory.base.errors import InvalidInput, LimitReached, ScriptoriumError

API = "/api/"


class Around:
    """A middleware written once for both colours: `before` and `after` run in the event loop too and must not wait."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.acall(request)
        begun = self.before(request)
        return self.after(request, self.get_response(request), begun)

    async def acall(self, request: HttpRequest) -> HttpResponseBase:
        begun = self.before(request)
        return self.after(request, await self.get_response(request), begun)

    def before(self, request: HttpRequest) -> Any:
        """What `after` wants to know of the beginning."""

    def after(self, request: HttpRequest, response: HttpResponseBase, begun: Any) -> HttpResponseBase:
        return response


class Strangers(Around):
    """Who asks is not known to the log until they are recognised, whoever asked in this thread before."""

    def before(self, request: HttpRequest) -> None:
        unbind_contextvars("user")  # not after it: what is streamed is theirs, too


class Measured(Around):
    """`http_request_seconds` by URL pattern: by URL, each id would be a series. A stream is counted to its start."""

    def before(self, request: HttpRequest) -> float:
        return time.perf_counter()

    def after(self, request: HttpRequest, response: HttpResponseBase, begun: float) -> HttpResponseBase:
        route = request.resolver_match.route if request.resolver_match else "none"
        metrics.http_request.labels(route, str(response.status_code)).observe(time.perf_counter() - begun)
        return response


class Failures(Around):
    """A typed error that leaves a view becomes its answer; below /api/ a wrong method does, too."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return answer(request, exception) if isinstance(exception, ScriptoriumError) else None

    def after(self, request: HttpRequest, response: HttpResponseBase, begun: None) -> HttpResponseBase:
        if response.status_code != 405 or not request.path.startswith(API):
            return response
        allowed = response.headers["Allow"]
        told = answer(request, InvalidInput("method", method=request.method, allowed=allowed), status=405)
        told["Allow"] = allowed
        return told


class RateLimits(MiddlewareMixin):
    """Counts by address all that writes, and what reads the API. Users are counted where they become known."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        if limits.is_read(request) and not request.path.startswith(API):
            return None
        try:
            limits.admit_address(request)
        except LimitReached as error:
            return answer(request, error)
        return None

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        for name, value in limits.headers(request).items():
            response[name] = value
        return response
