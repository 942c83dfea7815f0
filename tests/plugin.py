"""Gives every test run a PostgreSQL and a Redis of its own, before Django reads its settings.

PostgreSQL is shared by the processes of a run, a database each. Redis is one server per process, because pub/sub
and FLUSHALL know no borders between the databases of one server. No service that was there before is ever used.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from config import providers
from config.services import PostgreSQL, Redis, Service

FOLDER = "SCRIPTORIUM_TEST_FOLDER"
# What the shell of the developer or a running `up` may hold must not reach the tests.
STRANGERS = (*providers.VARIABLES, "PUBLIC_URL", "PROCESS", "PROMETHEUS_MULTIPROC_DIR")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    # A wrapper runs before pytest-django's own hook, which loads the settings.
    if not early_config.known_args_namespace.help:
        _give_services(early_config)
    return (yield)


def _give_services(config: pytest.Config) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        _make_folder(config)
    folder = Path(os.environ[FOLDER])
    postgresql = PostgreSQL(folder / "postgres", durable=False)
    if worker is None:
        _start(config, postgresql)
    name = worker or "main"
    redis = Redis(folder / f"redis-{name}", durable=False)
    _start(config, redis)
    os.environ["DATABASE_URL"] = postgresql.url.replace("/scriptorium?", f"/{name}?")
    os.environ["REDIS_URL"] = redis.url
    os.environ["DATA_DIR"] = str(folder / f"data-{name}")


def _make_folder(config: pytest.Config) -> None:
    folder = Path(tempfile.mkdtemp(prefix="scriptorium-tests-", dir="/tmp"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    folder.chmod(0o711)  # as root, PostgreSQL runs as another user
    os.environ[FOLDER] = str(folder)
    os.environ["SECRET_KEY"] = secrets.token_urlsafe(48)
    for name in STRANGERS:
        os.environ.pop(name, None)


def _start(config: pytest.Config, service: Service) -> None:
    config.add_cleanup(service.stop)  # on Ctrl-C and -x too; after kill -9 the service dies with its parent
    with Path(os.environ[FOLDER], "services.log").open("ab") as log:
        service.start(log.fileno())
