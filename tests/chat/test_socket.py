"""The socket: who may open it, what it follows, and how it says no."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import orjson
import pytest
import pytest_asyncio
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import Settings

from chat.sockets import MOST_PER_USER, sockets
from config.asgi import application
from generation import documents, folders, runs
from generation.carrier import Carrier
from generation.guests import guests
from generation.hub import hub
from generation.models import Queue, Run, RunState
from generation.sections import add as add_section
from memory import tokens, workspaces
from memory.base.database import db as in_database
from memory.base.news import changed
from memory.history import By
from memory.models import User
from tests.generation.conftest import Demo, Start, reached, recorded_text, state_of
from tests.generation.test_log import fold
from tests.patience import PATIENCE_SECONDS
from tests.people import People

ORIGIN = settings.ALLOWED_ORIGINS[0]

Open = Callable[..., Awaitable["Page"]]


class Page:
    """A socket as a page or a program holds it."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.communicator = communicator

    async def send(self, **frame: Any) -> None:
        await self.communicator.send_to(text_data=orjson.dumps(frame).decode())

    async def hear(self, *types: str, within: float = PATIENCE_SECONDS) -> dict[str, Any]:
        """The next frame, or the next of these types."""
        while True:
            frame: dict[str, Any] = orjson.loads(await self.communicator.receive_from(timeout=within))
            if not types or frame["type"] in types:
                return frame

    async def closed(self, within: float = PATIENCE_SECONDS) -> int:
        while True:
            message = await self.communicator.receive_output(timeout=within)
            if message["type"] == "websocket.close":
                return int(message["code"])


@pytest_asyncio.fixture
async def open_page(transactional_db: None, ringing: None) -> AsyncIterator[Open]:
    opened: list[Page] = []
    await hub.open()
    sockets.open()
    guests.open()

    async def one(user: User | None = None, origin: str = ORIGIN, token: str = "", address: str = "") -> Page:
        headers = [(b"origin", origin.encode())] if origin else []
        headers += [(b"x-forwarded-for", address.encode())] if address else []
        if user:
            client = Client()
            await in_database(client.force_login, user)
            headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
        page = Page(WebsocketCommunicator(application, "/ws/", headers))
        accepted, _ = await page.communicator.connect(timeout=PATIENCE_SECONDS)
        assert accepted
        opened.append(page)
        if token:
            await page.send(type="token", token=token)
        return page

    yield one
    for page in opened:
        await page.communicator.disconnect()
    guests.close()
    sockets.close()
    await hub.close()


async def test_a_page_follows_a_note_to_its_end(
    open_page: Open, carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    demo.set(tokens_per_second=500)
    run = await start()
    page = await open_page(house.teammate)
    await page.send(type="follow", run=str(run.id), since=0)
    events: list[dict[str, Any]] = []
    position = 0
    while not events or events[-1]["type"] != "done":
        frame = await page.hear("events")
        assert frame["after"] == position
        position = frame["upto"]
        events += frame["events"]
    assert fold(events) == await recorded_text(run)
    assert frame["state"] == "done"


@pytest.mark.parametrize("origin", ["", "null", "https://evil.example", "http://127.0.0.1:1"])
async def test_a_session_from_another_place_opens_nothing(open_page: Open, house: People, origin: str) -> None:
    page = await open_page(house.owner, origin=origin)
    await page.send(type="ping")
    assert (await page.hear("error"))["error_code"] == "authentication.needed"
    assert await page.closed() == 4401


async def test_a_program_enters_by_its_token_and_may_only_what_the_token_may(open_page: Open, house: People) -> None:
    _, secret = await in_database(tokens.issue, house.owner, "reader", ["read"])
    page = await open_page(origin="", token=secret)
    assert (await page.hear())["type"] == "accepted"
    await page.send(type="start", key="k", kind="note", brief="a brief")
    assert (await page.hear())["error_code"] == "permission.scope"
    assert not await in_database(Run.objects.exists)


async def test_a_stranger_cannot_follow_stop_or_watch_the_run(open_page: Open, start: Start, house: People) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    page = await open_page(house.stranger)
    for frame in (
        {"type": "follow", "run": str(run.id), "since": 0},
        {"type": "stop", "run": str(run.id)},
        {"type": "watch", "topics": [f"run.{run.id}"]},
        {"type": "watch", "topics": [f"workspace.{house.workspace.id}"]},
        {"type": "watch", "topics": [f"user.{house.owner.id}"]},
    ):
        await page.send(**frame)
        assert (await page.hear())["error_code"].startswith("not_found.")
    assert (await state_of(run)).state == "queued"


async def test_a_viewer_follows_but_does_not_stop(open_page: Open, start: Start, house: People) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    page = await open_page(house.viewer)
    await page.send(type="follow", run=str(run.id), since=0)
    assert (await page.hear())["type"] == "events"
    await page.send(type="stop", run=str(run.id))
    assert (await page.hear())["error_code"] == "permission.role"


async def test_start_twice_with_one_key_is_one_run(open_page: Open, house: People) -> None:
    page = await open_page(house.owner)
    answers = []
    for _ in range(2):
        await page.send(type="start", key="same", kind="note", brief="a brief")
        answers.append(await page.hear("accepted"))
    assert answers[0] == answers[1]
    assert await in_database(Run.objects.count) == 1
    await page.send(type="stop", run=answers[0]["run"])
    assert (await page.hear("accepted"))["run"] == answers[0]["run"]
    assert (await in_database(lambda: Run.objects.select_related("claim").get())).claim.state == "cancelled"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no json", "validation.json"),
        ("[1]", "validation.json"),
        ("[" * 2000, "validation.too_deep"),
        ('{"type":"start","brief":"half \\ud83d"}', "validation.json"),
        ('{"a":' * 100 + "1" + "}" * 100, "validation.too_deep"),
        ('{"type":"websocket.disconnect"}', "validation.frame_type"),
        ('{"type":"follow","run":"x"}', "not_found.run"),
        ('{"type":"start","kind":"note","brief":"b"}', "validation.key"),
        ('{"type":"start","key":"k","kind":"nothing","brief":"b"}', "validation.kind"),
        ('{"type":"start","key":"k","kind":"note","brief":""}', "validation.brief_empty"),
        ('{"type":"watch","topics":"all"}', "validation.topics"),
    ],
)
async def test_a_bad_frame_is_answered_by_an_error_and_the_socket_lives(
    open_page: Open, house: People, text: str, code: str
) -> None:
    page = await open_page(house.owner)
    await page.communicator.send_to(text_data=text)
    assert (await page.hear())["error_code"] == code
    await page.send(type="ping")
    assert (await page.hear())["type"] == "pong"


async def test_a_watched_topic_tells_of_changes(open_page: Open, house: People) -> None:
    page = await open_page(house.viewer)
    topic = f"workspace.{house.workspace.id}"
    await page.send(type="watch", topics=[topic])
    await page.hear("accepted")
    changed("run", house.workspace.id, 7, ["user.other", topic])
    told = await page.hear("changed")
    assert (told["topic"], told["version"]) == (topic, 7)


async def test_a_page_hears_what_others_change_in_its_document_and_a_stranger_does_not(
    open_page: Open, house: People
) -> None:
    note = await in_database(lambda: documents.create("note", "Loops", {}, user=house.owner, workspace=house.workspace))
    page, stranger = await open_page(house.viewer), await open_page(house.stranger)
    topic = f"document.{note.id}"
    await page.send(type="watch", topics=[topic])
    await page.hear("accepted")
    await stranger.send(type="watch", topics=[topic])
    assert (await stranger.hear("error"))["error_code"] == "not_found.topic"
    section = await in_database(lambda: add_section(note, "section", {"title": "Why"}, By.person(house.teammate)))
    told = await page.hear("changed")
    assert (told["topic"], told["kind"], told["id"], told["version"]) == (topic, "section", str(section.id), 1)
    await in_database(lambda: documents.edit(note, {"title": "Renamed"}, By.person(house.teammate)))
    told = await page.hear("changed")
    assert (told["kind"], told["id"], told["version"]) == ("document", str(note.id), 2)
    await stranger.send(type="ping")
    assert (await stranger.hear())["type"] == "pong"


async def test_an_action_on_a_document_is_started_by_those_who_may(open_page: Open, house: People) -> None:
    course = await in_database(
        lambda: documents.create("course", "Loops", {}, user=house.owner, workspace=house.workspace)
    )
    frame = {"type": "start", "key": "k", "document": str(course.id), "action": "add_chapter"}
    for user, code in ((house.stranger, "not_found.document"), (house.viewer, "permission.role")):
        page = await open_page(user)
        await page.send(**frame)
        assert (await page.hear("accepted", "error"))["error_code"] == code
    page = await open_page(house.teammate)
    await page.send(**{**frame, "action": "none"})
    assert (await page.hear("error"))["error_code"] == "not_found.action"
    await page.send(**frame)
    started = await page.hear("accepted")
    run = await in_database(lambda: Run.objects.get(id=started["run"]))
    assert (run.document_id, run.action) == (course.id, "add_chapter")


async def test_a_list_hears_of_new_folders(open_page: Open, house: People) -> None:
    page = await open_page(house.viewer)
    await page.send(type="watch", topics=[f"workspace.{house.workspace.id}"])
    await page.hear("accepted")
    folder = await in_database(lambda: folders.make(house.workspace, "Python", house.teammate))
    told = await page.hear("changed")
    assert (told["kind"], told["id"]) == ("folder", str(folder.id))


async def test_a_list_hears_of_a_run_when_its_row_changes(
    open_page: Open, carrier: Carrier, start: Start, house: People
) -> None:
    """Begun, at work, a step further, ended: each time a list that looks sees what it was rung for."""
    page = await open_page(house.viewer)
    await page.send(type="watch", topics=[f"workspace.{house.workspace.id}"])
    await page.hear("accepted")
    run = await start("tests.jobs.slow_steps", options={"seconds": 1.5, "parts": 1})
    seen: list[tuple[str, bool]] = []
    while not seen or seen[-1][0] != "done":
        told = await page.hear("changed")
        assert (told["kind"], told["id"]) == ("run", str(run.id))
        row = await in_database(lambda: Run.objects.select_related("claim").get(id=run.id))
        seen.append((row.claim.state, row.started_at is not None))
    assert ("running", True) in seen, "it is told that the work has begun, before anything is recorded"


async def test_a_list_hears_that_a_run_waits_and_that_it_was_answered(
    open_page: Open, carrier: Carrier, start: Start, house: People
) -> None:
    page = await open_page(house.viewer)
    run = await start("tests.jobs.asking")
    await reached(run, RunState.WAITING)
    carrier.claiming = False  # nobody works on it: what is heard is the answer
    await page.send(type="watch", topics=[f"run.{run.id}"])
    await page.hear("accepted")
    await in_database(lambda: runs.answer(run, house.owner, "choice", {"colour": "red", "number": 1}))
    assert (await page.hear("changed"))["id"] == str(run.id)
    await reached(run, RunState.QUEUED)


def check_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generation.guests.CHECK_SECONDS", 0.2)
    guests.close()
    guests.open()


async def test_a_teammate_who_was_removed_hears_no_more_and_is_told_so(
    open_page: Open, start: Start, house: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_often(monkeypatch)
    note = await in_database(lambda: documents.create("note", "Loops", {}, user=house.owner, workspace=house.workspace))
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    own = f"user.{house.teammate.id}"
    topics = [f"workspace.{house.workspace.id}", f"document.{note.id}", f"run.{run.id}", own]
    pages = [await open_page(user) for user in (house.teammate, house.viewer)]
    for page in pages:
        await page.send(type="follow", run=str(run.id), since=0)
        await page.hear("events")
        await page.send(type="watch", topics=topics[: 4 if page is pages[0] else 3])
        await page.hear("accepted")
    removed, viewer = pages
    await in_database(lambda: workspaces.remove_member(house.workspace, house.teammate.id, by=house.owner))
    told = [await removed.hear() for _ in range(4)]
    assert {frame["type"] for frame in told} == {"error"}
    assert [frame["run"] for frame in told if frame["error_code"] == "not_found.run"] == [str(run.id)]
    assert {one["details"]["topic"] for one in told if one["error_code"] == "not_found.topic"} == set(topics[:3])
    await in_database(lambda: documents.edit(note, {"title": "Renamed"}, By.person(house.owner)))
    await in_database(lambda: runs.cancel(run, house.owner))
    changed("run", run.id, 1, [own])
    assert (await viewer.hear("events"))["events"]
    assert (await removed.hear())["topic"] == own, "what is their own they hear on"
    await removed.send(type="ping")
    assert (await removed.hear())["type"] == "pong"


async def test_a_socket_ends_within_seconds_of_signing_out(
    open_page: Open, house: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_often(monkeypatch)
    page = await open_page(house.owner)
    await page.send(type="ping")
    await page.hear("pong")
    house.owner.set_password("another one")
    await in_database(house.owner.save)
    assert await page.closed() == 4401


async def test_a_user_has_a_bounded_number_of_sockets(open_page: Open, house: People) -> None:
    pages = [await open_page(house.owner) for _ in range(MOST_PER_USER)]
    assert len(sockets.guests) == len(pages)
    page = await open_page(house.owner)
    assert (await page.hear())["error_code"] == "limit.sockets"
    assert await page.closed() == 4429


async def test_the_tree_brings_the_children(open_page: Open, carrier: Carrier, start: Start, house: People) -> None:
    page = await open_page(house.owner)
    run = await start("tests.jobs.spreading")
    await page.send(type="follow", run=str(run.id), since=0, tree=True)
    ended: set[str] = set()
    while len(ended) < 4:
        frame = await page.hear("events")
        if any(event["type"] == "done" for event in frame["events"]):
            ended.add(frame["run"])
    assert str(run.id) in ended


async def test_an_idle_socket_without_a_first_frame_is_closed(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, house: People
) -> None:
    monkeypatch.setattr("chat.consumers.FIRST_FRAME_SECONDS", 0.2)
    page = await open_page(None, origin="")
    assert await page.closed() == 4401


@pytest.fixture
def counted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writes a minute for an address, three a day for a user, counted afresh."""
    settings.RATE_LIMIT_ENABLED, settings.RATE_LIMIT_RPM = True, 2
    settings.RATELIMIT_CACHE_PREFIX = f"rl:{uuid4()}:"
    monkeypatch.setattr("memory.base.limits.WRITES_PER_DAY", 3)
    # A test that runs over the end of a window would count from anew.
    monkeypatch.setattr("django_ratelimit.core.time.time", lambda: 1_800_000_000)


async def refused_of(page: Page, frames: int) -> list[dict[str, Any]]:
    """The errors that so many frames to start a run got."""
    heard = []
    for n in range(frames):
        await page.send(type="start", key=str(n), kind="note", brief="a brief")
        heard.append(await page.hear("accepted", "error"))
    return [frame for frame in heard if frame["type"] == "error"]


async def test_frames_that_write_are_counted_and_past_the_limit_it_says_when_to_come_back(
    open_page: Open, house: People, counted: None
) -> None:
    page = await open_page(house.owner)
    (refused,) = await refused_of(page, 3)
    assert (refused["error_code"], refused["key"]) == ("limit.requests", "2")
    assert 0 < refused["retry_after"] <= 60
    assert await in_database(Run.objects.count) == 2
    run = await in_database(Run.objects.latest, "id")
    await page.send(type="stop", run=str(run.id))
    assert (await page.hear("accepted", "error"))["error_code"] == "limit.requests"
    assert (await state_of(run)).state == "queued"


async def test_frames_that_ask_the_database_are_counted_as_reads_and_the_socket_stays(
    open_page: Open, start: Start, house: People, counted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.base.limits.READS_PER_MINUTE", 3)
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    page = await open_page(house.teammate)
    follow, watch = {"type": "follow", "run": str(run.id), "since": 0}, {"type": "watch", "topics": [f"run.{run.id}"]}
    for frame, answer in ((follow, "events"), (watch, "accepted"), (watch, "accepted")):
        await page.send(**frame)
        assert (await page.hear())["type"] == answer
    for frame, about in ((follow, str(run.id)), (watch, None)):
        await page.send(**frame)
        refused = await page.hear()
        assert (refused["error_code"], refused.get("run")) == ("limit.requests", about)
        assert 0 < refused["retry_after"] <= 60
    changed("run", run.id, 1, [f"run.{run.id}"])
    assert (await page.hear())["type"] == "changed", "what was heard before is heard on"


async def test_frames_that_ask_nothing_are_not_counted(
    open_page: Open, house: People, counted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.base.limits.READS_PER_MINUTE", 3)
    page = await open_page(house.owner)
    for _ in range(9):
        await page.send(type="ping")
        assert (await page.hear())["type"] == "pong"


async def test_a_user_has_a_limit_for_the_day_over_all_addresses_and_a_stranger_their_own(
    open_page: Open, house: People, counted: None, settings: Settings
) -> None:
    settings.RATE_LIMIT_TRUSTED_PROXIES = 1
    pages = [await open_page(house.owner, address=f"9.9.9.9, 10.0.0.{n}") for n in range(2)]
    assert await refused_of(pages[0], 2) == []
    (refused,) = await refused_of(pages[1], 2)
    assert refused["retry_after"] > 60
    assert await refused_of(await open_page(house.stranger, address="10.0.0.7"), 2) == []


async def test_a_socket_speaks_its_users_language(open_page: Open, house: People) -> None:
    house.owner.language = "fr"
    await in_database(house.owner.save)
    for user, beginning in ((house.owner, "Cette rédaction"), (house.stranger, "This run")):
        page = await open_page(user)
        await page.send(type="stop", run=str(uuid4()))
        assert (await page.hear("error"))["message"].startswith(beginning)
