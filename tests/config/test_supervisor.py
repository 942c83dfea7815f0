"""`up`, as real processes: real services and signals, stand-in commands."""

import os
import signal
import socket
from collections.abc import Callable
from urllib.request import urlopen

import psycopg
import redis

from tests.config.houses import House, wait_until
from tests.patience import PATIENCE_SECONDS

Build = Callable[..., House]


def test_it_starts_tells_one_address_and_leaves_nothing_behind(house: Build) -> None:
    up = house().wait_until_ready()
    assert up.said.count("http://") == 1
    assert f"http://127.0.0.1:{up.port}/sign-in/once" in up.said
    assert urlopen(f"http://127.0.0.1:{up.port}/").status == 200
    assert up.stop() == 0
    assert up.processes() == {}


def test_the_sign_in_link_stays_out_of_the_log_file(house: Build) -> None:
    up = house().wait_until_ready()
    assert "/sign-in/" not in up.log


def test_secrets_are_kept_and_private(house: Build) -> None:
    up = house().wait_until_ready()
    key = (up.data / "secret-key").read_text()
    assert up.stop() == 0
    house().wait_until_ready()
    assert (up.data / "secret-key").read_text() == key
    for name in ("secret-key", "environment"):
        assert (up.data / name).stat().st_mode & 0o077 == 0


def test_the_processes_stop_before_redis_and_redis_before_postgresql(house: Build) -> None:
    up = house().wait_until_ready()
    up.stop()
    said = ["web ends", "Redis is now ready to exit", "database system is shut down"]
    assert sorted(said, key=up.log.rindex) == said


def test_deaf_processes_and_their_children_are_killed_in_the_end(house: Build) -> None:
    up = house("--worker").wait_until_ready()
    wait_until(lambda: sum("stand_in worker" in line for line in up.processes().values()) == 2, "worker and horse")
    assert up.stop() == 0
    assert up.processes() == {}


def test_a_second_up_says_where_the_first_one_is(house: Build) -> None:
    first = house().wait_until_ready()
    second = house()
    assert second.process.wait(PATIENCE_SECONDS) == 1
    assert f"already running on {first.data}: http://127.0.0.1:{first.port}" in second.said
    assert urlopen(f"http://127.0.0.1:{first.port}/").status == 200


def test_a_busy_port_is_named_with_the_way_out(house: Build) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        up = house(port=port)
        assert up.process.wait(PATIENCE_SECONDS) == 1
    assert f"Port {port} is in use" in up.said
    assert f"PORT={port + 1}" in up.said


def test_a_killed_process_is_started_again(house: Build) -> None:
    up = house().wait_until_ready()
    os.kill(up.pid_of("stand_in web"), signal.SIGKILL)
    wait_until(lambda: up.log.count("web begins") == 2, "the second life of web")


def test_killed_services_are_started_again(house: Build) -> None:
    up = house().wait_until_ready()
    environment = dict(
        line.removeprefix("export ").split("=", 1) for line in (up.data / "environment").read_text().splitlines()
    )
    for part in ("postgres -D", "redis-server"):
        os.kill(up.pid_of(part), signal.SIGKILL)
    wait_until(lambda: "ends" not in up.log and _both_answer(environment), "both services to answer")


def _both_answer(environment: dict[str, str]) -> bool:
    try:
        psycopg.connect(environment["DATABASE_URL"].strip("'")).close()
        return bool(redis.from_url(environment["REDIS_URL"].strip("'")).ping())
    except (psycopg.Error, redis.RedisError):
        return False


def test_a_killed_supervisor_leaves_no_orphan_and_the_next_one_starts(house: Build) -> None:
    up = house().wait_until_ready()
    up.process.kill()
    wait_until(lambda: not up.processes(), "the children to follow")
    house(port=up.port).wait_until_ready()


def test_an_up_that_follows_a_killed_one_at_once_waits_for_its_port(house: Build) -> None:
    up = house().wait_until_ready()
    up.process.kill()
    house(port=up.port).wait_until_ready()
