"""What a provider says of a failure, as our error: by a status, by a word in its body, by an event in a stream."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from memory.base.errors import (
    ModelError,
    ModelRateLimited,
    ModelRefused,
    ModelStreamBroken,
    ModelTimeout,
    ModelUnavailable,
)

MAX_DETAIL = 300

# What a provider says in `code` or `type` of an error body says more than the status it came with.
WORDS: dict[str, tuple[type[ModelError], str]] = {
    "insufficient_quota": (ModelRefused, "quota_spent"),
    "billing_error": (ModelRefused, "quota_spent"),
    "enforced_spend_limit_reached": (ModelRefused, "quota_spent"),
    "contract_spend_limit_reached": (ModelRefused, "quota_spent"),
    "linked_organization_spend_limit_reached": (ModelRefused, "quota_spent"),
    "rate_limit_exceeded": (ModelRateLimited, "rate_limited"),
    "rate_limit_error": (ModelRateLimited, "rate_limited"),
    "content_filter": (ModelRefused, "content_filter"),
    "content_policy_violation": (ModelRefused, "content_filter"),
    "invalid_prompt": (ModelRefused, "content_filter"),  # how Responses calls one that its filter held back
    "bio_policy": (ModelRefused, "content_filter"),
    "misalignment_policy_violation": (ModelRefused, "content_filter"),
    "context_length_exceeded": (ModelRefused, "too_long"),
    "request_too_large": (ModelRefused, "too_long"),
    "model_not_found": (ModelRefused, "unknown_model"),
    "not_found_error": (ModelRefused, "unknown_model"),
    "invalid_api_key": (ModelRefused, "unauthorised"),
    "authentication_error": (ModelRefused, "unauthorised"),
    "permission_error": (ModelRefused, "unauthorised"),
    "invalid_request_error": (ModelRefused, "bad_request"),
    "timeout_error": (ModelTimeout, "provider"),
    "server_error": (ModelUnavailable, "server_error"),
    "api_error": (ModelUnavailable, "server_error"),
    "overloaded_error": (ModelUnavailable, "server_error"),
}

STATUSES: dict[int, tuple[type[ModelError], str]] = {
    400: (ModelRefused, "bad_request"),
    401: (ModelRefused, "unauthorised"),
    402: (ModelRefused, "quota_spent"),
    403: (ModelRefused, "unauthorised"),
    404: (ModelRefused, "unknown_model"),
    408: (ModelTimeout, "provider"),
    413: (ModelRefused, "too_long"),
    422: (ModelRefused, "bad_request"),
    429: (ModelRateLimited, "rate_limited"),
}


def from_status(status: int, body: object, headers: Mapping[str, str]) -> ModelError:
    body = _unwrapped(body)
    # A status is plainer than the type of an error, which is often just "invalid request".
    known = _by_word(body, "code") or STATUSES.get(status) or _by_word(body, "type")
    family, reason = known or (ModelUnavailable, "server_error")
    return family(reason, retry_after=retry_after(headers), status=status, **_detail(reason, body))


def from_event(body: object) -> ModelError:
    """Our error for an error that arrived inside a stream that had begun well."""
    body = _unwrapped(body)
    status = body.get("code") if isinstance(body, Mapping) else None
    if isinstance(status, int) and status >= 400:
        return from_status(status, body, {})
    family, reason = _by_word(body, "code") or _by_word(body, "type") or (ModelStreamBroken, "error_event")
    return family(reason, **_detail(reason, body))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds asked for by `retry-after-ms` or `Retry-After` (seconds or a date); None when absent or senseless."""
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        else:
            seconds = _seconds(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        date = parsedate_to_datetime(value)
        return (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _unwrapped(body: object) -> object:
    """The error in a body, whether the SDK took it out (OpenAI's does) or not; its finer code is its code."""
    error = body.get("error", body) if isinstance(body, Mapping) else body
    details = error.get("details") if isinstance(error, Mapping) else None
    if isinstance(error, Mapping) and isinstance(details, Mapping):
        return {"code": details.get("error_code"), **error}
    return error


def _by_word(body: object, field: str) -> tuple[type[ModelError], str] | None:
    word = body.get(field) if isinstance(body, Mapping) else None
    return WORDS.get(word) if isinstance(word, str) else None


def _detail(reason: str, body: object) -> dict[str, Any]:
    """The provider's own words, short; not where they may quote the key."""
    message = body.get("message") if isinstance(body, Mapping) else body
    if reason == "unauthorised" or not isinstance(message, str):
        return {}
    return {"detail": message[:MAX_DETAIL]}
