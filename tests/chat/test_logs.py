"""A line of the log says what it belongs to: the request, its user, the run, the step."""

from collections.abc import Iterator, MutableMapping
from typing import Any
from uuid import uuid4

import pytest
from channels.testing import HttpCommunicator
from django.db import connections
from django.test import Client
from pytest_django.fixtures import Settings
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from config.asgi import application
from generation.carrier import Carrier
from generation.models import Document
from memory import workspaces
from memory.base.database import db as in_database
from memory.models import User
from tests.chat.conftest import Say, answered
from tests.chat.test_socket import Open, open_page
from tests.generation.conftest import Demo, Start, ended
from tests.patience import PATIENCE_SECONDS
from tests.people import People

__all__ = ["open_page"]

Lines = list[MutableMapping[str, Any]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with capture_logs(processors=[merge_contextvars]) as logged:
        yield logged


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every signed-in request asks for fails in a way that nobody foresaw."""

    def fail(user: object) -> None:
        raise ValueError

    monkeypatch.setattr(workspaces, "memberships", fail)


@pytest.fixture
def no_connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the web process, whose requests come on a thread each."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)


@pytest.fixture
def no_redis(settings: Settings) -> None:
    """Whoever is counted leaves a line: there is nothing to count with."""
    settings.RATE_LIMIT_ENABLED = True
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}


def named(lines: Lines, event: str) -> Lines:
    return [line for line in lines if line["event"] == event]


def session_of(user: User) -> tuple[bytes, bytes]:
    client = Client()
    client.force_login(user)
    return b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()


async def asked(path: str, *headers: tuple[bytes, bytes]) -> str:
    """Ask as a server would; the id that the answer bears."""
    everywhere = [(b"host", b"localhost"), *headers]
    communicator = HttpCommunicator(application, "GET", path, headers=everywhere)
    answer = await communicator.get_response(timeout=PATIENCE_SECONDS)
    await communicator.wait(timeout=PATIENCE_SECONDS)
    assert answer["status"] == 500
    return dict(answer["headers"])[b"x-request-id"].decode()


@pytest.mark.parametrize("path", ["/api/v1/workspaces", "/", "/profile/"])
async def test_a_request_is_logged_with_its_id_and_its_user(
    people_committed: People, no_connection_kept: None, lines: Lines, broken: None, path: str
) -> None:
    request = await asked(path, await in_database(session_of, people_committed.teammate))
    (line,) = named(lines, "request_failed")
    assert (line["request"], line["user"]) == (request, str(people_committed.teammate.pk))


async def test_a_program_is_logged_as_its_user(
    people_committed: People, no_connection_kept: None, lines: Lines, broken: None
) -> None:
    headers = await in_database(people_committed.bearer, people_committed.owner)
    await asked("/api/v1/workspaces", (b"authorization", headers["Authorization"].encode()))
    (line,) = named(lines, "request_failed")
    assert line["user"] == str(people_committed.owner.pk)


def test_who_is_not_known_yet_is_nobody_whoever_asked_before(people: People, lines: Lines, no_redis: None) -> None:
    assert people.client(people.owner).post("/api/v1/files").status_code == 422
    assert Client().post("/api/v1/files").status_code == 401
    by_address, by_user, of_a_stranger = named(lines, "limits_off")
    assert by_user["user"] == str(people.owner.pk)
    assert "user" not in by_address
    assert "user" not in of_a_stranger


async def test_what_a_socket_asks_is_logged_with_its_user(
    open_page: Open, house: People, lines: Lines, no_redis: None
) -> None:
    pages = [await open_page(user) for user in (house.owner, house.stranger)]
    for page in pages:
        await page.send(type="stop", run=str(uuid4()))
        assert (await page.hear("error"))["error_code"] == "not_found.run"
    counted = named(lines, "limits_off")
    users = {line["request"]: line["user"] for line in counted}
    assert list(users.values()) == [str(house.owner.pk), str(house.stranger.pk)]


async def test_what_a_run_does_is_logged_with_run_step_and_user(carrier: Carrier, start: Start, lines: Lines) -> None:
    run = await start("tests.jobs.noisy")
    await ended(run)
    await carrier.until_empty()  # it logs what has ended
    for event in ("made", "kept"):
        assert sorted((line["key"], line["step"]) for line in named(lines, event)) == [
            ("left", "left"),
            ("right", "right"),
        ]
    (end,) = named(lines, "run_ended")
    assert "step" not in end
    of_run = [*named(lines, "made"), *named(lines, "kept"), end]
    assert {(line["run"], line["user"]) for line in of_run} == {(str(run.id), str(run.user_id))}


async def test_what_a_model_may_not_do_is_logged_with_its_run_and_user(
    say: Say, demo: Demo, carrier: Carrier, course: Document, lines: Lines
) -> None:
    call = {"name": "update_field", "arguments": {"object": str(uuid4()), "field": "title", "value": "Mine"}}
    demo.set(rules=[{"contains": "Do it.", "calls": [call], "times": 1}])
    turn = await say("Do it.", context=[("document", course.id)])
    await answered(turn)
    (refused,) = named(lines, "tool_refused")
    assert (refused["tool"], refused["error"]) == ("update_field", "not_found.object")
    assert (refused["run"], refused["user"]) == (str(turn.run.id), str(turn.run.user_id))
