"""An error as the reader gets it: one JSON body for programs, one small page for people."""

import math
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation

from memory import sentences
from memory.base import metrics
from memory.base.errors import ScriptoriumError


def body(error: ScriptoriumError) -> dict[str, Any]:
    """The stable code, its sentence in the active language, what it was filled with, how long to wait if known."""
    told = {
        "error_code": error.code,
        "message": sentences.say(error.code, {**error.params, "retry_after": error.retry_after}),
        "details": error.params,
    }
    return told if error.retry_after is None else {**told, "retry_after": error.retry_after}


def answer(request: HttpRequest, error: ScriptoriumError, status: int | None = None) -> HttpResponse:
    """JSON below /api/ and for whoever prefers it, a page otherwise; the status is the family's unless given."""
    metrics.errors.labels(error.code).inc()
    write = json if request.path.startswith("/api/") or prefers_json(request) else page
    language = language_of(request)
    with translation.override(language):
        response = write(error, status or error.status)
    response["Content-Language"] = language
    if error.retry_after is not None:
        response["Retry-After"] = str(math.ceil(error.retry_after))
    if response.status_code == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def language_of(request: HttpRequest) -> str:
    """The user's own once they were recognised, the browser's before; the house's when not even that was read."""
    return getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE)


def prefers_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def json(error: ScriptoriumError, status: int) -> HttpResponse:
    return HttpResponse(orjson.dumps(body(error), default=str), content_type="application/json", status=status)


def page(error: ScriptoriumError, status: int) -> HttpResponse:
    # Without the request: when the database or a context processor is what failed, the page still comes.
    return HttpResponse(render_to_string("error.html", {"error": body(error), "status": status}), status=status)
