"""What belongs to one data folder: who may use it, one lock, one secret key."""

import fcntl
import getpass
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote

from config import env

BASE = Path(__file__).resolve().parent.parent.parent
LEFTOVER_SECONDS = 8.0


class Refused(SystemExit):
    """`up` cannot go on; the message is one sentence for a person."""


def data_folder() -> Path:
    """DATA_DIR, else `.data` in the checkout; where that is another user's, `.data-<our name>` beside it."""
    folder = env.folder("DATA_DIR", BASE / ".data")
    if folder.exists() and folder.stat().st_uid != os.geteuid():
        if env.text("DATA_DIR"):
            raise Refused(f"DATA_DIR is {folder}, which belongs to another user: choose a folder of your own.")
        folder = BASE / f".data-{getpass.getuser()}"
    try:
        # As root, PostgreSQL runs as a user who must get through; every file with a secret has 0600 of its own.
        folder.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"{folder} cannot be made ({error.strerror}): set DATA_DIR to a folder you can write in."
        ) from None
    return folder


@contextmanager
def locked(folder: Path, port: int) -> Iterator[bool]:
    """One supervisor per data folder. Gives True when the one before did not end cleanly."""
    with (folder / "lock").open("a+", encoding="utf-8") as lock:
        lock.seek(0)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(f"Scriptorium is already running on {folder}: {lock.read().strip()}.") from None
        cut_short = bool(lock.read())
        lock.truncate(0)
        lock.write(f"http://127.0.0.1:{port} (process {os.getpid()})")
        lock.flush()
        try:
            yield cut_short
        finally:
            lock.truncate(0)


def demand_port(port: int, cut_short: bool) -> None:
    """Refuses a busy port; after an earlier life that was cut short, its processes get time to leave."""
    deadline = time.monotonic() + (LEFTOVER_SECONDS if cut_short else 0)
    while not _is_free(port):
        if time.monotonic() > deadline:
            raise Refused(f"Port {port} is in use: stop what uses it, or choose another one, such as PORT={port + 1}.")
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def secret_key(folder: Path) -> str:
    """Made once, then kept; sessions and sign-in links depend on it."""
    path = folder / "secret-key"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="utf-8").strip()


def write_environment(folder: Path, variables: Mapping[str, str]) -> None:
    """For commands by hand: `. .data/environment && .venv/bin/python manage.py …`."""
    lines = [f"export {name}={quote(value)}\n" for name, value in sorted(variables.items())]
    write_private(folder / "environment", "".join(lines))


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and readable by us only."""
    making = path.with_name(f"{path.name}.making")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    making.rename(path)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
