"""A house to measure: real processes on services of its own (durable, as in production), and what they cost."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from config import providers
from config.services import PostgreSQL, Redis
from config.services.command import Command
from config.supervisor.house import BASE, free_port
from config.supervisor.plan import worker
from tests.bench.bench_memory import family

TICKS = os.sysconf("SC_CLK_TCK")
SERVERS = {
    "daphne": ("manage.py", "web"),
    "uvicorn": ("-m", "uvicorn", "config.asgi:application", "--log-level", "warning"),
}


class House:
    """`with House(OPENAI_BASE_URL=…) as house:` web and workers run, prepared; counted by `cpu()`."""

    def __init__(self, workers: int = 1, server: str = "daphne", **settings: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="scriptorium-bench-", dir="/tmp"))
        self.folder.chmod(0o711)
        self.postgresql = PostgreSQL(self.folder / "postgres")
        self.redis = Redis(self.folder / "redis")
        self.port = free_port()
        self.workers = workers
        self.server = SERVERS[server]
        self.environment = {
            **os.environ,
            **dict.fromkeys(providers.VARIABLES, ""),  # nobody is measured whom the shell of the developer names
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": self.postgresql.url,
            "REDIS_URL": self.redis.url,
            "SECRET_KEY": "bench " * 10,
            "PORT": str(self.port),
            "UVICORN_PORT": str(self.port),
            "DATA_DIR": str(self.folder / "data"),
            "RUNS_OPEN_PER_USER": "10000",
            "BUDGET_USER_DAY_TOKENS": "0",
            "BUDGET_WORKSPACE_DAY_TOKENS": "0",
            **settings,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "House":
        log = (self.folder / "log").open("ab")
        self.postgresql.start(log.fileno())
        self.redis.start(log.fileno())
        subprocess.run([sys.executable, "manage.py", "prepare"], cwd=BASE, env=self.environment, check=True, stdout=log)
        self.run(*self.server)
        for _ in range(self.workers):
            self.run("manage.py", *worker("default"))
        self.until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(10)
        self.redis.stop()
        self.postgresql.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments: str) -> None:
        command = Command(arguments[1], (sys.executable, *arguments), self.environment, BASE)
        log = (self.folder / "log").open("ab")
        options = command.options()
        self.processes.append(subprocess.Popen(command.argv, stdout=log, stderr=log, **options))

    def until_ready(self) -> None:
        until = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/health/ready", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if time.monotonic() > until:
                sys.exit((self.folder / "log").read_text()[-4000:])
            time.sleep(0.1)

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far: web, workers (their horses included), PostgreSQL (its sessions included), Redis."""
        parts = {"web": [self.processes[0]], "workers": self.processes[1:]}
        spent = {name: sum(cpu_of_family(process.pid) for process in some) for name, some in parts.items()}
        for name, service in (("postgresql", self.postgresql), ("redis", self.redis)):
            spent[name] = cpu_of_family(service.process.pid) if service.process else 0.0
        return spent


def cpu_of_family(root: int) -> float:
    """A process, its living children, and those that it has seen end."""
    return sum(cpu_of(pid) for pid in family(root))


def cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICKS
