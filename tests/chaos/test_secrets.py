"""The key to a provider is in the environment and nowhere else, whatever the provider answers."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from redis import Redis

from tests.chaos.invariants import states, until_settled
from tests.chaos.stack import Stack, running
from tests.plugin import FOLDER

KEY = "sk-CANARY-8f2a6c1e"


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Stack]:
    """A house with a provider of its own, who is the demo model under another name."""
    stack = Stack(Path(os.environ[FOLDER]) / f"keyed-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}", tmp_path)
    stack.environment |= {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": stack.environment["DEMO_BASE_URL"]}
    with running(stack):
        yield stack


def rows(stack: Stack) -> Iterator[str]:
    with stack.sql() as sql:
        tables = "SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public'"
        for (table,) in sql.execute(tables).fetchall():
            yield from (str(row) for row in sql.execute(f"SELECT t::text FROM {table} t").fetchall())


def kept_in_redis(stack: Stack) -> Iterator[str]:
    with Redis.from_url(stack.redis.url) as redis:
        redis.config_set("rdbcompression", "no")  # what is compressed cannot be searched
        yield from (str((name, redis.dump(name))) for name in redis.scan_iter())


def pages(stack: Stack, run: UUID) -> Iterator[str]:
    with httpx.Client(base_url=f"{stack.url}/api/v1/", timeout=30) as client:
        client.headers["Authorization"] = f"Bearer {stack.secrets['owner']}"
        told = client.get(f"runs/{run}")
        yield told.text
        yield client.get(f"runs/{run}/events", headers={"Accept": "application/json"}).text
        yield client.get(f"documents/{told.json()['document']}").text
        for kind in ("md", "json", "html"):
            yield client.get(f"documents/{told.json()['document']}/export", params={"format": kind}).text
        yield httpx.get(f"{stack.url}/nowhere/").text
        yield httpx.get(f"{stack.url}/metrics").text


def write(stack: Stack) -> UUID:
    run = stack.begin()
    with stack.sql() as sql:
        until_settled(sql, [run])
    return run


def test_a_key_is_found_nowhere(keyed: Stack) -> None:
    written = write(keyed)
    keyed.model(rules=[{"contains": "Write the section", "fault": "unauthorised"}])
    refused = write(keyed)
    with keyed.sql() as sql:
        assert sql.execute("SELECT DISTINCT provider FROM generation_call").fetchall() == [("openai",)]
        assert states(sql, [written, refused]) == {"done": 1, "partial": 1}
    found = [place for place in rows(keyed) if KEY in place]
    found += [place for place in kept_in_redis(keyed) if KEY in place]
    for run in (written, refused):
        found += [page[:200] for page in pages(keyed, run) if KEY in page]
    logs = [log for log in keyed.logs.glob("*.log") if log.name != "demo.log"]  # that is the provider's own
    assert logs
    found += [log.name for log in logs if KEY in log.read_text(errors="replace")]
    assert found == []
