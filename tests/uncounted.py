"""Coverage leaves out a test marked `uncounted`, and the processes it starts: one that asks in quantity what others ask
once, and all that are about what is not counted. Counting costs tests nearly half of their time, and the figure is what
the others reach.

Of this process only the thread of the test is left out: what `Coverage.stop` takes from other threads, `start` never
gives back.
"""

import os
import sys
from collections.abc import Generator

import pytest

NOT_COUNTED = ("tests/config/", "tests/chaos/", "tests/test_layers.py", "tests/test_doors.py")
FOR_CHILDREN = "COVERAGE_PROCESS_CONFIG"  # by this a process learns that it is counted


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "uncounted: asks in quantity what others ask once; coverage leaves it out")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if item.get_closest_marker("uncounted") is None and not item.nodeid.startswith(NOT_COUNTED):
        return (yield)
    counting, for_children = sys.gettrace(), os.environ.pop(FOR_CHILDREN, None)
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(counting)
        if for_children is not None:
            os.environ[FOR_CHILDREN] = for_children
