"""A process whose vital task has died does not go on as if it lived."""

import subprocess
import sys

import pytest

from tests.patience import PATIENCE_SECONDS

PROGRAM = """
import asyncio, threading
from memory.base.vital import vital, vital_thread

async def fail():
    {body}

def thread():
    with vital_thread("leases"):
        {thread}

async def main():
    threading.Thread(target=thread).start()
    task = vital(fail(), "claim")
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.sleep(0.5)
    print("still here")

asyncio.run(main())
"""


def end_of(body: str = "await asyncio.sleep(60)", thread: str = "pass") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", PROGRAM.format(body=body, thread=thread)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("of", ["body", "thread"])
def test_a_failed_vital_task_ends_its_process_and_says_why(of: str) -> None:
    ended = end_of(**{of: "raise ZeroDivisionError"})
    assert ended.returncode == -15
    assert "vital_task_died" in ended.stdout + ended.stderr
    assert "ZeroDivisionError" in ended.stdout + ended.stderr


def test_a_cancelled_vital_task_ends_alone_and_so_does_a_thread() -> None:
    assert end_of().stdout == "still here\n"
