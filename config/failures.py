"""What Django says when something goes wrong (400, 403, 404, 500), in the words and shape of our own errors."""

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from memory.answers import answer
from memory.base.errors import InvalidInput, NotFound, PermissionRefused, ScriptoriumError

log = structlog.get_logger()


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return too_large(request)
    return answer(request, InvalidInput("malformed"), status=400)


def too_large(request: HttpRequest) -> HttpResponse:
    is_upload = request.content_type == "multipart/form-data"
    limit = settings.UPLOAD_MAX_BYTES if is_upload else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return answer(request, InvalidInput("body_too_large", limit=limit), status=413)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, PermissionRefused("refused"))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(request, PermissionRefused("csrf"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return answer(request, NotFound("page"))


def broken(request: HttpRequest) -> HttpResponse:
    """The traceback goes to the log, without local variables; the reader gets the id it is logged under."""
    log.exception("request_failed", method=request.method, path=request.path)
    return answer(request, ScriptoriumError("error", request=request_id()))


def request_id() -> str:
    return str(structlog.contextvars.get_contextvars().get("request", ""))
