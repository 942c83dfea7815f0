"""Coverage leaves out a test marked `uncounted`: one that asks in quantity what others ask once. Counting costs such
tests nearly half of their time, and the figure is what the others reach.

Only the thread of the test is left out: what `Coverage.stop` takes from other threads, `start` never gives back.
"""

import sys
from collections.abc import Generator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "uncounted: asks in quantity what others ask once; coverage leaves it out")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if item.get_closest_marker("uncounted") is None:
        return (yield)
    counting = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(counting)
