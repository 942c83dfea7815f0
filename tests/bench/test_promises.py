"""A bench that misses what was promised says so, and does not end well."""

import math

import pytest

from tests.bench.bench_stream import promised, sockets_that_lack
from tests.bench.promises import Promises


def test_what_is_kept_ends_well() -> None:
    promises = Promises()
    assert promises.judge("p50", 12, 12) == " (at most 12)"
    assert promises.judge("p90", 1_000, None) == ""
    promises.end()


@pytest.mark.parametrize("figure", [12.1, math.nan])
def test_what_is_missed_ends_with_one(figure: float, capsys: pytest.CaptureFixture[str]) -> None:
    promises = Promises()
    assert promises.judge("p50", figure, 12) == " (at most 12) MISSED"
    promises.judge("p99", 1, 40)
    with pytest.raises(SystemExit) as ended:
        promises.end()
    assert ended.value.code == f"MISSED p50: {figure:.3g}, at most 12"  # a text: the exit code is 1


def test_a_token_that_no_socket_has_got_is_missed_by_all() -> None:
    assert sockets_that_lack([[1.0] * 200, [1.0] * 200], 200) == 0
    assert sockets_that_lack([[1.0] * 199, [1.0] * 199], 200) == 2
    assert sockets_that_lack([[1.0] * 201, [1.0] * 200, []], 200) == 2


def test_what_is_promised_for_streams_depends_on_how_many_they_are() -> None:
    assert promised(10) == (None, 12, 40)
    assert promised(50) == (None, 60, 150)
    assert promised(100) == (0.10, 60, 150)
    assert promised(200) == (None, None, None)
