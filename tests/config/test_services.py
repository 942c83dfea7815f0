"""The embedded services: the same everywhere, private, and never careless with what a folder holds."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.core.cache.backends.redis import RedisCache
from rq import Queue

from config.services import PostgreSQL, Redis, ServiceError
from config.supervisor.house import BASE
from tests.config.houses import wait_until
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def postgresql(folder: Path) -> Iterator[PostgreSQL]:
    service = PostgreSQL(folder / "postgres", durable=False)
    yield service
    service.stop()


@pytest.fixture
def store(folder: Path) -> Iterator[Redis]:
    service = Redis(folder / "redis")
    yield service
    service.stop()


def ask(service: PostgreSQL, question: str) -> object:
    with psycopg.connect(service.url, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None


def test_postgresql_is_18_with_vectors_and_knows_the_letters_of_unicode(
    postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "C")
    postgresql.start()
    assert str(ask(postgresql, "SHOW server_version")).startswith("18")
    assert ask(postgresql, "SELECT lower('É')") == "é"
    assert ask(postgresql, "SELECT name FROM pg_available_extensions WHERE name = 'vector'") == "vector"


def test_no_service_listens_on_the_network(postgresql: PostgreSQL, store: Redis) -> None:
    postgresql.start()
    store.start()
    assert ask(postgresql, "SHOW listen_addresses") == ""
    assert redis.from_url(store.url).config_get("port") == {"port": "0"}
    for service in (postgresql, store):
        assert service.sockets.stat().st_mode & 0o077 == 0


def test_what_was_written_outlives_a_stop(postgresql: PostgreSQL, store: Redis) -> None:
    for service in (postgresql, store):
        service.start()
    redis.from_url(store.url).set("kept", "7")
    with psycopg.connect(postgresql.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    for service in (postgresql, store):
        service.stop()
        assert not service.ready()
        service.start()
    assert ask(postgresql, "SELECT number FROM kept") == 7
    assert redis.from_url(store.url).get("kept") == b"7"


def test_an_initdb_that_was_cut_short_is_made_again(postgresql: PostgreSQL) -> None:
    making = postgresql.folder.with_name("postgres.making")
    making.mkdir()
    (making / "PG_VERSION").write_text("18")
    postgresql.start()
    assert ask(postgresql, "SELECT 1") == 1
    assert not making.exists()


def test_a_folder_that_is_no_data_folder_is_refused_and_kept(postgresql: PostgreSQL) -> None:
    postgresql.folder.mkdir()
    (postgresql.folder / "letter.txt").write_text("dear")
    with pytest.raises(ServiceError, match="move it away"):
        postgresql.start()
    assert (postgresql.folder / "letter.txt").read_text() == "dear"


def test_sessions_that_outlive_their_killed_server_are_waited_for(postgresql: PostgreSQL) -> None:
    """Two servers on one folder would ruin it. A stopped session cannot see that its server is dead."""
    postgresql.start()
    killed = postgresql.process
    assert killed
    with psycopg.connect(postgresql.url) as connection:
        session = connection.info.backend_pid
        os.kill(session, signal.SIGSTOP)
        killed.kill()
        killed.wait()
        with pytest.raises(ServiceError):
            postgresql.start()
        os.kill(session, signal.SIGKILL)
    wait_until(lambda: not Path("/proc", str(session)).exists(), "the session to die")
    postgresql.start()
    assert ask(postgresql, "SELECT 1") == 1


def test_a_pid_file_with_the_number_of_another_process_is_no_obstacle(postgresql: PostgreSQL) -> None:
    postgresql.start()
    postgresql.stop()
    (postgresql.home / "postmaster.pid").write_text(f"{os.getppid()}\n{postgresql.home}\n")
    postgresql.start()
    assert ask(postgresql, "SELECT 1") == 1


@pytest.mark.parametrize("kind", [PostgreSQL, Redis])
def test_a_server_of_an_earlier_life_is_ended_first(kind: type[PostgreSQL | Redis], folder: Path) -> None:
    earlier, later = kind(folder / "data"), kind(folder / "data")
    earlier.start()
    assert earlier.process
    try:
        later.start()
        assert earlier.process.wait(PATIENCE_SECONDS) == 0
        assert later.ready()
    finally:
        earlier.stop()
        later.stop()


@pytest.mark.parametrize("kind", [PostgreSQL, Redis])
def test_a_service_dies_with_the_process_that_started_it(kind: type[PostgreSQL | Redis], folder: Path) -> None:
    source = (
        "import sys, os; from pathlib import Path; from config.services import PostgreSQL, Redis\n"
        f"service = {kind.__name__}(Path(sys.argv[1])); service.start()\n"
        "print(service.process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    run = subprocess.run([sys.executable, "-c", source, folder / "data"], cwd=BASE, capture_output=True, text=True)
    assert run.returncode == -signal.SIGKILL, run.stderr
    wait_until(lambda: not Path("/proc", run.stdout.strip()).exists(), "the service to die")
    kind(folder / "data").tidy()


def test_sockets_are_never_put_into_a_folder_that_others_can_enter(store: Redis) -> None:
    sockets = store.sockets
    sockets.chmod(0o755)
    with pytest.raises(ServiceError, match="not a private folder"):
        store.start()
    sockets.chmod(0o700)


async def test_the_channel_layer_takes_the_url_of_a_socket(store: Redis) -> None:
    store.start()
    layer = RedisPubSubChannelLayer(hosts=[{"address": store.url, "socket_timeout": 15}])
    channel = await layer.new_channel()
    await layer.group_add("readers", channel)
    await layer.group_send("readers", {"type": "ring"})
    assert await layer.receive(channel) == {"type": "ring"}
    await layer.flush()


def test_rq_and_the_cache_take_the_url_of_a_socket(store: Redis) -> None:
    store.start()
    cache = RedisCache(store.url, {})
    cache.set("answer", 42)
    assert cache.get("answer") == 42
    assert Queue("low", connection=redis.from_url(store.url, socket_timeout=15)).count == 0
