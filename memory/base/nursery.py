"""Children as in `children`, born ready: forked from a nurse, a process that has its libraries loaded and nothing else.

Each request is still a process of its own with limits of its own, killed after its seconds; the nurse herself never
touches what strangers made. She is hired when she is needed, goes home when nobody asked for `idle_seconds` or when her
parent dies, and is replaced when she is gone. A fork of her parent hires its own.
"""

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass

from memory.base.children import BASE, MAX_ANSWER, environment, outcome
from memory.base.errors import ToolFailed

MOST_WORDS = 64 * 1024  # a message holds arguments, never the request itself
READY_SECONDS = 30  # a new nurse loads her libraries first, on a busy machine too


class GoneError(Exception):
    """The nurse ended before she answered."""


@dataclass(frozen=True)
class Errand:
    """What a nurse is told of a request, beside three open files: request, answer and complaint."""

    arguments: tuple[str, ...]
    seconds: float
    megabytes: int
    folder: str
    most_answer: int = MAX_ANSWER


class Nurse:
    """The parent's side of one nurse."""

    def __init__(self, module: str, idle_seconds: float) -> None:
        self.control, hers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with hers:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "memory.base.nurse", module, str(idle_seconds)],
                stdin=hers.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=BASE,
                env=environment(tempfile.gettempdir()),
                start_new_session=True,
            )

    def ask(self, errand: Errand, files: list[int]) -> int | None:
        """The status of the child that did the errand; None if it was killed after its seconds. She keeps the time."""
        self.control.settimeout(READY_SECONDS + errand.seconds)
        try:
            socket.send_fds(self.control, [json.dumps(asdict(errand)).encode()], files)
            said = self.control.recv(MOST_WORDS)
        except OSError as error:
            raise GoneError from error
        if not said:
            raise GoneError
        status: int | None = json.loads(said)
        return status

    def end(self) -> None:
        self.control.close()
        self.process.kill()  # her child dies with her
        self.process.wait()

    def forget(self) -> None:
        """In a fork of the parent: she is not ours to speak to or to wait for."""
        self.control.close()
        self.process.returncode = 0


class Nursery:
    """Two threads may ask at once; a third waits for a place, and that wait does not count as `seconds`."""

    def __init__(self, module: str, most: int = 2, idle_seconds: float = 60) -> None:
        self.module, self.most, self.idle_seconds = module, most, idle_seconds
        self.idle: list[Nurse] = []
        self.places = threading.BoundedSemaphore(most)
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self.forget)

    def run(self, request: bytes, *arguments: str, seconds: float = 10, megabytes: int = 1024) -> bytes:
        """As `children.run`, of this nursery's module. Blocks; call it in a thread."""
        with self.places:
            for nurse in self.nurses():
                try:
                    return self.attempt(nurse, request, arguments, seconds, megabytes)
                except GoneError:
                    nurse.end()
        raise ToolFailed("child_died", status=nurse.process.returncode, work=self.module)

    def nurses(self) -> Iterator[Nurse]:
        """An idle one, who may have gone home unnoticed; then a new one."""
        with suppress(IndexError):
            yield self.idle.pop()
        yield Nurse(self.module, self.idle_seconds)

    def attempt(
        self, nurse: Nurse, request: bytes, arguments: tuple[str, ...], seconds: float, megabytes: int
    ) -> bytes:
        with (
            tempfile.TemporaryDirectory(prefix="scriptorium-child-") as folder,
            tempfile.TemporaryFile() as asked,
            tempfile.TemporaryFile() as answer,
            tempfile.TemporaryFile() as complaint,
        ):
            asked.write(request)
            asked.seek(0)
            files = [asked.fileno(), answer.fileno(), complaint.fileno()]
            status = nurse.ask(Errand(arguments, seconds, megabytes, folder), files)
            self.idle.append(nurse)
            if status is None:
                raise ToolFailed("child_timeout", seconds=seconds, work=self.module)
            return outcome(status, answer, complaint, self.module)

    def close(self) -> None:
        while self.idle:
            self.idle.pop().end()

    def forget(self) -> None:
        """In a fork of the parent. Whoever worked there works there still; here nobody does."""
        for nurse in self.idle:
            nurse.forget()
        self.idle.clear()
        self.places = threading.BoundedSemaphore(self.most)
