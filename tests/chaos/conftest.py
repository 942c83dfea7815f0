"""One house to break for all tests of this folder; each test leaves it whole."""

from collections.abc import Iterator

import pytest

from tests.chaos.houses import Houses, houses_of, pytest_runtest_makereport  # noqa: F401 a hook of this folder
from tests.chaos.stack import Stack


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    with houses_of("chaos", tmp_path_factory) as houses:
        yield houses


@pytest.fixture
def stack(houses: Houses) -> Iterator[Stack]:
    stack = houses.open()
    stack.model(fault_rate=0, faults=None, rules=[], first_token_ms=50, tokens_per_second=250)
    stack.control.post("/stats/reset").raise_for_status()
    yield stack
    houses.mend()
