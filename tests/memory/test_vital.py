"""A process whose vital task has died does not go on as if it lived."""

import subprocess
import sys

from tests.patience import PATIENCE_SECONDS

PROGRAM = """
import asyncio
from memory.base.vital import vital

async def fail():
    {body}

async def main():
    task = vital(fail(), "claim")
    await asyncio.sleep(0.1)
    task.cancel()
    await asyncio.sleep(0.5)
    print("still here")

asyncio.run(main())
"""


def end_of(body: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", PROGRAM.format(body=body)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)


def test_a_failed_vital_task_ends_its_process_and_says_why() -> None:
    ended = end_of("raise ZeroDivisionError")
    assert ended.returncode == -15
    assert "vital_task_died" in ended.stdout + ended.stderr
    assert "ZeroDivisionError" in ended.stdout + ended.stderr


def test_a_cancelled_vital_task_ends_alone() -> None:
    assert end_of("await asyncio.sleep(60)").stdout == "still here\n"
