"""What the children of test_children do."""

import os
import subprocess
import sys
from collections.abc import Callable


def refuse() -> bytes:
    raise ValueError("not like this")


def hang() -> bytes:
    while True:
        pass


def hoard() -> bytes:
    return bytes(2 * 1024**3)


def babble() -> bytes:
    while True:
        sys.stdout.buffer.write(bytes(1024 * 1024))


def die() -> bytes:
    os.abort()


def environment() -> bytes:
    return repr(dict(os.environ)).encode()


def spawn() -> bytes:
    return str(subprocess.Popen(["sleep", "3600"]).pid).encode()


DEEDS: dict[str, Callable[[], bytes]] = {
    deed.__name__: deed for deed in (refuse, hang, hoard, babble, die, environment, spawn)
}


def main(request: bytes, deed: str) -> bytes:
    return request.upper() if deed == "upper" else DEEDS[deed]()


def prepare() -> None:
    """What a nurse gets ready."""
    os.environ["READY"] = str(os.getpid())
