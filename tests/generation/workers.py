"""Real workers for tests: each a process that works its queue off, and ends."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from config.supervisor.house import BASE
from config.supervisor.plan import worker
from generation.flush import connect
from generation.models import Run
from tests.chaos.invariants import check
from tests.patience import PATIENCE_SECONDS


class Worker:
    """`rqworker --burst`, with horses as in production."""

    def __init__(self, queue: str, output: IO[bytes], **environment: str) -> None:
        self.output = output
        # PROCESS is each command's own: a test that imported the web application has set it for us.
        inherited = {name: value for name, value in os.environ.items() if name != "PROCESS"}
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", *worker(queue), "--burst"],
            cwd=BASE,
            env={**inherited, "DJANGO_SETTINGS_MODULE": "tests.settings", **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    def wait(self) -> str:
        """What it said until its queue was empty."""
        code = self.process.wait(PATIENCE_SECONDS)
        self.output.seek(0)
        said = self.output.read().decode()
        assert code == 0, said
        return said


@contextmanager
def working(queue: str, **environment: str) -> Iterator[Worker]:
    with tempfile.TemporaryFile() as output:
        worker = Worker(queue, output, **environment)
        try:
            yield worker
        finally:
            worker.process.kill()  # its horse ends with it
            worker.process.wait()


def broken_rules(runs: Sequence[Run]) -> list[str]:
    """What must be true of runs whatever happened to them, and is not."""
    with connect("rules") as sql:
        return check(sql, [run.id for run in runs])
