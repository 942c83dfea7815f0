"""Learning in the browser's words: forms in, pages and fragments out. Before the end no page tells what is right."""

import re
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generation import attempts, grades, sections
from generation.models import Attempt, Claim, Completion, RunState, Section
from memory.base.errors import ModelError
from memory.history import By
from memory.models import User
from tests.generation import lessons
from tests.generation.lessons import COPY, SECRETS
from tests.people import People

HTMX = {"HX-Request": "true"}
ALL_RIGHT = {"asked-1": "1", "answer-1": "one", "asked-2": "1", "answer-2": ["number", "pair"]}


@pytest.fixture
def people(people_committed: People) -> People:
    return people_committed


@pytest.fixture
def course(people: People) -> dict[str, Section]:
    return lessons.make(people)


@pytest.fixture
def evaluation(course: dict[str, Section]) -> str:
    return reverse("evaluation", args=[course["evaluation"].id])


@pytest.fixture
def viewer(people: People) -> Client:
    """Who may not write may learn."""
    return people.client(people.viewer)


def page_of(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def sent(client: Client, path: str, form: dict[str, Any]) -> str:
    """Where a form without JavaScript leads."""
    response = client.post(path, form)
    assert response.status_code == 302
    return response.headers["Location"]


def document_of(course: dict[str, Section]) -> str:
    return reverse("document", args=[course["evaluation"].document_id])


def began(client: Client, section: Section, **form: str) -> Attempt:
    client.post(reverse("attempt_begin", args=[section.id]), form)
    return Attempt.objects.get(section=section, ended_at=None)


def address(name: str, attempt: Attempt) -> str:
    return reverse(name, args=[attempt.id])


@transaction.atomic
def examiner_says(attempt: Attempt, grade: grades.Result) -> None:
    """As the step of a grading puts it down."""
    grades.keep(attempt.id, "copy", grade)


def check(course: dict[str, Section], client: Client, **form: Any) -> Any:
    """Send the form of the exercises as the page does."""
    block = course["exercise_block"]
    facts = {"number": "1", "version": block.version, "asked-1": "1", "asked-2": "1", **form}
    return client.post(reverse("exercise", args=[block.id]), facts, headers=HTMX)


# --- nothing is told too early


def test_no_page_tells_the_answers_before_the_end(course: dict[str, Section], viewer: Client, evaluation: str) -> None:
    before = [page_of(viewer, document_of(course)), page_of(viewer, evaluation)]
    attempt = began(viewer, course["evaluation"])
    check(course, viewer, **{"answer-1": "none"})
    viewer.post(address("attempt_answer", attempt), ALL_RIGHT)
    during = [page_of(viewer, document_of(course)), page_of(viewer, evaluation)]
    block = reverse("section", args=[course["exercise_block"].id])
    for page in (*before, *during, page_of(viewer, block, **{"HX-Request": "true"})):
        assert not [secret for secret in SECRETS if secret in page]
    assert "One, in the table of readers" in during[0]
    assert "One, in the table of readers" in during[1]


def test_the_result_tells_them(course: dict[str, Section], viewer: Client) -> None:
    attempt = began(viewer, course["evaluation"])
    page = page_of(viewer, sent(viewer, address("attempt_finish", attempt), ALL_RIGHT))
    assert "SECRET-EXPLANATION" in page
    assert "SECRET-EXPECTED" in page
    assert "50%" in page
    assert "2 of 4 right" in page
    assert "You gave no answer." in page


# --- evaluations


def test_an_evaluation_begins_once_however_often_the_form_is_sent(
    people: People, course: dict[str, Section], viewer: Client, evaluation: str
) -> None:
    assert "You have 10 minutes from the start." in page_of(viewer, evaluation)
    for _ in range(2):
        assert sent(viewer, reverse("attempt_begin", args=[course["evaluation"].id]), {"number": "1"}) == evaluation
    assert Attempt.objects.filter(user=people.viewer).count() == 1
    page = page_of(viewer, evaluation)
    assert "Hand in" in page
    assert "Start the evaluation" not in page


def test_answers_are_there_again_after_a_reload(course: dict[str, Section], viewer: Client, evaluation: str) -> None:
    attempt = began(viewer, course["evaluation"])
    kept = viewer.post(address("attempt_answer", attempt), {"asked-1": "1", "answer-1": "three"}, headers=HTMX)
    assert "Kept" in kept.content.decode()
    assert "1 of 4 answered" in kept.content.decode()
    viewer.post(address("attempt_answer", attempt), {"asked-3": "1", "answer-3": "A <b>book</b>."}, headers=HTMX)
    page = page_of(viewer, evaluation)
    assert re.findall(r'value="(\w+)" checked', page) == ["three"]
    assert "A &lt;b&gt;book&lt;/b&gt;.</textarea>" in page
    assert "2 of 4 answered" in page


def test_an_old_page_takes_back_only_what_it_asks(course: dict[str, Section], viewer: Client) -> None:
    attempt = began(viewer, course["evaluation"])
    viewer.post(address("attempt_answer", attempt), {**ALL_RIGHT, "asked-3": "1", "answer-3": "A book."})
    viewer.post(address("attempt_answer", attempt), {"asked-2": "1"}, headers=HTMX)
    attempt.refresh_from_db()
    assert attempt.answers == {"rows": ["one"], "copy": "A book."}


def test_without_javascript_the_form_keeps_and_hands_in(
    course: dict[str, Section], viewer: Client, evaluation: str
) -> None:
    attempt = began(viewer, course["evaluation"])
    assert sent(viewer, address("attempt_answer", attempt), ALL_RIGHT) == evaluation
    result = sent(viewer, address("attempt_finish", attempt), ALL_RIGHT)
    assert result == address("attempt", attempt)
    assert sent(viewer, address("attempt_finish", attempt), {}) == result
    assert "50%" in page_of(viewer, evaluation)


def test_too_late_an_answer_is_refused_in_words_and_the_result_shows_what_was_kept(
    course: dict[str, Section], viewer: Client, evaluation: str
) -> None:
    attempt = began(viewer, course["evaluation"])
    viewer.post(address("attempt_answer", attempt), {"asked-1": "1", "answer-1": "one"}, headers=HTMX)
    lessons.run_out(attempt)
    late = viewer.post(address("attempt_answer", attempt), {"asked-1": "1", "answer-1": "none"}, headers=HTMX)
    assert late.status_code == 409
    assert late["HX-Retarget"] == "#told"
    assert "The time is up." in late.content.decode()
    assert "Begin another attempt" in page_of(viewer, evaluation)
    page = page_of(viewer, address("attempt", attempt))
    assert "The time was up." in page
    assert "25%" in page


def test_who_has_begun_goes_on_though_the_questions_are_removed(
    people: People, course: dict[str, Section], viewer: Client, evaluation: str
) -> None:
    attempt = began(viewer, course["evaluation"])
    sections.edit(course["evaluation"], {"questions": None}, By.person(people.owner))
    assert "One, in the table of readers" in page_of(viewer, evaluation)
    assert "50%" in page_of(viewer, sent(viewer, address("attempt_finish", attempt), ALL_RIGHT))
    assert viewer.get(evaluation).status_code == 409


def test_another_attempt_begins_from_the_newest_whatever_result_one_looks_at(
    course: dict[str, Section], viewer: Client
) -> None:
    first = began(viewer, course["evaluation"])
    viewer.post(address("attempt_finish", first))
    second = began(viewer, course["evaluation"])
    viewer.post(address("attempt_finish", second))
    number = re.search(r'name="number" value="(\d+)"', page_of(viewer, address("attempt", first)))
    assert number
    assert began(viewer, course["evaluation"], number=number[1]).number == 3


def test_the_result_asks_for_what_is_new_and_gets_only_that(
    people: People, course: dict[str, Section], viewer: Client
) -> None:
    attempt = began(viewer, course["evaluation"])
    given = {"asked-3": "1", "answer-3": "Copies.", "asked-4": "1", "answer-4": "The librarian."}
    page = page_of(viewer, sent(viewer, address("attempt_finish", attempt), given))
    asking = re.search(r'hx-get="([^"]+)" hx-trigger="every', page)
    assert asking
    path = asking[1].replace("&amp;", "&")
    assert viewer.get(path, headers=HTMX).status_code == 204
    examiner_says(attempt, grades.result(True, "Well **seen**."))
    news = page_of(viewer, path, **HTMX)
    assert "Well <strong>seen</strong>." in news
    assert re.findall(r'<fieldset class="exercise" id="corrected-\S+-(\d)"', news) == ["3"]
    assert "waiting=4" in news
    assert "waiting=3" not in news
    assert "1 of 3 right" in news


def test_what_could_not_be_graded_says_why_with_one_step_on(
    people: People, course: dict[str, Section], viewer: Client
) -> None:
    attempt = began(viewer, course["evaluation"])
    viewer.post(address("attempt_finish", attempt), {"asked-3": "1", "answer-3": "Copies."})
    error = ModelError("unauthorised").as_data()
    examiner_says(attempt, grades.result(None, error=error))
    attempt.refresh_from_db()
    Claim.objects.filter(run=attempt.run).update(state=RunState.PARTIAL)
    page = page_of(viewer, address("attempt", attempt))
    assert "1 answer could not be graded." in page
    assert "The provider does not accept the key." in page
    assert "does not count yet" in page
    viewer.post(address("attempt_grade", attempt))
    assert "The examiner reads 1 answer" in page_of(viewer, address("attempt", attempt))


# --- exercises


def test_exercises_are_kept_and_checked_where_they_stand(course: dict[str, Section], viewer: Client) -> None:
    kept = check(course, viewer, **{"answer-1": "none"})
    assert "Kept" in kept.content.decode()
    assert 'value="none" checked' in page_of(viewer, document_of(course))
    checked = check(course, viewer, **{"answer-1": "one", "check": "1"}).content.decode()
    assert "SECRET-EXPLANATION" in checked
    assert "1 of 2 right" in checked
    assert "<html" not in checked
    assert "1 of 2 right" in page_of(viewer, document_of(course))


def test_checking_twice_is_checking_once(people: People, course: dict[str, Section], viewer: Client) -> None:
    for _ in range(2):
        assert check(course, viewer, **{"answer-1": "one", "check": "1"}).status_code == 200
    assert Attempt.objects.get(user=people.viewer).score == 50


def test_exercises_without_javascript_come_back_to_their_place(course: dict[str, Section], viewer: Client) -> None:
    block = course["exercise_block"]
    form = {"number": "1", "version": block.version, "asked-1": "1", "answer-1": "one", "check": "1"}
    assert sent(viewer, reverse("exercise", args=[block.id]), form) == f"{document_of(course)}#section-{block.id}"
    viewer.post(reverse("attempt_begin", args=[block.id]), {"number": "2"})
    page = page_of(viewer, document_of(course))
    assert "Check my answers" in page
    assert "SECRET-EXPLANATION" not in page


def test_code_between_backticks_is_code_and_nothing_else_is_more_than_it_says(
    people: People, course: dict[str, Section], viewer: Client
) -> None:
    answers = [{"id": "one", "text": "``a `b` c``", "is_correct": True}, {"id": "two", "text": "**Two** <i>`x"}]
    asked = {"id": "q", "text": "What is `x < 1`, and **why** is __init__ no `", "answers": answers}
    sections.edit(course["exercise_block"], {"questions": [asked]}, By.person(people.owner))
    asks = page_of(viewer, document_of(course))
    course["exercise_block"].refresh_from_db()
    corrects = check(course, viewer, **{"answer-1": "one", "check": "1"}).content.decode()
    for page in (asks, corrects):
        assert "What is <code>x &lt; 1</code>, and **why** is __init__ no `" in page
        assert "<code>a `b` c</code>" in page
        assert "**Two** &lt;i&gt;`x" in page


def test_who_answers_changed_questions_is_told_and_nothing_begins(
    people: People, course: dict[str, Section], viewer: Client
) -> None:
    sections.edit(course["exercise_block"], {"questions": [COPY]}, By.person(people.owner))
    response = check(course, viewer, version="1", **{"answer-1": "one", "check": "1"})
    assert response.status_code == 409
    assert "changed after you opened them" in response.content.decode()
    assert not Attempt.objects.filter(user=people.viewer).exists()


def test_an_exercise_in_french(people: People, course: dict[str, Section]) -> None:
    User.objects.filter(id=people.viewer.pk).update(language="fr")
    checked = check(course, people.client(people.viewer), **{"answer-1": "none", "check": "1"}).content.decode()
    assert "0\u202f%" in checked
    assert "Bonne réponse" in checked
    assert "Votre réponse" in checked


# --- finished chapters


def test_a_chapter_is_ticked_and_unticked(people: People, course: dict[str, Section], viewer: Client) -> None:
    tick = reverse("complete", args=[course["chapter"].id])
    assert "0 of 1 chapters finished" in page_of(viewer, document_of(course))
    assert viewer.post(tick, {"complete": "1"}, headers=HTMX)["HX-Trigger"] == "completed"
    seen = page_of(viewer, document_of(course))
    assert "1 of 1 chapters finished" in seen
    assert "You have finished this chapter" in seen
    assert "0 of 1 chapters finished" in page_of(people.client(people.owner), document_of(course))
    viewer.post(tick, {})
    assert not Completion.objects.exists()


def test_nobody_has_finished_a_chapter_in_which_nothing_stands(
    people: People, course: dict[str, Section], viewer: Client
) -> None:
    assert "I have finished this chapter" in page_of(viewer, document_of(course))
    for section in Section.objects.filter(parent=course["chapter"]):
        sections.remove(section, By.person(people.owner))
    assert "I have finished this chapter" not in page_of(viewer, document_of(course))


# --- who may


def test_nobody_else_sees_an_attempt(people: People, course: dict[str, Section], viewer: Client) -> None:
    attempt = began(viewer, course["evaluation"])
    viewer.post(address("attempt_answer", attempt), {"asked-3": "1", "answer-3": "MY-OWN-WORDS"})
    viewer.post(address("attempt_finish", attempt))
    for other in (people.owner, people.teammate, people.stranger):
        client = people.client(other)
        assert client.get(address("attempt", attempt)).status_code == 404
        for verb in ("attempt_answer", "attempt_finish", "attempt_grade"):
            assert client.post(address(verb, attempt), ALL_RIGHT).status_code == 404
    for other in (people.owner, people.teammate):
        client = people.client(other)
        for path in (document_of(course), reverse("evaluation", args=[course["evaluation"].id]), "/queue/"):
            page = page_of(client, path)
            assert "MY-OWN-WORDS" not in page
            assert str(attempt.id) not in page


def test_a_stranger_finds_nothing_to_learn(people: People, course: dict[str, Section], evaluation: str) -> None:
    stranger = people.client(people.stranger)
    assert stranger.get(evaluation).status_code == 404
    for name, kind in (("attempt_begin", "evaluation"), ("exercise", "exercise_block"), ("complete", "chapter")):
        assert stranger.post(reverse(name, args=[course[kind].id]), {}).status_code == 404


def test_a_grading_does_not_keep_the_course_from_being_written(
    people: People, course: dict[str, Section], viewer: Client
) -> None:
    attempt = began(viewer, course["evaluation"])
    viewer.post(address("attempt_finish", attempt), {"asked-3": "1", "answer-3": "Copies."})
    attempt.refresh_from_db()
    assert attempt.run is not None
    assert attempt.run.document_id is None
    assert "writing" not in page_of(people.client(people.teammate), document_of(course))


# --- figures


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        page_of(client, path)
    return len(asked)


def test_pages_stay_within_twelve_queries(people: People, course: dict[str, Section], viewer: Client) -> None:
    attempt = began(viewer, course["evaluation"])
    paper = queries(viewer, reverse("evaluation", args=[course["evaluation"].id]))
    viewer.post(address("attempt_finish", attempt), {"asked-3": "1", "answer-3": "Copies."})
    check(course, viewer, **{"answer-1": "one", "check": "1"})
    for _ in range(3):
        attempts.finish(attempts.begin(Section.whole().get(id=course["evaluation"].id), people.viewer), people.viewer)
    start = queries(viewer, reverse("evaluation", args=[course["evaluation"].id]))
    result = queries(viewer, address("attempt", attempt))
    assert max(paper, start, result) <= 12


def test_learning_costs_the_page_of_a_course_two_queries(
    people: People, course: dict[str, Section], viewer: Client
) -> None:
    few = queries(viewer, document_of(course))
    by = By.person(people.owner)
    for n in range(5):
        more = {"topic": f"Rows {n}", "questions": [COPY]}
        block = sections.add(course["chapter"].document, "exercise_block", more, by, parent=course["exercises"])
        attempts.finish(attempts.begin(Section.whole().get(id=block.id), people.viewer), people.viewer)
    assert queries(viewer, document_of(course)) == few
