"""A command is a child process as data; it never outlives the process that started it."""

import ctypes
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """The user a command runs as, where it is not our own."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Command:
    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    stop: signal.Signals = signal.SIGTERM
    account: Account | None = None
    parent: int = field(default_factory=os.getpid)

    def options(self) -> dict[str, Any]:
        """For Popen and asyncio alike: own session, so that Ctrl-C reaches us alone, and death with the parent."""
        options: dict[str, Any] = {
            "cwd": self.folder,
            "env": dict(self.env),
            "start_new_session": True,
            "preexec_fn": self._die_with_parent,
        }
        if self.account:
            options |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        return options

    def _die_with_parent(self) -> None:
        # Runs in the child after its user has changed: changing it would clear the signal again.
        LIBC.prctl(PR_SET_PDEATHSIG, self.stop.value)
        if os.getppid() != self.parent:
            os._exit(1)  # the parent died before we could ask
