"""An error as the reader gets it: one JSON body for programs, one small page for people."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
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
    write = writer_for(request)
    language = language_of(request)
    with translation.override(language):
        response = write(error, status or error.status)
    response["Content-Language"] = language
    if error.retry_after is not None:
        response["Retry-After"] = str(math.ceil(error.retry_after))
    if response.status_code == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


def writer_for(request: HttpRequest) -> Callable[[ScriptoriumError, int], HttpResponse]:
    if request.path.startswith("/api/") or prefers_json(request):
        return json
    return fragment if request.headers.get("HX-Request") else partial(page, request)


def language_of(request: HttpRequest) -> str:
    """The user's own once they were recognised, the browser's before; the house's when not even that was read."""
    return getattr(request, "LANGUAGE_CODE", settings.LANGUAGE_CODE)


def prefers_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def json(error: ScriptoriumError, status: int) -> HttpResponse:
    return HttpResponse(orjson.dumps(body(error), default=str), content_type="application/json", status=status)


def page(request: HttpRequest, error: ScriptoriumError, status: int) -> HttpResponse:
    """With the frame of the reader's pages once they are known, and only then: no context processor is asked and no
    row read, so that the page comes when one of these is what failed."""
    is_met = status < 500 and hasattr(request, "membership")
    frame = {"request": request, "csrf_token": get_token(request)} if is_met else {}
    told = body(error)
    happened, dot, rest = told["message"].partition(". ")  # then what is kept, and the one thing to do
    said = {"error": told, "happened": happened + dot.strip(), "rest": rest}
    text = render_to_string("error.html", {**frame, **said, "status": status})
    return HttpResponse(text, status=status)


def fragment(error: ScriptoriumError, status: int) -> HttpResponse:
    """For a page that asked for a part of itself: the page stays, and says what went wrong."""
    response = HttpResponse(render_to_string("_told.html", {"error": body(error)}), status=status)
    response["HX-Retarget"] = "#told"
    response["HX-Reswap"] = "innerHTML"
    return response
