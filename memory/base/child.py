"""The child's side of `children.run`: limits first, then the module is imported and does its one piece of work."""

import ctypes
import importlib
import os
import resource
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from memory.base.children import REFUSED

PR_SET_PDEATHSIG = 1


def limit(megabytes: int, seconds: int, answer: int) -> None:
    """RLIMIT_DATA, not RLIMIT_AS: V8 reserves far more addresses than it ever uses."""
    for what, most in (
        (resource.RLIMIT_DATA, megabytes * 1024 * 1024),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, answer),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, allowed))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    megabytes, seconds, answer = (int(each) for each in sys.argv[1:4])
    limit(megabytes, seconds, answer)
    work(sys.argv[4], sys.argv[5:])


def work(module: str, arguments: Sequence[str]) -> NoReturn:
    """One request from standard input, its answer to standard output, a refusal to standard error."""
    try:
        result = importlib.import_module(module).main(sys.stdin.buffer.read(), *arguments)
    except ValueError as refusal:
        sys.stderr.write(str(refusal))
        sys.stderr.flush()
        os._exit(REFUSED)
    sys.stdout.buffer.write(result)
    sys.stdout.buffer.flush()
    os._exit(0)  # no library gets to hang on the way out


if __name__ == "__main__":
    main()
