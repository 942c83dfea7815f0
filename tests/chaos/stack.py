"""A house of real processes with services of its own, to be broken: each process is kept alive, all can be killed.

Started as config/supervisor/plan.py does it, with short leases, and with a proxy in front of PostgreSQL.
"""

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson

from config.services import PostgreSQL, Redis
from config.services.command import Command
from config.supervisor.house import BASE, free_port
from config.supervisor.plan import worker
from tests.chaos.keeper import Keeper, children, wait_until
from tests.chaos.proxy import Proxy
from tests.chaos.rows import Rows
from tests.patience import PATIENCE_SECONDS

WORKERS = 2
BRIEFS = {
    "note": "Four sections on what is kept and what is lost. Number {}.",
    "course": "A flash course in two chapters on what is kept and what is lost, 2 exercises, 4 questions. Number {}.",
}


class Stack(Rows):
    def __init__(self, folder: Path, logs: Path, **settings: str) -> None:
        folder.mkdir(exist_ok=True)
        folder.chmod(0o711)  # as root, PostgreSQL runs as another user
        self.logs = logs
        self.postgresql = PostgreSQL(folder / "postgres", durable=False)
        # What was not committed synchronously is lost with the server, also if the log's writer was quick.
        self.postgresql.settings["wal_writer_delay"] = "10s"
        self.redis = Redis(folder / "redis", durable=False)
        self.doors = Path(tempfile.mkdtemp(prefix="chaos-", dir="/tmp"))
        self.proxy = Proxy(self.doors, self.postgresql.sockets)
        self.port, self.demo_port = free_port(), free_port()
        self.armed = self.doors / "fault"
        # PROCESS is each command's own (a test that imported the web application has set it for us), and who is to be
        # killed has nothing to report.
        inherited = {
            name: value for name, value in os.environ.items() if name != "PROCESS" and not name.startswith("COVERAGE_")
        }
        self.environment = {
            **inherited,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": f"postgresql://scriptorium@/scriptorium?host={self.doors}",
            "REDIS_URL": self.redis.url,
            "DEMO_BASE_URL": f"http://127.0.0.1:{self.demo_port}/v1",
            "PORT": str(self.port),
            "DATA_DIR": str(folder / "data"),
            "CHAOS_FAULT": str(self.armed),
            "RUNS_OPEN_PER_USER": "10000",
            "TURNS_OPEN_PER_USER": "10000",
            "BUDGET_USER_DAY_TOKENS": "0",
            "BUDGET_WORKSPACE_DAY_TOKENS": "0",
            "DEMO_FIRST_TOKEN_MS": "50",
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            "LEASE_SECONDS": "2",
            "SWEEP_SECONDS": "1",
            "RENUDGE_SECONDS": "6",
            **settings,
        }
        super().__init__(self.postgresql.sockets)
        self.keepers: dict[str, Keeper] = {}
        self.secrets: dict[str, str] = {}
        self.control = httpx.Client(base_url=f"http://127.0.0.1:{self.demo_port}", timeout=10)
        self.asking = threading.Lock()
        self.started = 0

    # --- life

    def start(self) -> None:
        self.keep("postgresql", lambda: self.prepared(self.postgresql))
        self.keep("redis", lambda: self.prepared(self.redis))
        wait_until(self.postgresql.ready, "PostgreSQL")
        wait_until(self.redis.ready, "Redis")
        self.proxy.start()
        self.keep("demo", lambda: self.python("demo", "-m", "generation.demo", "--port", str(self.demo_port)))
        self.desk = self.open_desk()
        self.secrets = self.ask("open_house")
        self.keep("web", lambda: self.python("web", "manage.py", "web"))
        for n in range(1, WORKERS + 1):
            self.keep(f"worker-{n}", lambda n=n: self.worker(n))
        self.until_ready()

    def stop(self) -> None:
        for name in [*(name for name in self.keepers if name not in ("postgresql", "redis")), "redis"]:
            self.keepers[name].stop()
        if hasattr(self, "desk"):
            self.desk.terminate()
            self.desk.communicate()
        # Horses whose parents were killed go by themselves, too.
        wait_until(lambda: not self.processes(), "the last of its processes to end")
        self.proxy.stop()
        self.keepers["postgresql"].stop()
        self.postgresql.tidy()
        self.redis.tidy()
        self.control.close()
        shutil.rmtree(self.doors, ignore_errors=True)

    def processes(self) -> list[int]:
        """All that live of this house, also those that nobody keeps any more; the services are not counted."""
        mark = f"CHAOS_FAULT={self.armed}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if mark in entry.read_bytes().split(b"\0"):
                    found.append(int(entry.parent.name))
        return found

    def keep(self, name: str, make: Any) -> None:
        self.keepers[name] = Keeper(name, make, self.logs / f"{name}.log")
        self.keepers[name].start()

    def prepared(self, service: PostgreSQL | Redis) -> Command:
        service.prepare()
        return service.command()

    def python(self, name: str, *arguments: str, **environment: str) -> Command:
        return Command(name, (sys.executable, *arguments), {**self.environment, **environment}, BASE)

    def worker(self, n: int) -> Command:
        return self.python(f"worker-{n}", "manage.py", *worker("default"))

    def until_ready(self, within: float = PATIENCE_SECONDS) -> None:
        """All processes have come up, however often they were killed."""
        wait_until(lambda: all(keeper.pid for keeper in self.keepers.values()), "all processes", within)
        wait_until(self.answers, "the web process", within)

    def answers(self) -> bool:
        """Whether the web process does."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health/live", timeout=2).status_code == 200
        return False

    def mend(self, within: float = PATIENCE_SECONDS) -> None:
        """Undo whatever a test has left broken."""
        self.proxy.disarm()
        self.armed.unlink(missing_ok=True)
        for keeper in self.keepers.values():
            keeper.release()
            keeper.send(signal.SIGCONT)
        wait_until(lambda: self.postgresql.ready() and self.redis.ready(), "the services", within)

    # --- the house from outside

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open_desk(self) -> "subprocess.Popen[bytes]":
        command = self.python("desk", "-m", "tests.chaos.desk")
        with (self.logs / "desk.log").open("ab") as log:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
            return subprocess.Popen(command.argv, **pipes, **command.options())  # type: ignore[call-overload]

    def ask(self, verb: str, **facts: Any) -> Any:
        """Let the desk do it, and give what it returned. One at a time."""
        with self.asking:
            assert self.desk.stdin
            assert self.desk.stdout
            self.desk.stdin.write(orjson.dumps({"verb": verb, **facts}) + b"\n")
            self.desk.stdin.flush()
            line = self.desk.stdout.readline()
        assert line, f"the desk has died, see {self.logs / 'desk.log'}"
        return orjson.loads(line)

    def begin(self, queue: str = "default", brief: str = "", kind: str = "note", **facts: Any) -> UUID:
        """Start a text of this kind, or a `job` of the tests."""
        self.started += 1
        text = brief or BRIEFS[kind].format(self.started)
        return UUID(self.ask("start", key=f"chaos-{self.started}", queue=queue, brief=text, kind=kind, **facts))

    def model(self, **how: Any) -> None:
        """Change how the demo model answers."""
        self.control.post("/control", json=how).raise_for_status()

    def stats(self, log: bool = True) -> dict[str, Any]:
        return dict(self.control.get("/stats", params={"log": int(log)}).json())

    # --- who can be killed

    def workers(self) -> list[Keeper]:
        return [keeper for name, keeper in self.keepers.items() if name.startswith("worker-")]

    def pythons(self) -> list[Keeper]:
        """Those that run our own code, but for the horses."""
        return [self.keepers["web"], *self.workers()]

    def alive(self) -> str:
        """Each process, how often it was started, and the horses of workers."""
        horses = {pid: keeper.name for pid, keeper in self.horses().items()}
        processes = {keeper.name: (keeper.pid, keeper.lives) for keeper in self.keepers.values()}
        return f"{processes}, horses {horses}"

    def horses(self) -> dict[int, Keeper]:
        """Live horses and the keeper of their parent."""
        return {horse: keeper for keeper in self.workers() if keeper.pid for horse in children(keeper.pid)}

    def one_horse(self, chance: random.Random) -> tuple[int, Keeper] | None:
        found = sorted(self.horses().items(), key=lambda item: item[1].name)
        return chance.choice(found) if found else None

    @contextmanager
    def living_by(self, **settings: str) -> Iterator[None]:
        """Web and workers live by these settings as long as the block lasts."""
        before = self.environment
        self.environment = {**before, **settings}
        try:
            self.restart_processes()
            yield
        finally:
            self.environment = before
            self.restart_processes()

    def restart_processes(self) -> None:
        keepers = self.pythons()
        lives = [keeper.lives for keeper in keepers]
        for keeper in keepers:
            keeper.send(signal.SIGKILL)
        wait_until(lambda: all(keeper.lives > n for keeper, n in zip(keepers, lives, strict=True)), "new lives")
        self.until_ready()

    def restart_postgresql(self) -> None:
        """As `pg_ctl restart -m immediate`: no session is told, nothing is flushed; then recovery from the log."""
        keeper = self.keepers["postgresql"]
        lives = keeper.lives
        keeper.send(signal.SIGQUIT)
        wait_until(lambda: keeper.lives > lives and self.postgresql.ready(), "PostgreSQL after its restart")

    def restart_redis(self) -> None:
        keeper = self.keepers["redis"]
        lives = keeper.lives
        keeper.send(signal.SIGKILL)
        wait_until(lambda: keeper.lives > lives and self.redis.ready(), "Redis after its restart")

    def flush_redis(self) -> None:
        self.redis_command(b"FLUSHALL")

    def trust_models(self) -> None:
        """What a test before did to a model is forgotten: its breaker is closed."""
        every = "for _, key in ipairs(redis.call('KEYS', 'llm:breaker:*')) do redis.call('DEL', key) end"
        self.redis_command(f'EVAL "{every}" 0'.encode())

    def redis_command(self, command: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.redis.socket))
            client.sendall(command + b"\r\n")
            client.recv(64)


def freeze(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def wake(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def kill(*pids: int, number: signal.Signals = signal.SIGKILL) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """The house for as long as the block lasts."""
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@contextmanager
def running_alone(**settings: str) -> Iterator[Stack]:
    """A house for a program that is no test; nothing is left of it."""
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)
    with tempfile.TemporaryDirectory(prefix="scriptorium-", dir="/tmp") as folder:
        logs = Path(folder, "logs")
        logs.mkdir()
        with running(Stack(Path(folder), logs, **settings)) as stack:
            yield stack
