from hypothesis import given
from hypothesis import strategies as st

from generation.llm.retries import RetryPolicy
from memory.base.errors import ModelBadOutput, ModelRateLimited, ModelRefused, ModelUnavailable

POLICY = RetryPolicy(attempts=5, base=0.5, cap=3, retry_after_cap=60)


@given(st.integers(1, 4))
def test_a_pause_grows_up_to_the_cap_with_full_jitter(try_number: int) -> None:
    pause = POLICY.pause(try_number, ModelUnavailable("server_error"))
    assert pause is not None
    assert 0 <= pause <= min(3, 0.5 * 2 ** (try_number - 1))


def test_the_last_try_has_no_pause_after_it() -> None:
    assert POLICY.pause(5, ModelUnavailable("server_error")) is None


def test_a_permanent_error_is_not_tried_again() -> None:
    assert POLICY.pause(1, ModelRefused("unauthorised")) is None
    assert POLICY.pause(1, ModelBadOutput("empty")) is None


@given(st.floats(0, 1e6))
def test_retry_after_is_honoured_up_to_its_cap(seconds: float) -> None:
    pause = POLICY.pause(1, ModelRateLimited("rate_limited", retry_after=seconds))
    assert pause is not None
    assert min(seconds, 60) <= pause <= min(seconds, 60) + 0.5
