"""One house to break for all tests of this folder; each test leaves it whole."""

import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.chaos.stack import Stack, running
from tests.plugin import FOLDER


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = Path(os.environ[FOLDER]) / f"chaos-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with running(Stack(folder, tmp_path_factory.mktemp("chaos-logs"))) as stack:
        yield stack


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Who fails tells what the house was at."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("stack")
    if report.when == "call" and report.failed and stack:
        with suppress(psycopg.OperationalError):
            report.sections.append(("Open work", f"{stack.open_work()}\nprocesses: {stack.alive()}"))
    return report


@pytest.fixture
def stack(house: Stack) -> Iterator[Stack]:
    house.model(fault_rate=0, faults=None, rules=[], first_token_ms=50, tokens_per_second=250)
    house.control.post("/stats/reset").raise_for_status()
    house.until_ready()
    yield house
    house.mend()
