"""One house for all tests of a process, until one of them leaves it in ruins: the next has a house of its own.

What broke one house is told once, with what its processes were at, and costs no other test its patience.
"""

import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.chaos.stack import Stack, kill
from tests.plugin import FOLDER

LAST_LINES = 120
DOUBT_SECONDS = 60


class Houses:
    """`make` gives the nth of them, not yet started."""

    def __init__(self, make: Callable[[int], Stack]) -> None:
        self.make = make
        self.numbers = count(1)
        self.house: Stack | None = None
        self.is_doubted = False

    def open(self) -> Stack:
        """A house that is ready: the one there is, or a new one if it does not come up after a test that failed."""
        if self.house and self.is_doubted:
            with suppress(AssertionError):
                self.house.mend(within=DOUBT_SECONDS)
                self.house.until_ready(within=DOUBT_SECONDS)
                self.is_doubted = False
            if self.is_doubted:
                self.close()
        if self.house is None:
            self.house = self.make(next(self.numbers))
            self.house.start()
        self.house.until_ready()
        return self.house

    def mend(self) -> None:
        if self.house and not self.is_doubted:
            self.house.mend()

    def close(self) -> None:
        house, self.house, self.is_doubted = self.house, None, False
        if house:
            house.stop()


@contextmanager
def houses_of(name: str, logs: pytest.TempPathFactory) -> Iterator[Houses]:
    """The houses of this process of the run, as long as the block lasts."""
    own = f"{name}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    houses = Houses(lambda n: Stack(Path(os.environ[FOLDER]) / f"{own}-{n}", logs.mktemp(f"{name}-logs")))
    try:
        yield houses
    finally:
        houses.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for houses in [found for found in getattr(item, "funcargs", {}).values() if isinstance(found, Houses)]:
            if houses.house and not houses.is_doubted:
                report.sections.append(("The house", told_of(houses.house)))
                houses.is_doubted = True
    return report


def told_of(stack: Stack) -> str:
    """What a house was at: its rows, its processes, and where each of them stands, which ends them."""
    told = [stack.alive(), f"the web process {'answers' if stack.answers() else 'does not answer'}"]
    try:
        told += [stack.open_work(), stack.lately_unwell()]
    except psycopg.OperationalError as error:
        told.append(str(error))
    with suppress(httpx.HTTPError):
        told.append(str(stack.stats(log=False)))
    # PYTHONFAULTHANDLER has each of them write down its threads at this signal.
    kill(*stack.horses(), *(keeper.pid for keeper in stack.pythons() if keeper.pid), number=signal.SIGABRT)
    return "\n".join([*told, *(f"{log.name}\n{tail(log)}" for log in sorted(stack.logs.glob("*.log")))])


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-LAST_LINES:])
