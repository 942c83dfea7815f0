"""REST below /api/v1: the routers of the floors, one way in, one way to read a body, one shape of error."""

from typing import Any

import orjson
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from ninja import Router, Swagger
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from chat.api import router as chat
from config import failures
from config.description import API
from generation.api import router as generation
from memory.answers import answer
from memory.api import router as memory
from memory.authentication import Bearer, Session
from memory.base.errors import InvalidInput, ScriptoriumError
from memory.base.text import clean_text, read_json

ROUTERS: tuple[Router, ...] = (memory, generation, chat)


class Reader(Parser):
    """Bodies as JSON within our bounds; texts of queries and forms cleaned, since they go into filters as they are."""

    def parse_body(self, request: HttpRequest) -> Any:
        return read_json(request.body)

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        parsed = super().parse_querydict(data, list_fields, request)
        return {name: cleaned(value) for name, value in parsed.items()}


def cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [cleaned(item) for item in value]
    return clean_text(value) if isinstance(value, str) else value


class Renderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return orjson.dumps(data, default=str)


def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = [
        {"path": ".".join(str(part) for part in item["loc"]), "problem": item["type"], "message": item["msg"]}
        for item in error.errors[:20]
    ]
    return answer(request, InvalidInput("request", problems=problems))


def unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Ninja wraps what our reader raises; what it says itself is about a body, too."""
    if isinstance(error.__cause__, ScriptoriumError):
        return answer(request, error.__cause__)
    return answer(request, InvalidInput("malformed"), status=error.status_code)


def broken(request: HttpRequest, error: Exception) -> HttpResponse:
    return failures.broken(request)


HANDLERS: dict[type[Exception], Any] = {
    ScriptoriumError: answer,
    ValidationError: invalid,
    HttpError: unreadable,
    Http404: failures.not_found,
    PermissionDenied: failures.forbidden,
    SuspiciousOperation: failures.bad_request,
    BadRequest: failures.bad_request,
    MultiPartParserError: failures.bad_request,
    UnreadablePostError: failures.bad_request,
    Exception: broken,
}


def build() -> API:
    api = API(
        title="Scriptorium",
        version="1",
        urls_namespace="api",
        openapi_url="/v1/openapi.json",
        docs=Swagger({"validatorUrl": None}),  # a picture from another host otherwise
        auth=[Bearer(), Session()],
        parser=Reader(),
        renderer=Renderer(),
    )
    for error, handler in HANDLERS.items():
        api.add_exception_handler(error, handler)
    for router in ROUTERS:
        api.add_router("/v1", router)
    return api


api = build()
