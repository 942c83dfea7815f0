"""The nurse's side of `nursery`: get ready once, then one forked child after the other, each watched to its end."""

import importlib
import json
import os
import select
import socket
import sys
from contextlib import suppress

from memory.base import child
from memory.base.children import kill_group_of
from memory.base.nursery import MOST_WORDS, Errand


def main() -> None:
    module, idle_seconds = sys.argv[1], float(sys.argv[2])
    importlib.import_module(module).prepare()
    with socket.socket(fileno=os.dup(0)) as control:
        while select.select([control], [], [], idle_seconds)[0]:
            message, files, _, _ = socket.recv_fds(control, MOST_WORDS, 3)
            if not message:
                return  # the parent is gone
            status = serve(module, Errand(**json.loads(message)), files, control)
            with suppress(BrokenPipeError):
                control.send(json.dumps(status).encode())


def serve(module: str, errand: Errand, files: list[int], control: socket.socket) -> int | None:
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        control.close()
        work(module, errand, files)
    with suppress(PermissionError):
        os.setpgid(pid, pid)  # whoever comes first: the group has to exist before it can be killed
    for file in files:
        os.close(file)
    return watch(pid, errand.seconds, control)


def work(module: str, errand: Errand, files: list[int]) -> None:
    for place, file in enumerate(files):
        os.dup2(file, place)
    os.chdir(errand.folder)
    os.environ.update(HOME=errand.folder, TMPDIR=errand.folder)
    child.limit(errand.megabytes, int(errand.seconds) + 1, errand.most_answer)
    child.work(module, errand.arguments)


def watch(pid: int, seconds: float, control: socket.socket) -> int | None:
    """The child's status as subprocess writes it, or None if its time was up. Whatever it started goes with it."""
    ended = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(control, 0)  # only that the parent is gone
    happened = poll.poll(seconds * 1000)
    os.close(ended)
    kill_group_of(pid)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) if happened else None


if __name__ == "__main__":
    main()
