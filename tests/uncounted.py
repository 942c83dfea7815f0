"""Coverage leaves out a test marked `uncounted`: one that asks in quantity what others ask once. Counting costs such
tests nearly half of their time, and the figure is what the others reach.
"""

from collections.abc import Generator

import pytest
from coverage import Coverage


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "uncounted: asks in quantity what others ask once; coverage leaves it out")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    counting = Coverage.current() if item.get_closest_marker("uncounted") else None
    if counting is None:
        return (yield)
    counting.stop()
    try:
        return (yield)
    finally:
        counting.start()
