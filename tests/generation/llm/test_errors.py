from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.llm.errors import from_event, from_status, retry_after
from memory.base.errors import ModelError, ModelRateLimited, ModelRefused, ModelTimeout, ModelUnavailable


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0.2"}, 0.2),
        ({"retry-after": "30", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
    ],
)
def test_retry_after_is_read_or_left(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_retry_after_may_be_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)
    assert 50 < (retry_after({"retry-after": soon}) or 0) <= 60


@pytest.mark.parametrize(
    ("status", "body", "family", "code"),
    [
        (408, {}, ModelTimeout, "model.provider"),
        (413, {}, ModelRefused, "model.too_long"),
        (418, {}, ModelUnavailable, "model.server_error"),
        (429, {"type": "rate_limit_error"}, ModelRateLimited, "model.rate_limited"),
        (529, {"type": "overloaded_error"}, ModelUnavailable, "model.server_error"),
        (404, {"type": "invalid_request_error", "code": None}, ModelRefused, "model.unknown_model"),
        (400, {"code": "context_length_exceeded"}, ModelRefused, "model.too_long"),
        (400, {"type": "error", "error": {"message": "No."}}, ModelRefused, "model.bad_request"),
        (
            429,
            {"error": {"details": {"error_code": "contract_spend_limit_reached"}}},
            ModelRefused,
            "model.quota_spent",
        ),
        (429, {"error": {"details": {"error_code": ["odd"]}}}, ModelRateLimited, "model.rate_limited"),
        (504, {"error": {"type": "timeout_error"}}, ModelTimeout, "model.provider"),
        (400, {"code": "content_filter"}, ModelRefused, "model.content_filter"),
        (400, {"code": ["odd"], "message": 7}, ModelRefused, "model.bad_request"),
    ],
)
def test_a_status_and_the_words_of_its_body_decide(
    status: int, body: object, family: type[ModelError], code: str
) -> None:
    error = from_status(status, body, {})
    assert (type(error), error.code, error.params["status"]) == (family, code, status)


def test_a_provider_that_talks_at_length_is_cut_short() -> None:
    assert len(from_event({"message": "x" * 10_000}).params["detail"]) == 300


json_values = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["code", "type", "message"]), inner),
    max_leaves=5,
)


@given(json_values)
def test_any_error_body_becomes_an_error(body: object) -> None:
    assert isinstance(from_event(body), ModelError)
