"""What this process has counted, and other processes that count, to be killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import REGISTRY

from config.supervisor.house import BASE


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@contextmanager
def counting(code: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that has counted and lives on; killed at the end."""
    program = f"import os, sys\nfrom memory.base import metrics\n{code}\nprint('counted', flush=True)\nsys.stdin.read()"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", program], cwd=BASE, text=True, **pipes) as process:
        assert process.stdout
        assert process.stdout.readline() == "counted\n"
        try:
            yield process
        finally:
            process.kill()
