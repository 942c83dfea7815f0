"""What machines ask: is it alive, can it serve, what has it counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client
from pytest_django.fixtures import Settings

from config import health, migrations
from tests.counting import counting
from tests.people import People

pytestmark = pytest.mark.django_db


@pytest.fixture
def unknown() -> Iterator[None]:
    """A process that has not looked at the migrations yet."""
    health.migrated.clear()
    yield
    health.migrated.clear()


def test_a_process_that_answers_is_alive(client: Client) -> None:
    assert client.get("/health/live").json() == {"live": True}


def test_it_is_ready_with_a_migrated_database(client: Client, unknown: None) -> None:
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "postgresql": "ok", "redis": "ok"}


def test_it_is_not_ready_before_the_migrations(client: Client, unknown: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "missing", lambda: True)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["postgresql"]) == (503, "not migrated")


def test_it_is_not_ready_without_postgresql(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("away")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["postgresql"]) == (503, "away")


def test_it_is_ready_without_redis_and_says_so(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json()["redis"] == "away"
    assert client.get("/metrics").status_code == 200


def test_requests_are_counted_by_pattern_not_by_url(client: Client, people_committed: People) -> None:
    run = people_committed.workspace.id
    people_committed.client(people_committed.owner).get(f"/api/v1/runs/{run}")
    told = client.get("/metrics").content.decode()
    assert 'http_request_seconds_count{route="api/v1/runs/<uuidstr:run_id>",status="404"}' in told
    assert str(run) not in told
    assert 'errors_total{code="not_found.run"}' in told
    assert "redis_memory_bytes" in told


def test_figures_of_all_processes_are_read_from_their_files(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two others count and open; one is killed: what it counted stays, what it held open does not."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    count = 'metrics.errors.labels("x").inc()\nmetrics.followers_open.inc(3)'
    with counting(count):
        with counting(count):
            assert figures(client) == {"followers_open 6.0", 'errors_total{code="x"} 2.0'}
        assert figures(client) == {"followers_open 3.0", 'errors_total{code="x"} 2.0'}


def figures(client: Client) -> set[str]:
    lines = client.get("/metrics").content.decode().splitlines()
    return {line for line in lines if line.startswith(("errors_total", "followers_open"))}


@pytest.mark.parametrize("headers", [{"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}])
def test_a_proxy_on_this_machine_does_not_make_its_clients_machines(client: Client, headers: dict[str, str]) -> None:
    assert client.get("/metrics", headers=headers).status_code == 401


def test_figures_are_for_staff_when_asked_from_elsewhere(people: People) -> None:
    people.owner.is_staff = True
    people.owner.save()
    elsewhere = Client(REMOTE_ADDR="10.0.0.9")
    assert elsewhere.get("/metrics").status_code == 401
    assert elsewhere.get("/metrics", headers=people.bearer(people.stranger)).status_code == 403
    assert elsewhere.get("/metrics", headers=people.bearer(people.owner, "read")).status_code == 200
