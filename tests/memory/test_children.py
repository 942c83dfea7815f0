"""What runs in a child cannot hurt the house: time, memory, output, secrets and grandchildren are bounded."""

import os
import time
from pathlib import Path

import pytest

from memory.base import children
from memory.base.errors import ToolFailed
from tests.patience import PATIENCE_SECONDS

WORK = "tests.memory.childish"


def test_a_child_answers_with_what_its_main_returns() -> None:
    assert children.run(WORK, b"abc", "upper") == b"ABC"


def test_a_child_that_refuses_says_why() -> None:
    with pytest.raises(ToolFailed, match="tool.child_refused") as refused:
        children.run(WORK, b"", "refuse")
    assert refused.value.params["because"] == "not like this"


def test_a_child_that_computes_for_ever_is_killed_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(ToolFailed, match="tool.child_timeout"):
        children.run(WORK, b"", "hang", seconds=1)
    assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.parametrize("excess", ["hoard", "babble", "die"])
def test_a_child_that_takes_too_much_dies_alone(excess: str) -> None:
    with pytest.raises(ToolFailed, match="tool.child_died"):
        children.run(WORK, b"", excess, megabytes=300)


def test_a_child_knows_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert b"canary" not in children.run(WORK, b"", "environment")


def test_what_a_child_started_dies_with_it() -> None:
    """Also when the child itself ends well."""
    grandchild = int(children.run(WORK, b"", "spawn"))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while is_alive(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
