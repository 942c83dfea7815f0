"""A running `up` with stand-in commands, seen from the outside: its terminal, its processes, its signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from config.supervisor.house import BASE, free_port
from tests.patience import PATIENCE_SECONDS

NOTHING_GIVEN = {"DATABASE_URL": "", "REDIS_URL": "", "SECRET_KEY": ""}


def wait_until(seen: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


class House:
    def __init__(self, data: Path, *arguments: str, port: int = 0, **environment: str) -> None:
        self.data = data
        self.port = port or free_port()
        self.terminal = data.with_name(f"{data.name}.terminal")
        data.parent.mkdir(exist_ok=True)
        own = {"DATA_DIR": str(data), "PORT": str(self.port), **NOTHING_GIVEN, **environment}
        with self.terminal.open("wb") as terminal:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.config.stand_in", *arguments],
                cwd=BASE,
                env={**os.environ, **own},
                stdout=terminal,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.terminal.read_text()

    @property
    def log(self) -> str:
        return (self.data / "log" / "scriptorium.log").read_text()

    def wait_until_ready(self) -> "House":
        wait_until(lambda: "is ready" in self.said or self.process.poll() is not None, "the house to be ready")
        assert self.process.poll() is None, self.said
        return self

    def processes(self) -> dict[int, str]:
        """Everything that was started for this data folder, whoever its parent is by now."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                of_ours = f"DATA_DIR={self.data}\0".encode() in (folder / "environ").read_bytes()
                if (folder / "cwd").readlink().is_relative_to(self.data) or of_ours:
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def pid_of(self, part: str) -> int:
        return next((pid for pid, line in self.processes().items() if part in line), 0)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_SECONDS)
