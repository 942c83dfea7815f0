"""A child born of a nurse is held as tightly as any other, and no nurse outlives who needs her."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from memory.base.errors import ToolFailed
from memory.base.nursery import Nursery
from tests.memory.test_children import WORK, is_alive
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    nursery = Nursery(WORK)
    yield nursery
    nursery.close()


def born_of(nursery: Nursery) -> int:
    """Who prepared the child that answers."""
    return int(eval(nursery.run(b"", "environment"))["READY"])  # noqa: S307 - the repr of a dict of ours


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_nurse_gets_ready_once_for_many_children(nursery: Nursery) -> None:
    assert nursery.run(b"abc", "upper") == b"ABC"
    assert born_of(nursery) == born_of(nursery) == nursery.idle[0].process.pid


def test_a_child_that_refuses_says_why(nursery: Nursery) -> None:
    with pytest.raises(ToolFailed, match="tool.child_refused") as refused:
        nursery.run(b"", "refuse")
    assert refused.value.params["because"] == "not like this"


def test_a_child_that_computes_for_ever_is_killed_in_time_and_its_nurse_goes_on(nursery: Nursery) -> None:
    nurse = born_of(nursery)
    began = time.monotonic()
    with pytest.raises(ToolFailed, match="tool.child_timeout"):
        nursery.run(b"", "hang", seconds=1)
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert born_of(nursery) == nurse


@pytest.mark.parametrize("excess", ["hoard", "babble", "die"])
def test_a_child_that_takes_too_much_dies_alone(nursery: Nursery, excess: str) -> None:
    nurse = born_of(nursery)
    with pytest.raises(ToolFailed, match="tool.child_died"):
        nursery.run(b"", excess, megabytes=300)
    assert born_of(nursery) == nurse


def test_a_child_knows_no_secret_of_ours(nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert b"canary" not in nursery.run(b"", "environment")


def test_what_a_child_started_dies_with_it(nursery: Nursery) -> None:
    wait_until_gone(int(nursery.run(b"", "spawn")))


def test_a_nurse_whom_nobody_asks_goes_home_and_another_comes() -> None:
    nursery = Nursery(WORK, idle_seconds=0.05)
    first = born_of(nursery)
    wait_until_gone(first)
    assert born_of(nursery) != first
    nursery.close()


def test_a_nurse_who_was_killed_is_replaced(nursery: Nursery) -> None:
    first = born_of(nursery)
    nursery.idle[0].process.kill()
    assert born_of(nursery) != first


def test_no_more_work_at_once_than_there_are_places() -> None:
    nursery = Nursery(WORK, most=1)
    born_of(nursery)
    began = time.monotonic()
    threads = [threading.Thread(target=hang_for_a_second, args=[nursery]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 2
    assert len(nursery.idle) == 1
    nursery.close()


def hang_for_a_second(nursery: Nursery) -> None:
    with pytest.raises(ToolFailed, match="tool.child_timeout"):
        nursery.run(b"", "hang", seconds=1)


def test_a_fork_of_the_parent_hires_its_own(nursery: Nursery) -> None:
    """RQ's horses are forks."""
    mine = born_of(nursery)
    reading, writing = os.pipe()
    fork = os.fork()
    if not fork:
        os.write(writing, str(born_of(nursery)).encode())
        os._exit(0)
    os.waitpid(fork, 0)
    os.close(writing)
    with os.fdopen(reading) as said:
        theirs = int(said.read())
    assert theirs != mine
    wait_until_gone(theirs)
    assert born_of(nursery) == mine


PARENT = f"""
import sys, threading
from memory.base.nursery import Nursery
nursery = Nursery("{WORK}")
nursery.run(b"", "upper")
nurse = nursery.idle[0].process.pid
threading.Thread(target=nursery.run, args=[b"", "hang"], daemon=True).start()
while nursery.idle:
    pass
print(nurse, flush=True)
sys.stdin.read()
"""


def test_a_nurse_dies_with_her_parent_also_while_a_child_works() -> None:
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        nurse = int(parent.stdout.readline())
        parent.kill()
    wait_until_gone(nurse)
