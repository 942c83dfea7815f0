"""Runs over REST: start, look, follow, cancel, retry; what is wrong is said in one shape and changes nothing."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from config.supervisor.house import free_port
from generation.carrier import Carrier
from generation.guests import guests
from generation.hub import hub
from generation.models import Claim, Event, Run
from generation.replay import check_reached
from memory import tokens, workspaces
from memory.base.database import db as in_database
from memory.base.errors import InvalidInput
from tests.generation.conftest import Demo, Start, ended, recorded_text
from tests.generation.test_log import fold
from tests.patience import PATIENCE_SECONDS
from tests.people import People

RUNS = "/api/v1/runs"
BRIEF = "Fromagerie Delorme & Filles, Jura : pertes à l'affinage (7 %), œufs, « guillemets »."


@pytest.fixture
def people(people_committed: People) -> People:
    """Committed: a picture of a run is one snapshot, which needs a transaction of its own."""
    return people_committed


def post(client: Client, path: str, body: Any = None, **headers: str) -> Any:
    return client.post(path, orjson.dumps(body or {}), content_type="application/json", headers=headers)


def start_run(client: Client, **body: Any) -> Any:
    key = body.pop("key", None)
    headers = {"Idempotency-Key": key} if key else {}
    return post(client, RUNS, {"kind": "note", "brief": BRIEF, **body}, **headers)


def test_a_run_is_started_and_seen(people: People) -> None:
    client = people.client(people.owner)
    response = start_run(client, title="Affinage")
    assert response.status_code == 202
    run = response.json()
    assert (run["kind"], run["title"], run["state"]) == ("note", "Affinage", "queued")
    assert run["last_seq"] == 1
    assert run["usage"]["calls"] == 0
    seen = people.client(people.teammate).get(f"{RUNS}/{run['id']}").json()
    assert seen == run
    listed = people.client(people.viewer).get(RUNS).json()
    assert [item["id"] for item in listed["items"]] == [run["id"]]


def test_a_text_is_in_the_language_asked_for_or_of_its_brief_or_of_its_user(people: People) -> None:
    people.owner.language = "fr"
    people.owner.save(update_fields=["language"])
    client = people.client(people.owner)
    orders: list[dict[str, str]] = [
        {"brief": "Python"},
        {"brief": "Une note sur les boucles en Python"},
        {"brief": "A note on the loops of Python"},
        {"brief": "Une note sur les boucles", "language": "en"},
    ]
    runs = [Run.objects.get(id=start_run(client, **order).json()["id"]) for order in orders]
    assert [run.language for run in runs] == ["fr", "fr", "en", "en"]
    assert [run.document.language for run in runs if run.document] == ["fr", "fr", "en", "en"]


def test_a_stranger_finds_no_run_at_any_of_its_doors(people: People) -> None:
    run = start_run(people.client(people.owner)).json()["id"]
    stranger = people.client(people.stranger)
    assert stranger.get(RUNS).json()["items"] == []
    for response in (
        stranger.get(f"{RUNS}/{run}"),
        stranger.get(f"{RUNS}/{run}/events"),
        post(stranger, f"{RUNS}/{run}/cancel"),
        post(stranger, f"{RUNS}/{run}/retry"),
        post(stranger, f"{RUNS}/{run}/answers", {"step": "x", "value": 1}),
        start_run(stranger, workspace=str(people.workspace.id)),
    ):
        assert response.status_code == 404
        assert response.json()["error_code"].startswith("not_found.")
    assert Claim.objects.get(run_id=run).state == "queued"


def test_a_viewer_sees_and_starts_nothing(people: People) -> None:
    viewer = people.client(people.viewer)
    assert start_run(viewer, workspace=str(people.workspace.id)).status_code == 403
    assert Run.objects.count() == 0


def test_without_a_session_there_is_no_door(people: People) -> None:
    response = start_run(Client())
    assert (response.status_code, response.json()["error_code"]) == (401, "authentication.needed")


def test_a_token_opens_what_its_scope_allows(people: People) -> None:
    reader = people.bearer(people.owner, "read")
    assert Client().get(RUNS, headers=reader).status_code == 200
    refused = post(Client(), RUNS, {"kind": "note", "brief": BRIEF}, **reader)
    assert (refused.status_code, refused.json()["error_code"]) == (403, "permission.scope")
    writer = people.bearer(people.owner)
    assert post(Client(), RUNS, {"kind": "note", "brief": BRIEF}, **writer).status_code == 202


def test_the_same_key_answers_with_the_same_run(people: People) -> None:
    client = people.client(people.owner)
    first, second = (start_run(client, key="k").json() for _ in range(2))
    assert first["id"] == second["id"]
    for other in ({"brief": "something else"}, {"language": "en"}):
        response = start_run(client, key="k", **other)
        assert (response.status_code, response.json()["error_code"]) == (409, "conflict.key_reused")
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"brief": ""}, "validation.brief_empty"),
        ({"brief": "x" * 60_000}, "validation.brief_too_long"),
        ({"brief": "a\x00b"}, "validation.characters"),
        ({"kind": "nothing"}, "validation.kind"),
        ({"options": {"unknown": 1}}, "validation.options"),
        ({"files": ["01920000-0000-7000-8000-000000000000"]}, "not_found.file"),
        ({"language": "xx"}, "validation.request"),
        ({"title": "x" * 201}, "validation.title_too_long"),
        ({"workspace": "01920000-0000-7000-8000-000000000000"}, "not_found.workspace"),
    ],
)
def test_a_bad_order_is_refused_by_its_code_and_changes_nothing(
    people: People, body: dict[str, Any], code: str
) -> None:
    response = start_run(people.client(people.owner), **body)
    assert response.json()["error_code"] == code
    assert response.json()["message"]
    assert 400 <= response.status_code < 500
    assert (Run.objects.count(), Event.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 1000, b'{"kind":"note","brief":"half \\ud83d"}', b"\xff\xfe", b'{"a":' * 1000, b""]
)
def test_a_body_that_is_no_json_is_refused(people: People, body: bytes) -> None:
    response = people.client(people.owner).post(RUNS, body, content_type="application/json")
    assert 400 <= response.status_code < 500
    assert response.json()["error_code"].startswith("validation.")
    assert Run.objects.count() == 0


@pytest.mark.parametrize("body", [b'"text"', b"5", b"true", b"[]"])
def test_what_is_no_object_starts_nothing_where_a_body_may_be_left_out(people: People, body: bytes) -> None:
    client = people.client(people.owner)
    run = start_run(client).json()
    post(client, f"{RUNS}/{run['id']}/cancel")
    for path in (f"{RUNS}/{run['id']}/retry", f"/api/v1/documents/{run['document']}/actions/anything"):
        response = client.post(path, body, content_type="application/json")
        assert (response.status_code, response.json()["error_code"]) == (422, "validation.request")
    assert Run.objects.count() == 1


def test_every_place_that_is_named_must_be_one(people: People) -> None:
    client = people.client(people.owner)
    run = start_run(client).json()["id"]
    for since, seen in (("-1", "1"), ("1", "-1"), ("x", "1")):
        response = client.get(f"{RUNS}/{run}/events?since={since}", headers={"Last-Event-ID": seen})
        assert (response.status_code, response.json()["error_code"]) == (422, "validation.since")
    assert client.get(f"{RUNS}/{run}/events?since=0", headers={"Last-Event-ID": "1"}).json()["after"] == 1


@pytest.mark.parametrize("cursor", ["x", "0", "-1", "01920000", "é", "9" * 40])
def test_a_cursor_that_is_none_is_refused(people: People, cursor: str) -> None:
    client = people.client(people.owner)
    for path in (RUNS, "/api/v1/documents"):
        response = client.get(f"{path}?cursor={cursor}")
        assert (response.status_code, response.json()["error_code"]) == (422, "validation.cursor")


def test_events_are_read_from_any_number(people: People) -> None:
    client = people.client(people.owner)
    run = start_run(client).json()["id"]
    post(client, f"{RUNS}/{run}/cancel")
    whole = client.get(f"{RUNS}/{run}/events").json()
    assert (whole["after"], whole["state"]) == (0, "cancelled")
    assert [event["seq"] for event in whole["events"]] == list(range(1, whole["upto"] + 1))
    assert whole["events"][-1]["type"] == "done"
    assert client.get(f"{RUNS}/{run}/events?since=1").json()["events"] == whole["events"][1:]
    for wrong in ("99", "-1", "x", "9" * 30):
        response = client.get(f"{RUNS}/{run}/events?since={wrong}")
        assert (response.status_code, response.json()["error_code"]) == (422, "validation.since")
        response = client.get(f"{RUNS}/{run}/events?since={wrong}", headers={"Accept": "text/event-stream"})
        assert (response.status_code, response.json()["error_code"]) == (422, "validation.since")


def test_whether_a_run_has_reached_a_number_is_known_without_its_events(people: People) -> None:
    run = start_run(people.client(people.owner)).json()["id"]
    with CaptureQueriesContext(connection) as asked:
        check_reached(UUID(run), 1)
        with pytest.raises(InvalidInput):
            check_reached(UUID(run), 2)
    assert len(asked) == 2
    assert not any("generation_event" in query["sql"] for query in asked)


def test_the_list_is_paged_by_key(people: People, settings: Any) -> None:
    client = people.client(people.owner)
    settings.RUNS_OPEN_PER_USER = 100
    made = [start_run(client).json()["id"] for _ in range(60)]
    first = client.get(RUNS).json()
    second = client.get(f"{RUNS}?cursor={first['cursor']}").json()
    assert [item["id"] for item in first["items"] + second["items"]] == made[::-1]
    assert second["cursor"] is None
    assert client.get(f"{RUNS}?cursor=x").json()["error_code"] == "validation.cursor"
    assert client.get(f"{RUNS}?state=done").json()["items"] == []


def test_cancel_and_retry_over_rest(people: People) -> None:
    client = people.client(people.owner)
    run = start_run(client).json()["id"]
    assert post(client, f"{RUNS}/{run}/retry").json()["error_code"] == "run.still_open"
    assert post(client, f"{RUNS}/{run}/cancel").json()["state"] == "cancelled"
    retried = [post(client, f"{RUNS}/{run}/retry", **{"Idempotency-Key": "r"}).json() for _ in range(2)]
    assert retried[0]["id"] == retried[1]["id"] != run
    assert retried[0]["retries"] == run
    assert post(client, f"{RUNS}/{run}/answers", {"step": "x", "value": 1}).json()["error_code"] == "run.not_asking"


async def test_a_stream_carries_the_whole_text_and_ends(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    await hub.open()
    demo.set(tokens_per_second=500)
    run = await start(brief=BRIEF)
    client = AsyncClient()
    await client.aforce_login(house.teammate)
    response: Any = await client.get(f"{RUNS}/{run.id}/events", headers={"Accept": "text/event-stream"})
    assert response["Content-Type"] == "text/event-stream"
    body = b"".join([chunk async for chunk in response.streaming_content]).decode()
    ranges = [orjson.loads(line[6:]) for line in body.splitlines() if line.startswith("data: ")]
    ids = [int(line[4:]) for line in body.splitlines() if line.startswith("id: ")]
    assert [one["upto"] for one in ranges] == ids
    assert all(before["upto"] == after["after"] for before, after in zip(ranges, ranges[1:], strict=False))
    assert fold([event for one in ranges for event in one["events"]]) == await recorded_text(run)
    again: Any = await client.get(
        f"{RUNS}/{run.id}/events", headers={"Accept": "text/event-stream", "Last-Event-ID": str(ids[-1])}
    )
    rest = b"".join([chunk async for chunk in again.streaming_content]).decode()
    assert '"events":[]' in rest
    await hub.close()


@pytest.fixture
def checked_often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("generation.guests.CHECK_SECONDS", 0.2)
    yield
    guests.close()


async def rest_of_stream(response: Any) -> str:
    return b"".join([chunk async for chunk in response.streaming_content]).decode()


async def test_the_stream_of_a_teammate_who_was_removed_ends_with_an_error(
    ringing: None, checked_often: None, start: Start, house: People
) -> None:
    await hub.open()
    guests.open()
    run = await start("tests.jobs.three_steps", queue="low")
    client = AsyncClient()
    await client.aforce_login(house.teammate)
    response: Any = await client.get(f"{RUNS}/{run.id}/events", headers={"Accept": "text/event-stream"})
    rest = asyncio.ensure_future(rest_of_stream(response))
    await in_database(lambda: workspaces.remove_member(house.workspace, house.teammate.id, by=house.owner))
    told = await asyncio.wait_for(rest, PATIENCE_SECONDS)
    assert told.count("event: error") == 1
    assert '"error_code":"not_found.run"' in told
    assert not guests.all
    await hub.close()


async def test_the_stream_of_a_program_ends_with_an_error_when_its_token_is_revoked(
    ringing: None, checked_often: None, start: Start, house: People
) -> None:
    await hub.open()
    guests.open()
    run = await start("tests.jobs.three_steps", queue="low")
    token, secret = await in_database(tokens.issue, house.teammate, "reader", ["read"])
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {secret}"}
    response: Any = await AsyncClient().get(f"{RUNS}/{run.id}/events", headers=headers)
    rest = asyncio.ensure_future(rest_of_stream(response))
    await in_database(tokens.revoke, token)
    told = await asyncio.wait_for(rest, PATIENCE_SECONDS)
    assert '"error_code":"authentication.token"' in told
    assert not guests.all
    await hub.close()


async def test_a_run_in_the_making_shows_its_text_so_far(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    demo.set(tokens_per_second=60)
    run = await start(brief=BRIEF)
    client = AsyncClient()
    await client.aforce_login(house.owner)
    while True:
        seen = (await client.get(f"{RUNS}/{run.id}?text=1")).json()
        if len([one for one in seen["text"] if len(one["content"]) > 20 and one["step"] != "outline"]) >= 3:
            break
        await asyncio.sleep(0.02)
    rest = (await client.get(f"{RUNS}/{run.id}/events?since={seen['last_seq']}")).json()
    before = {one["step"]: one["content"] for one in seen["text"]}
    demo.set(tokens_per_second=0)
    await ended(run)
    rest = (await client.get(f"{RUNS}/{run.id}/events?since={seen['last_seq']}")).json()
    after = fold(rest["events"])
    recorded = await recorded_text(run)
    assert all(before[step] + after[step] == recorded[step] for step in before)


@pytest.fixture
def no_provider(demo: Demo, settings: Settings) -> None:
    """Nobody answers where the model should be."""
    settings.DEMO_BASE_URL = f"http://127.0.0.1:{free_port()}/v1"


async def test_an_unreachable_provider_is_said_in_the_run_with_what_to_do(
    no_provider: None, carrier: Carrier, start: Start, house: People
) -> None:
    run = await start()
    assert (await ended(run)).state == "failed"
    client = AsyncClient()
    await client.aforce_login(house.owner)
    seen = (await client.get(f"{RUNS}/{run.id}")).json()
    assert (seen["state"], seen["error"]["error_code"]) == ("failed", "model.unreachable")
    page = (await client.get("/queue/")).content.decode()
    assert "The provider cannot be reached. What was written is kept. Check its address and the network." in page
