"""The page of a run that has ended: what it was, how each step went and with whom, and the one thing left to do."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generation import attempts
from generation.models import Call, Run, RunState, Section, Step
from memory import history
from memory.history import By
from memory.models import AuthorKind, User
from tests.generation import lessons
from tests.generation.test_pages_queue import begin, body, main, set_to
from tests.people import People

REFUSED = {"error_code": "model.refused", "params": {}}


@pytest.fixture
def owner(people: People) -> Client:
    return people.client(people.owner)


def place(run: Run) -> str:
    return reverse("run", args=[run.id])


def step(run: Run, key: str, code: str, state: str = "done", **facts: Any) -> Step:
    label = {"code": code, "title": "Why loops", "part": "For ever", "number": 1}
    return Step.objects.create(
        run=run, key=key, label=label, state=state, attempts=1, finished_at=run.finished_at, **facts
    )


def call(run: Run, step: str, model: str = "gpt-4.1", **facts: Any) -> None:
    Call.objects.create(
        run=run, workspace=run.workspace, user=run.user, step=step, attempt=1, epoch=1, reason="first", agent="writer",
        provider="openai", model=model, tokens_in=1_200, tokens_out=34, **{"state": "done", **facts},
    )  # fmt: skip


@pytest.fixture
def partial(people: People) -> Run:
    """An outline, and a lesson for which nobody had an answer."""
    run = set_to(begin(people, "A course on loops. For beginners."), RunState.PARTIAL, progress=100)
    step(run, "outline", "outline")
    call(run, "outline", cost_usd=Decimal("0.25"))
    step(run, "chapter-1/lesson", "lesson", is_fallback=True, error=REFUSED)
    for model in ("gpt-4.1", "mistral-large"):
        call(run, "chapter-1/lesson", model, state="failed", error=REFUSED)
    step(run, "read", "read")
    return run


def test_it_tells_each_step_with_who_answered_and_what_it_cost(people: People, owner: Client, partial: Run) -> None:
    page = main(body(owner, place(partial)))
    assert page.index("The outline") < page.index("gpt-4.1") < page.index("$0.25") < page.index("“Why loops”")
    assert "In place of gpt-4.1, which did not answer." in page
    assert "2 failed attempts." in page
    assert "Stand-in" in page
    assert "A course on loops. For beginners." in page
    assert ">Read<" not in page, "what only prepared is nobody's news"
    assert "3,600 tokens read" in page


def test_it_offers_the_one_thing_that_is_left_to_do(people: People, owner: Client, partial: Run) -> None:
    page = main(body(owner, place(partial)))
    assert "Not all of it could be done." in page
    assert f'href="/documents/{partial.document_id}/"' in page
    assert page.count(f"/runs/{partial.id}/retry/") == 1
    assert owner.post(f"/runs/{partial.id}/retry/").status_code == 302
    later = Run.objects.get(retries=partial)
    page = main(body(owner, place(partial)))
    assert f"/runs/{partial.id}/retry/" not in page
    assert place(later) in page


def test_what_broke_off_says_why(people: People, owner: Client) -> None:
    run = set_to(begin(people), RunState.FAILED)
    Run.objects.filter(id=run.id).update(error={"error_code": "model.unauthorised", "params": {}})
    page = main(body(owner, place(run)))
    assert "The provider does not accept the key." in page
    assert "It ended before anything was begun." in page


def test_the_queue_and_the_history_lead_to_it(people: People, owner: Client, partial: Run) -> None:
    assert partial.document
    history.edit(partial.document, {"title": "Loops"}, By(AuthorKind.RECIPE, people.owner, partial.id, "outline"))
    for path in ("/queue/", f"/documents/{partial.document_id}/history/"):
        assert f'href="{place(partial)}"' in main(body(owner, path))


def test_what_goes_on_is_watched_where_it_writes(people: People, owner: Client) -> None:
    run = begin(people)
    assert owner.get(place(run))["Location"] == f"/documents/{run.document_id}/"


def test_a_viewer_reads_it_and_a_stranger_finds_nothing(people: People, partial: Run) -> None:
    assert f"/runs/{partial.id}/retry/" not in body(people.client(people.viewer), place(partial))
    assert people.client(people.stranger).get(place(partial)).status_code == 404


def test_a_long_run_is_told_in_few_queries(people: People, owner: Client, partial: Run) -> None:
    for n in range(50):
        step(partial, f"chapter-1/lesson/part-{n}", "diagram")
        call(partial, f"chapter-1/lesson/part-{n}")
    with CaptureQueriesContext(connection) as seen:
        body(owner, place(partial))
    assert len(seen) <= 14


@pytest.mark.django_db(transaction=True)
def test_a_grading_leads_its_learner_to_their_answers_and_lets_them_stop_it(people: People) -> None:
    viewer = people.client(people.viewer)
    evaluation: Section = lessons.make(people)["evaluation"]
    attempt = attempts.begin(evaluation, people.viewer)
    attempt = attempts.finish(attempts.answer(attempt, people.viewer, {"copy": "There are several."}), people.viewer)
    assert attempt.run
    page = main(body(viewer))
    assert "Answers to be graded." in page
    assert f"/runs/{attempt.run_id}/cancel/" in page
    assert viewer.post(f"/runs/{attempt.run_id}/cancel/").status_code == 302
    page = main(body(viewer, place(attempt.run)))
    assert reverse("attempt", args=[attempt.id]) in page
    assert people.client(people.owner).get(place(attempt.run)).status_code == 404


def test_it_speaks_french(people: People, owner: Client, partial: Run) -> None:
    User.objects.filter(id=people.owner.pk).update(language="fr")
    page = main(body(owner, place(partial)))
    assert "Étape par étape" in page
    assert "Le plan" in page
    assert "3\xa0600 jetons lus" in page
