"""One house to break for all tests of this folder; each test leaves it whole."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.reports import pytest_runtest_makereport  # noqa: F401 a hook of this folder
from tests.chaos.stack import Stack, running
from tests.plugin import FOLDER


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = Path(os.environ[FOLDER]) / f"chaos-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with running(Stack(folder, tmp_path_factory.mktemp("chaos-logs"))) as stack:
        yield stack


@pytest.fixture
def stack(house: Stack) -> Iterator[Stack]:
    house.model(fault_rate=0, faults=None, rules=[], first_token_ms=50, tokens_per_second=250)
    house.control.post("/stats/reset").raise_for_status()
    house.until_ready()
    yield house
    house.mend()
