"""What every embedded service promises: prepared before its start, ready when it says so, gone after its stop."""

import os
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import IO

from config.services.command import Account, Command
from config.services.errors import ServiceError
from config.services.places import socket_folder

START_SECONDS = 60.0
STOP_SECONDS = 5.0


class Service(ABC):
    """`prepare`, `command` and `ready` are for a supervisor; `start` and `stop` do all three for tests and scripts."""

    name: str
    hardest_stop = signal.SIGKILL

    def __init__(self, folder: Path, account: Account | None = None) -> None:
        self.folder = folder.absolute()
        self.account = account
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """For DATABASE_URL or REDIS_URL."""

    @abstractmethod
    def prepare(self) -> None:
        """Make the data folder fit to start on, and end what an earlier life left running on it. May be repeated."""

    @abstractmethod
    def command(self) -> Command:
        """What to run once prepared."""

    @abstractmethod
    def ready(self) -> bool:
        """Does it answer? Never blocks for long."""

    def start(self, log: IO[bytes] | int = subprocess.DEVNULL) -> None:
        """Returns when the service answers."""
        self.prepare()
        command = self.command()
        self.process = subprocess.Popen(
            command.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **command.options()
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise ServiceError(f"{self.name} did not start on {self.folder}; its log says why.")
            time.sleep(0.02)

    def stop(self) -> None:
        """Returns when the process is gone; its data is kept."""
        if self.process:
            self.process.send_signal(self.command().stop)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.send_signal(self.hardest_stop)
                self.process.wait()
            self.process = None
        self.tidy()

    def tidy(self) -> None:
        """Take the sockets away; only for a service that has stopped."""
        shutil.rmtree(self.sockets, ignore_errors=True)

    @property
    def sockets(self) -> Path:
        return socket_folder(self.folder, self.account)


def running(pid_file: Path, mark: str) -> int:
    """The process that `pid_file` names, or 0. Its number may be another process's by now, after a restart of the
    machine above all: only one whose command line holds `mark` is ours."""
    pid = _first_number(pid_file)
    return pid if pid and mark in _command_line(pid) else 0


def end_leftover(pid_file: Path, mark: str, gently: signal.Signals, hardest: signal.Signals) -> None:
    """End what an earlier life left running."""
    deadline = time.monotonic() + STOP_SECONDS
    sent: signal.Signals | None = None
    while pid := running(pid_file, mark):
        wanted = gently if time.monotonic() < deadline else hardest
        if wanted is not sent:
            with suppress(ProcessLookupError):
                os.kill(pid, wanted)
            sent = wanted
        time.sleep(0.02)
    # A file that names a dead process stays: by it PostgreSQL finds sessions that outlived their killed server, and
    # waits for them. One that names a stranger would keep the server from starting for ever.
    if Path(f"/proc/{_first_number(pid_file)}/stat").exists():
        pid_file.unlink(missing_ok=True)


def _first_number(pid_file: Path) -> int:
    try:
        return int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _command_line(pid: int) -> str:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return ""
