"""One process kept alive by a thread: killed, it is started again at once; held, when it is let go."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from config.services.command import Command
from config.supervisor.child import kill_session
from tests.patience import PATIENCE_SECONDS

PAUSE = 0.05
GRACE = 5.0


class Keeper:
    """`make` gives the command of each life, as for a Service: it prepares and may take its time."""

    def __init__(self, name: str, make: Callable[[], Command], log: Path) -> None:
        self.name = name
        self.make = make
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.lives = 0
        self.ending = threading.Event()
        self.may_live = threading.Event()
        self.may_live.set()
        # Children die with the thread that started them (PR_SET_PDEATHSIG): it lives as long as they may.
        self.thread = threading.Thread(target=self._keep, name=f"keeper of {name}", daemon=True)

    def start(self) -> None:
        self.thread.start()

    @property
    def pid(self) -> int:
        """Of the life that is running, 0 between two lives."""
        process = self.process
        return process.pid if process and process.poll() is None else 0

    def send(self, number: signal.Signals) -> int:
        """The process that was signalled, 0 if there was none."""
        pid = self.pid
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    def hold(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, and start it again only after `release`."""
        self.may_live.clear()
        if pid := self.send(number):
            wait_until(lambda: self.pid != pid, f"{self.name} to end")

    def release(self) -> None:
        self.may_live.set()

    def stop(self) -> None:
        self.ending.set()
        self.may_live.set()
        process = self.process
        if process:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
        self.thread.join(GRACE)
        if self.process:
            kill_session(self.process.pid)
            self.process.wait()
        self.thread.join()

    def _keep(self) -> None:
        while not self.ending.is_set():
            command = self.make()
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    command.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **command.options()
                )
            self.process = process
            self.lives += 1
            process.wait()
            self.ending.wait(PAUSE)
            self.may_live.wait()


def children(pid: int) -> list[int]:
    """The processes that `pid` has forked."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def wait_until(seen: Callable[[], object], what: str, within: float = PATIENCE_SECONDS) -> None:
    until = time.monotonic() + within
    while not seen():
        assert time.monotonic() < until, f"waited {within} s in vain for {what}"
        time.sleep(0.02)
