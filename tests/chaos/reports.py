"""What is told beside a test that failed: what its house was at."""

from collections.abc import Generator
from contextlib import suppress

import psycopg
import pytest

from tests.chaos.stack import Stack


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.failed:
        for house in {each for each in getattr(item, "funcargs", {}).values() if isinstance(each, Stack)}:
            with suppress(psycopg.OperationalError):
                report.sections.append(("The house", f"{house.open_work()}\n{house.lately_unwell()}\n{house.alive()}"))
    return report
