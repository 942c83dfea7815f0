"""What one machine runs, as data: the services, the commands, and the environment they share."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config import env, providers
from config.services import PostgreSQL, Redis, Service
from config.services.command import Command
from config.supervisor import house

QUEUES = ("high", "default", "low")
SAMPLE = house.BASE / "generation" / "recipes" / "course" / "sample.txt"
JOBS = ("demo",)


@dataclass(frozen=True)
class Job:
    """A command that ends, with the terminal to itself, and the file it leaves."""

    command: Command
    result: Path


@dataclass(frozen=True)
class Plan:
    """Started in this order, stopped in the opposite one. `prepare` ends, with one line of JSON. The first of
    `processes` is the one that answers on PORT."""

    services: tuple[Service, ...]
    models: tuple[Command, ...]
    prepare: Command
    processes: tuple[Command, ...]
    job: Job | None = None


def of_this_machine(data: Path, port: int, job: str = "") -> Plan:
    """DESIGN 3: what the environment already offers is not started."""
    services = _services(data)
    shared = {
        "PORT": str(port),
        "DATA_DIR": str(data),
        "SECRET_KEY": env.text("SECRET_KEY") or house.secret_key(data),
        "PROMETHEUS_MULTIPROC_DIR": str(_fresh(data / "metrics")),
        **{variable: service.url for variable, service in services.items()},
    }
    models: tuple[Command, ...] = ()
    if not (providers.keys() or providers.urls()):
        model_port = str(house.free_port())
        shared["DEMO_BASE_URL"] = f"http://127.0.0.1:{model_port}/v1"
        models = (python("demo", ("-m", "generation.demo", "--port", model_port), shared),)
    house.write_environment(data, shared)
    return Plan(
        services=tuple(services.values()),
        prepare=manage("prepare", ("prepare", "--json"), shared),
        models=models,
        processes=(manage("web", ("web",), shared), *_workers(shared)),
        job=_demo(data / "course.html", shared) if job == "demo" else None,
    )


def python(name: str, arguments: tuple[str, ...], shared: Mapping[str, str]) -> Command:
    inherited = {name: value for name, value in os.environ.items() if name != "PROCESS"}
    return Command(name, (sys.executable, *arguments), {**inherited, **shared, "PYTHONUNBUFFERED": "1"}, house.BASE)


def manage(name: str, arguments: tuple[str, ...], shared: Mapping[str, str]) -> Command:
    return python(name, ("manage.py", *arguments), shared)


def _demo(result: Path, shared: Mapping[str, str]) -> Job:
    arguments = ("generate", "course", "--brief", str(SAMPLE), "--export", str(result))
    return Job(manage("demo", arguments, shared), result)


def _services(data: Path) -> dict[str, Service]:
    services: dict[str, Service] = {}
    if not env.text("DATABASE_URL"):
        services["DATABASE_URL"] = PostgreSQL(data / "postgres")
    if not env.text("REDIS_URL"):
        services["REDIS_URL"] = Redis(data / "redis")
    return services


def worker(queue: str) -> tuple[str, ...]:
    """The house was checked when the web process began; to do it again is to load every page for nothing."""
    return ("rqworker", queue, "--serializer", "rq.serializers.JSONSerializer", "--skip-checks")


def _workers(shared: Mapping[str, str]) -> list[Command]:
    """One queue per process: with two, RQ loses what it holds when killed (TRAPS 1.4)."""
    workers = []
    for queue in QUEUES:
        count = env.integer(f"WORKERS_{queue.upper()}", 1, 0, 64)
        for number in range(1, count + 1):
            name = f"{queue}-{number}" if count > 1 else queue
            workers.append(manage(name, (*worker(queue), "--verbosity", "0"), shared))
    return workers


def _fresh(folder: Path) -> Path:
    """Counters of processes that are gone would be counted for ever."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder
