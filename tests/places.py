"""Tries README's two commands where people run them: `make places`, as root. One line a place; exits 1 if one failed.

Each place is a clean clone of what is committed, made by nobody else and gone afterwards. Needs Python and git alone.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
SOMEBODY = "scriptorium-guest"
INSTALL_SECONDS = 900
STOP_SECONDS = 15
QUICK = "tests/test_layers.py"


class Failed(Exception):
    """What was expected of a place and did not come, with the end of what it said."""


class Place:
    """A clone in a folder of its own, and who runs it there."""

    def __init__(self, folder: Path, user: str, **environment: str) -> None:
        self.folder = folder
        self.user = user
        self.said = folder.with_name("said")
        self.port = free_port()
        self.environment = {**os.environ, "PORT": str(self.port), **environment}
        for name in ("DATA_DIR", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MAKEFLAGS", "MAKELEVEL"):
            self.environment.pop(name, None)
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(TREE), str(folder)], check=True)
        if user != "root":
            self.environment["HOME"] = pwd.getpwnam(user).pw_dir
            self.hand_over()

    def hand_over(self) -> None:
        """The checkout is this user's; what root has made in it stays root's."""
        for path in [self.folder, *self.folder.rglob("*")]:
            if not any(part.startswith((".venv", ".data")) for part in path.relative_to(self.folder).parts):
                shutil.chown(path, self.user)

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        become = ["runuser", "-u", self.user, "--"] if self.user != "root" else []
        with self.said.open("wb") as said:
            return subprocess.Popen(
                [*become, "make", *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *arguments: str) -> int:
        return self.start(*arguments).wait(INSTALL_SECONDS)

    def until(self, running: "subprocess.Popen[bytes]", words: str) -> None:
        deadline = time.monotonic() + INSTALL_SECONDS
        while words not in self.said.read_text(errors="replace"):
            if running.poll() is not None or time.monotonic() > deadline:
                self.fail(f"'{words}' was not said")
            time.sleep(0.2)

    def stop(self, running: "subprocess.Popen[bytes]") -> None:
        """Ctrl-C, as a terminal sends it: to all that was started there. Nothing may be left."""
        os.killpg(running.pid, signal.SIGINT)
        try:
            running.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.fail(f"it did not stop within {STOP_SECONDS} s")
        if left := self.processes():
            self.fail(f"left running: {left}")

    def processes(self) -> list[str]:
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                if str(self.folder) in f"{(process / 'cwd').readlink()} {line}":
                    found.append(line)
        return found

    def says(self, words: str) -> None:
        if words not in self.said.read_text(errors="replace"):
            self.fail(f"'{words}' was not said")

    def fail(self, why: str) -> None:
        raise Failed(f"{why}\n" + self.said.read_text(errors="replace")[-2000:])

    def up_and_down(self, target: str = "up", words: str = "is ready after") -> None:
        running = self.start(target)
        try:
            self.until(running, words)
            self.stop(running)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


# --- the places


def both_commands(place: Place) -> None:
    place.up_and_down("demo", "It is in ")
    if place.run("test", f"ARGS={QUICK}") != 0:
        place.fail("the tests failed")
    place.says(" passed")


def starts(place: Place) -> None:
    place.up_and_down()


def root_first(place: Place) -> None:
    place.up_and_down()
    place.user, place.environment["HOME"] = SOMEBODY, pwd.getpwnam(SOMEBODY).pw_dir
    place.hand_over()
    place.up_and_down()


def busy_port(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", place.port))
        taken.listen()
        if place.run("up") == 0:
            place.fail("it started on a port that is in use")
        place.says(f"PORT={place.port + 1}")


def half_made_data(place: Place) -> None:
    running = place.start("up")
    deadline = time.monotonic() + INSTALL_SECONDS
    while not list(place.folder.glob(".data/*postgres*")):
        if running.poll() is not None or time.monotonic() > deadline:
            place.fail("no database was begun")
        time.sleep(0.01)
    os.killpg(running.pid, signal.SIGKILL)  # while its database is being made
    running.wait()
    deadline = time.monotonic() + STOP_SECONDS
    while place.processes() and time.monotonic() < deadline:
        time.sleep(0.2)
    place.up_and_down()


def without_ensurepip(place: Place) -> None:
    fakes = place.folder.with_name("fakes")
    fakes.mkdir()
    path = place.environment["PATH"]
    for name in ("python3.11", "python3"):
        fake = fakes / name
        fake.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\nPATH="{path}" exec {name} "$@"\n')
        fake.chmod(0o755)
    place.environment["PATH"] = f"{fakes}:{path}"
    if place.run("up") == 0:
        place.fail("it made an environment without ensurepip")
    place.says("apt install python3.11-venv")


PLACES: list[tuple[str, str, str, dict[str, str], Callable[[Place], None]]] = [
    ("root", "root", "tree", {}, both_commands),
    ("an ordinary user", SOMEBODY, "tree", {}, both_commands),
    ("a path with spaces, LANG=C", SOMEBODY, "a tree 'of' mine", {"LANG": "C", "LC_ALL": "C"}, both_commands),
    ("a path of 150 characters", SOMEBODY, "x" * 130, {}, starts),
    ("root first, then a user in the same checkout", "root", "tree", {}, root_first),
    ("a port that is in use", SOMEBODY, "tree", {}, busy_port),
    ("a data folder that was left half made", SOMEBODY, "tree", {}, half_made_data),
    ("a Python without ensurepip", SOMEBODY, "tree", {}, without_ensurepip),
]


@contextmanager
def somebody() -> Iterator[None]:
    subprocess.run(["useradd", "--create-home", SOMEBODY], check=True)
    try:
        yield
    finally:
        subprocess.run(["userdel", "--remove", "--force", SOMEBODY], check=True, stderr=subprocess.DEVNULL)


def try_out(name: str, user: str, folder: str, environment: dict[str, str], check: Callable[[Place], None]) -> bool:
    home = Path(tempfile.mkdtemp(prefix="places-", dir="/var/tmp"))
    home.chmod(0o755)
    began = time.monotonic()
    try:
        check(Place(home / folder, user, **environment))
    except Failed as failure:
        print(f"FAILED  {name}: {failure}", flush=True)
        return False
    finally:
        with suppress(OSError):
            shutil.rmtree((home / folder / ".data" / "postgres").resolve())  # root's lies elsewhere, behind a link
        shutil.rmtree(home, ignore_errors=True)
    print(f"ok      {name} ({time.monotonic() - began:.0f} s)", flush=True)
    return True


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def main() -> None:
    if os.geteuid() != 0:
        sys.exit("To try it as root and as others, run it as root.")
    wanted = [place for place in PLACES if not sys.argv[1:] or any(word in place[0] for word in sys.argv[1:])]
    with somebody():
        results = [try_out(*place) for place in wanted]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
