"""Work on what strangers made (files to parse, diagrams to draw) in a child process that cannot hurt the house.

The child is killed after `seconds`, may hold `megabytes` of data, may answer at most MAX_ANSWER bytes, knows no secret
of the environment, and dies with its parent. What goes wrong in it costs this one request: `ToolFailed`, nothing else.
"""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from memory.base.errors import ToolFailed

BASE = Path(__file__).resolve().parents[2]
MAX_ANSWER = 64 * 1024 * 1024
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR")


def run(module: str, request: bytes, *arguments: str, seconds: float = 10, megabytes: int = 1024) -> bytes:
    """What `module.main(request, *arguments)` returns in a child process of its own. Blocks; call it in a thread.

    `main` takes and returns bytes. Raises `tool.child_timeout`, `tool.child_refused` (`main` raised ValueError, whose
    text is `because`) or `tool.child_died` (a limit, a crash).
    """
    limits = [str(megabytes), str(int(seconds) + 1), str(MAX_ANSWER)]
    command = [sys.executable, "-m", "memory.base.child", *limits, module, *arguments]
    with (
        tempfile.TemporaryDirectory(prefix="scriptorium-child-") as folder,
        tempfile.TemporaryFile() as answer,
        tempfile.TemporaryFile() as complaint,
    ):
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=answer,
            stderr=complaint,
            cwd=folder,
            env=environment(folder),
            start_new_session=True,
        )
        try:
            process.communicate(request, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise ToolFailed("child_timeout", seconds=seconds, work=module) from None
        finally:
            kill_group(process)
        return outcome(process.returncode, answer, complaint, module)


REFUSED = 3


def outcome(status: int, answer: IO[bytes], complaint: IO[bytes], work: str) -> bytes:
    """The answer of a child that has ended, or the error that its status stands for."""
    answer.seek(0)
    complaint.seek(0)
    if status == REFUSED:
        because = complaint.read(2_000).decode(errors="replace").strip()
        raise ToolFailed("child_refused", because=because, work=work)
    if status != 0:
        raise ToolFailed("child_died", status=status, work=work)
    return answer.read()


def environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "PYTHONPATH": str(BASE), "TMPDIR": folder, "HOME": folder, "PYTHONUTF8": "1"}


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Whatever the child started goes with it."""
    kill_group_of(process.pid)
    process.wait()
    if process.stdin:
        with suppress(BrokenPipeError):
            process.stdin.close()


def kill_group_of(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
