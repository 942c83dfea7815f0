"""The queue: what runs, what waits and for whom, what ended; stopped and retried from there."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from generation import pictures, runs
from generation.models import Call, Claim, Run, RunState
from generation.orders import Order
from generation.registry import recipe_of
from memory.models import User
from tests.people import People


@pytest.fixture
def owner(people: People) -> Client:
    return people.client(people.owner)


def begin(people: People, brief: str = "Loops.", user: User | None = None) -> Run:
    run, _ = runs.start(recipe_of("course"), Order(brief), user=user or people.owner, workspace=people.workspace)
    return run


def set_to(run: Run, state: str, *, progress: float = 0, seconds: float = 60, **claim: Any) -> Run:
    """As its carrier would have left it, this many seconds after it was claimed."""
    begun = now() - timedelta(seconds=seconds)
    Claim.objects.filter(run=run).update(state=state, claimed_at=begun, **claim)
    ended = now() if state in (RunState.DONE, RunState.PARTIAL, RunState.FAILED) else None
    Run.objects.filter(id=run.id).update(progress=progress, started_at=begun, finished_at=ended)
    return Run.objects.select_related("claim").get(id=run.id)


def body(client: Client, path: str = "/queue/", **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return str(answer.content.decode())


def main(page: str) -> str:
    return page[page.index("<main") :] if "<main" in page else page


def test_an_empty_queue_says_what_will_stand_there(owner: Client) -> None:
    assert "Nothing is being written." in body(owner)


def test_who_waits_is_told_how_many_are_before_it(people: People, owner: Client) -> None:
    for n in range(3):
        begin(people, f"Brief number {n}.")
    page = main(body(owner))
    assert page.index("Next in line") < page.index("1 before it") < page.index("2 before it")
    assert page.index("Brief number 0") < page.index("Brief number 2")


def test_what_runs_shows_its_progress_and_what_it_is_at(people: People, owner: Client) -> None:
    run = set_to(begin(people), RunState.RUNNING, progress=46)
    Run.objects.filter(id=run.id).update(label={"code": "lesson", "title": "Why loops"})
    page = main(body(owner))
    assert "46%" in page
    assert "The lesson “Why loops” is being written." in page
    assert '<progress max="100" value="46"' in page
    assert "about 1 min 10 s left" in page


def test_what_waits_for_a_person_says_so_and_leads_there(people: People, owner: Client) -> None:
    run = set_to(begin(people), RunState.WAITING, reason="person")
    page = main(body(owner))
    assert "Waits for an answer" in page
    assert f'<a href="/documents/{run.document_id}/">Look at it</a>' in page


def test_what_waits_for_its_parts_counts_them_and_hides_them(people: People, owner: Client) -> None:
    run = begin(people, "A portfolio.")
    for n in range(3):
        part = begin(people, f"Part {n}.")
        Run.objects.filter(id=part.id).update(parent=run)
        set_to(part, RunState.DONE if n else RunState.RUNNING)
    set_to(run, RunState.WAITING, reason="children")
    page = main(body(owner))
    assert "2 of 3 parts written" in page
    assert "Part 1." not in page


def test_what_ended_says_how_and_what_it_cost(people: People, owner: Client) -> None:
    done = set_to(begin(people, "One."), RunState.DONE, progress=100, seconds=174)
    failed = set_to(begin(people, "Two."), RunState.FAILED)
    Run.objects.filter(id=failed.id).update(error={"error_code": "model.unauthorised", "params": {}})
    for cost in (Decimal("0.10"), Decimal("0.17")):
        Call.objects.create(
            run=done, workspace=people.workspace, user=people.owner, step="outline", attempt=1, epoch=1, reason="first",
            state="done", agent="planner", provider="openai", model="gpt-4.1", tokens_in=1, tokens_out=1, cost_usd=cost,
        )  # fmt: skip
    page = main(body(owner))
    assert "Written in 2 min 50 s" in page
    assert "2 calls, $0.27" in page
    assert "The provider does not accept the key." in page
    assert "Today: 2 calls, $0.27" in page


# --- time left


@pytest.mark.parametrize(
    ("progress", "seconds", "left"), [(0, 60, None), (14, 60, None), (50, 2, None), (50, 60, 60), (75, 60, 20)]
)
def test_time_left_is_told_once_it_can_be_known(
    people: People, progress: float, seconds: float, left: float | None
) -> None:
    found = pictures.time_left(set_to(begin(people), RunState.RUNNING, progress=progress, seconds=seconds))
    assert found is None if left is None else found and abs(found.total_seconds() - left) < 10


def test_who_waits_or_has_ended_or_is_a_retry_has_no_time_left(people: People) -> None:
    for state in (RunState.WAITING, RunState.QUEUED, RunState.DONE):
        assert pictures.time_left(set_to(begin(people, state), state, progress=50)) is None
    run = set_to(begin(people), RunState.RUNNING, progress=50)
    run.retries_id = run.id
    assert pictures.time_left(run) is None


# --- mine and all


def test_a_person_sees_their_own_an_owner_all_when_they_ask(people: People, owner: Client) -> None:
    begin(people, "The owner's.")
    begin(people, "The teammate's.", people.teammate)
    teammate = people.client(people.teammate)
    assert "The teammate&#x27;s." not in body(owner)
    assert "The teammate&#x27;s." in body(owner, of="all")
    assert "The owner&#x27;s." not in body(teammate, of="all")
    assert "All of the workspace" not in body(teammate)


def test_a_stranger_sees_and_stops_nothing(people: People) -> None:
    run = begin(people, "A secret brief.")
    stranger = people.client(people.stranger)
    assert "secret" not in body(stranger, of="all")
    assert "secret" not in body(stranger, "/queue/dock/")
    assert stranger.post(f"/runs/{run.id}/cancel/").status_code == 404
    assert stranger.post(f"/runs/{run.id}/retry/").status_code == 404


def test_a_viewer_may_not_stop(people: People) -> None:
    run = begin(people)
    assert people.client(people.viewer).post(f"/runs/{run.id}/cancel/").status_code == 403
    assert Claim.objects.get(run=run).state == RunState.QUEUED


# --- stopping and retrying


def test_a_run_is_stopped_and_its_page_goes_on_where_it_was(people: People, owner: Client) -> None:
    run = begin(people)
    answer = owner.post(f"/runs/{run.id}/cancel/", {"next": "/"})
    assert answer["Location"] == "/"
    assert Claim.objects.get(run=run).state == RunState.CANCELLED
    assert "Stopped" in body(owner)


def test_what_ended_short_goes_on_once_however_often_it_is_asked(people: People, owner: Client) -> None:
    run = begin(people)
    runs.cancel(run, people.owner)
    for _ in range(2):
        assert owner.post(f"/runs/{run.id}/retry/").status_code == 302
    new = Run.objects.get(retries=run)
    page = main(body(owner))
    assert f"/runs/{new.id}/cancel/" in page
    assert f"/runs/{run.id}/retry/" not in page, "something newer was begun"


def test_what_is_done_offers_no_retry(people: People, owner: Client) -> None:
    run = set_to(begin(people), RunState.DONE, progress=100)
    assert f"/runs/{run.id}/retry/" not in body(owner)
    assert owner.post(f"/runs/{run.id}/retry/").status_code == 409


def test_a_fragment_that_cannot_be_done_says_why(people: People, owner: Client) -> None:
    run = begin(people)
    answer = owner.post(f"/runs/{run.id}/retry/", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert answer["HX-Retarget"] == "#told"


# --- the dock, and long queues


def test_the_dock_counts_what_is_open_and_shows_the_last_that_ended(people: People, owner: Client) -> None:
    for n in range(7):
        runs.cancel(begin(people, f"Ended {n}."), people.owner)
    begin(people, "Open.")
    page = body(owner, "/queue/dock/")
    assert 'id="dock-runs" data-open="1"' in page
    assert page.count("<li ") == 6
    assert "Ended 6." in page
    assert "Ended 1." not in page


def test_a_long_queue_comes_by_pages_in_few_queries(people: People, owner: Client) -> None:
    for n in range(55):
        runs.cancel(begin(people, f"Ended {n}."), people.owner)
    for n in range(10):
        begin(people, f"Open {n}.")
    with CaptureQueriesContext(connection) as seen:
        answer = owner.get("/queue/")
    assert len(seen) <= 12
    with CaptureQueriesContext(connection) as seen:
        owner.get("/queue/dock/")
    assert len(seen) <= 8
    assert "Ended 54." in answer.content.decode()
    assert "Ended 4." not in answer.content.decode()
    assert "Ended 4." in body(owner, cursor=answer.context["cursor"])
