"""One person's go at the questions of a course: kept as given, ended in time, graded alone, theirs alone."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from generation import attempts, completions, conditions, pictures, runs, sections, sweep
from generation.carrier import Carrier
from generation.models import Attempt, AttemptState, Call, Claim, Run, RunState, Section
from memory.base.database import db as in_database
from memory.base.errors import Conflict, InvalidInput, NotFound, PermissionRefused
from memory.history import By
from memory.models import User
from tests.generation import lessons
from tests.generation.conftest import Demo, ended
from tests.generation.lessons import COPY, DESK, RIGHT, ROWS
from tests.people import People
from tests.rest import Rest

WRITTEN = {"copy": "A book has copies.", "desk": "The librarian."}


@pytest.fixture
def course(people: People) -> dict[str, Section]:
    return lessons.make(people)


def begun(section: Section, user: User) -> Attempt:
    return attempts.begin(Section.whole().get(id=section.id), user)


def handed_in(section: Section, user: User, given: dict[str, Any]) -> Attempt:
    return attempts.finish(begun(section, user), user, given)


def is_right(attempt: Attempt) -> dict[str, bool | None]:
    return {name: result["is_right"] for name, result in attempt.results.items()}


# --- beginning


def test_there_is_one_open_attempt_of_a_person_and_a_section(people: People, course: dict[str, Section]) -> None:
    one = begun(course["evaluation"], people.viewer)
    assert begun(course["evaluation"], people.viewer).id == one.id
    assert begun(course["evaluation"], people.teammate).id != one.id
    assert begun(course["exercise_block"], people.viewer).id != one.id


def test_the_same_form_twice_makes_one_attempt_even_when_it_has_ended(
    people: People, course: dict[str, Section]
) -> None:
    section = Section.whole().get(id=course["evaluation"].id)
    one = attempts.begin(section, people.viewer, number=1)
    attempts.finish(one, people.viewer)
    assert attempts.begin(section, people.viewer, number=1).id == one.id
    assert attempts.begin(section, people.viewer, number=2).number == 2


def test_two_who_begin_at_once_get_one_attempt(people_committed: People) -> None:
    people, section = people_committed, lessons.make(people_committed)["evaluation"]

    def begin(_: int) -> Any:
        try:
            return begun(section, people.viewer).id
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(begin, range(4)))) == 1


def test_nothing_is_begun_where_nothing_is_asked(people: People, course: dict[str, Section]) -> None:
    with pytest.raises(Conflict, match=r"conflict\.no_questions"):
        begun(course["chapter"], people.owner)
    sections.edit(course["exercise_block"], {"questions": None}, By.person(people.owner))
    with pytest.raises(Conflict, match=r"conflict\.no_questions"):
        begun(course["exercise_block"], people.owner)


def test_what_was_removed_asks_nothing(people: People, course: dict[str, Section]) -> None:
    sections.remove(course["chapter"], By.person(people.owner))
    with pytest.raises(Conflict, match=r"conflict\.no_questions"):
        begun(course["evaluation"], people.owner)


def test_questions_are_those_that_stood_when_it_was_begun(people: People, course: dict[str, Section]) -> None:
    attempt = begun(course["evaluation"], people.viewer)
    changed = {**ROWS, "text": "Else?", "answers": [{"id": "none", "text": "None", "is_correct": True}, {"text": "No"}]}
    sections.edit(course["evaluation"], {"questions": [changed], "time_limit": 60}, By.person(people.owner))
    attempt = attempts.finish(attempt, people.viewer, {"rows": ["one"]})
    assert attempt.questions[0]["text"] == ROWS["text"]
    assert is_right(attempt)["rows"] is True
    assert begun(course["evaluation"], people.viewer).questions[0]["text"] == "Else?"


def test_who_saw_other_questions_is_told(people: People, course: dict[str, Section]) -> None:
    section = Section.whole().get(id=course["exercise_block"].id)
    seen = section.version
    sections.edit(section, {"questions": [COPY]}, By.person(people.owner))
    with pytest.raises(Conflict, match=r"conflict\.questions_changed"):
        attempts.begin(section, people.viewer, version=seen)
    attempts.begin(section, people.viewer, version=section.version)
    with pytest.raises(Conflict, match=r"conflict\.questions_changed"):
        attempts.begin(section, people.viewer, version=seen)


# --- answering


def test_answers_are_kept_each_by_itself(people: People, course: dict[str, Section]) -> None:
    attempt = begun(course["evaluation"], people.viewer)
    for _ in range(2):
        attempts.answer(attempt, people.viewer, {"rows": ["one"]})
    attempts.answer(attempt, people.viewer, {"copy": " A book.\x00 "})
    attempt = attempts.answer(attempt, people.viewer, {"keys": ["pair", "number"]})
    assert attempt.answers == {"rows": ["one"], "copy": "A book.", "keys": ["number", "pair"]}
    assert attempts.answer(attempt, people.viewer, {"rows": []}).answers == {
        "copy": "A book.",
        "keys": ["number", "pair"],
    }


def test_an_answer_fits_its_question(people: People, course: dict[str, Section]) -> None:
    evaluation, block = begun(course["evaluation"], people.viewer), begun(course["exercise_block"], people.viewer)
    with pytest.raises(InvalidInput, match=r"validation\.given"):
        attempts.answer(evaluation, people.viewer, {"rows": ["elsewhere"]})
    with pytest.raises(InvalidInput, match=r"validation\.given"):  # one answer only, unless several may be right
        attempts.answer(block, people.viewer, {"rows": ["one", "none"]})
    with pytest.raises(InvalidInput, match=r"validation\.answer_too_long"):
        attempts.answer(evaluation, people.viewer, {"copy": "x" * 10_001})
    with pytest.raises(NotFound, match=r"not_found\.question"):
        attempts.answer(evaluation, people.viewer, {"nothing": "x"})


def test_after_the_end_nothing_is_kept(people: People, course: dict[str, Section]) -> None:
    attempt = handed_in(course["evaluation"], people.viewer, {"rows": ["one"]})
    attempts.answer(attempt, people.viewer, {"rows": ["one"], "copy": ""})  # it was on its way; nothing new
    with pytest.raises(Conflict, match=r"conflict\.attempt_ended"):
        attempts.answer(attempt, people.viewer, {"rows": ["none"]})
    assert attempts.finish(attempt, people.viewer, {"rows": ["none"]}).answers == {"rows": ["one"]}


def test_when_the_time_is_up_nothing_is_kept_though_nobody_has_noticed(
    people: People, course: dict[str, Section]
) -> None:
    attempt = attempts.answer(begun(course["evaluation"], people.viewer), people.viewer, {"rows": ["one"]})
    lessons.run_out(attempt)
    with pytest.raises(Conflict, match=r"conflict\.time_up"):
        attempts.answer(attempt, people.viewer, {"rows": ["none"]})
    attempt = attempts.finish(attempt, people.viewer, {"rows": ["none"]})
    assert attempt.answers == {"rows": ["one"]}
    assert attempt.ended_at == attempt.due_at


# --- ending


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ({}, {"rows": False, "keys": False}),
        (RIGHT, {"rows": True, "keys": True}),
        ({"rows": ["none"], "keys": ["number"]}, {"rows": False, "keys": False}),
        ({"rows": ["one", "none"], "keys": ["number", "pair", "empty"]}, {"rows": False, "keys": False}),
    ],
)
def test_choices_are_right_when_they_are_exactly_the_right_ones(
    people: People, course: dict[str, Section], given: dict[str, Any], right: dict[str, bool]
) -> None:
    attempt = handed_in(course["evaluation"], people.viewer, given)
    assert {name: is_right(attempt)[name] for name in right} == right
    assert is_right(attempt)["copy"] is False  # nothing was written: nobody needs to read it
    assert attempt.run is None


def test_where_one_may_be_chosen_any_right_one_will_do(people: People) -> None:
    course = lessons.make(people, multi_answers=False)
    assert is_right(handed_in(course["evaluation"], people.viewer, {"keys": ["pair"]}))["keys"] is True


def test_a_score_counts_what_is_graded(people: People, course: dict[str, Section]) -> None:
    attempt = handed_in(course["evaluation"], people.viewer, {**RIGHT, "copy": "A book has copies."})
    assert is_right(attempt) == {"rows": True, "keys": True, "copy": None, "desk": False}
    assert attempt.score == 67
    assert attempt.state == AttemptState.GRADING


def test_the_sweep_ends_what_nobody_looks_at(people: People, course: dict[str, Section]) -> None:
    late = attempts.answer(begun(course["evaluation"], people.viewer), people.viewer, {"rows": ["one"]})
    on_time = begun(course["evaluation"], people.teammate)
    lessons.run_out(late)
    assert sweep.once()
    late.refresh_from_db()
    on_time.refresh_from_db()
    assert late.ended_at == late.due_at
    assert late.score == 25
    assert on_time.ended_at is None
    assert attempts.end_due() == 0


def test_who_looks_next_finds_it_ended(people: People, course: dict[str, Section]) -> None:
    attempt = begun(course["evaluation"], people.viewer)
    lessons.run_out(attempt)
    assert attempts.current(people.viewer, attempt.id).score == 0


def test_another_attempt_leaves_the_earlier_scores(people: People, course: dict[str, Section]) -> None:
    handed_in(course["evaluation"], people.viewer, {})
    handed_in(course["evaluation"], people.viewer, RIGHT)
    found = attempts.of_section(people.viewer, course["evaluation"])
    assert [(each.number, each.score) for each in found] == [(2, 50), (1, 0)]
    assert attempts.scores(people.viewer, [course["evaluation"].document]) == {course["evaluation"].document_id: 50}
    assert attempts.scores(people.owner, [course["evaluation"].document]) == {}


def test_too_many_open_runs_hold_up_no_end(people: People, course: dict[str, Section], settings: Settings) -> None:
    settings.RUNS_OPEN_PER_USER = 0
    attempt = handed_in(course["evaluation"], people.viewer, {**RIGHT, **WRITTEN})
    assert attempt.state == AttemptState.GRADED
    assert attempt.score == 100
    assert attempt.results["copy"]["error"]["error_code"] == "limit.runs_open"
    settings.RUNS_OPEN_PER_USER = 5
    assert attempts.grade_again(attempt, people.viewer).state == AttemptState.GRADING


def test_a_viewer_may_stop_the_grading_of_their_own_answers_and_nobody_elses(
    people: People, course: dict[str, Section]
) -> None:
    mine = handed_in(course["evaluation"], people.viewer, WRITTEN).run
    theirs = handed_in(course["evaluation"], people.owner, WRITTEN).run
    assert mine
    assert theirs
    with pytest.raises(PermissionRefused):
        runs.cancel(theirs, by=people.viewer)
    runs.cancel(mine, by=people.viewer)
    assert [Claim.objects.get(run=each).state for each in (mine, theirs)] == ["cancelled", "queued"]


# --- grading


def says(question: dict[str, Any], is_right: bool, feedback: str) -> dict[str, Any]:
    """The examiner says this of what was answered to this question."""
    said = json.dumps({"is_right": is_right, "feedback": feedback})
    return {"contains": f"The question: {question['text']}", "content": said}


async def hand_in(people: People, given: dict[str, Any], **evaluation: Any) -> Attempt:
    def make() -> Attempt:
        return handed_in(lessons.make(people, **evaluation)["evaluation"], people.viewer, given)

    return await in_database(make)


async def graded(attempt: Attempt) -> Attempt:
    assert attempt.run is not None
    await ended(attempt.run)
    return await in_database(attempts.visible, attempt.user, attempt.id)


async def test_the_examiner_grades_open_answers_with_a_word_to_the_learner(
    carrier: Carrier, house: People, demo: Demo
) -> None:
    demo.set(rules=[says(COPY, True, "Well seen."), says(DESK, False, "It is the reader.")])
    attempt = await graded(await hand_in(house, {**RIGHT, **WRITTEN}))
    assert is_right(attempt) == {"rows": True, "keys": True, "copy": True, "desk": False}
    assert attempt.results["copy"]["feedback"] == "Well seen."
    assert attempt.score == 75
    assert attempt.state == AttemptState.GRADED
    calls = await in_database(lambda: list(Call.objects.filter(run=attempt.run).values_list("agent", flat=True)))
    assert calls == ["examiner", "examiner"]


async def test_open_answers_are_graded_at_once(carrier: Carrier, house: People, demo: Demo) -> None:
    demo.set(first_token_ms=400)
    questions = [{**COPY, "id": f"q{n}", "text": f"Why number {n}?"} for n in range(8)]
    attempt = await graded(
        await hand_in(house, {each["id"]: "Because." for each in questions}, questions=questions, multi_answers=None)
    )
    assert attempt.run is not None
    assert attempt.ungraded == []
    calls = await in_database(lambda: list(Call.objects.filter(run=attempt.run)))
    first_answer = min(call.settled_at for call in calls if call.settled_at)
    assert sum(call.created_at < first_answer for call in calls) > 2


async def test_an_answer_that_cannot_be_graded_says_so_and_is_graded_again(
    carrier: Carrier, house: People, demo: Demo
) -> None:
    demo.set(rules=[says(COPY, True, "Well seen."), {"contains": DESK["text"], "fault": "unauthorised"}])
    attempt = await graded(await hand_in(house, {**RIGHT, **WRITTEN}))
    assert attempt.state == AttemptState.GRADED
    assert is_right(attempt) == {"rows": True, "keys": True, "copy": True, "desk": None}
    assert attempt.results["desk"]["error"]["error_code"] == "model.unauthorised"
    assert attempt.score == 100
    claim = await in_database(lambda: Claim.objects.get(run=attempt.run))
    assert claim.state == RunState.PARTIAL
    demo.set(rules=[says(DESK, False, "It is the reader."), says(COPY, False, "Never asked again.")])
    attempt = await graded(await in_database(attempts.grade_again, attempt, house.viewer))
    assert is_right(attempt) == {"rows": True, "keys": True, "copy": True, "desk": False}
    assert attempt.score == 75


async def test_grading_does_not_write_the_course(carrier: Carrier, house: People, demo: Demo) -> None:
    demo.set(first_token_ms=1_500)
    attempt = await hand_in(house, WRITTEN)
    document = await in_database(lambda: attempt.section.document)
    assert (await in_database(conditions.of_documents, [document])) == {document.id: "draft"}
    await graded(attempt)


def test_while_it_is_being_graded_it_is_not_graded_again(people: People, course: dict[str, Section]) -> None:
    attempt = handed_in(course["evaluation"], people.viewer, WRITTEN)
    assert attempts.grade_again(attempt, people.viewer).run_id == attempt.run_id
    with pytest.raises(Conflict, match=r"conflict\.attempt_open"):
        attempts.grade_again(begun(course["evaluation"], people.viewer), people.viewer)


def test_a_grading_that_was_stopped_leaves_answers_to_grade_again(people: People, course: dict[str, Section]) -> None:
    attempt = handed_in(course["evaluation"], people.teammate, WRITTEN)
    assert attempt.run is not None
    runs.cancel(attempt.run, people.teammate)
    attempt = attempts.visible(people.teammate, attempt.id)
    assert attempt.state == AttemptState.GRADED
    assert sorted(attempt.ungraded) == ["copy", "desk"]
    assert attempts.grade_again(attempt, people.teammate).run_id not in (None, attempt.run_id)


# --- who sees what


async def test_a_grading_is_its_learners_alone(carrier: Carrier, house: People, demo: Demo) -> None:
    demo.set(rules=[says(COPY, True, "Well seen."), says(DESK, False, "It is the reader.")])
    attempt = await graded(await hand_in(house, {**RIGHT, **WRITTEN}))

    def ask() -> dict[str, list[int]]:
        paths = (f"runs/{attempt.run_id}", f"runs/{attempt.run_id}/events")
        users = (house.viewer, house.owner, house.teammate, house.stranger)
        return {user.username: [Rest(user).get(path).status_code for path in paths] for user in users}

    told = await in_database(ask)
    assert told == {"viewer": [200, 200], "owner": [404, 404], "teammate": [404, 404], "stranger": [404, 404]}

    def listed() -> list[list[str]]:
        users = (house.viewer, house.owner, house.teammate)
        return [[run["kind"] for run in pictures.listing(user, None, False, None)["items"]] for user in users]

    assert await in_database(listed) == [["grading"], [], []]


async def test_what_was_answered_stays_in_the_attempt(carrier: Carrier, house: People, demo: Demo) -> None:
    await graded(await hand_in(house, {"copy": "MY-OWN-WORDS"}))

    def kept() -> str:
        run = Run.objects.get(user=house.viewer)
        steps = list(run.steps.values("key", "label", "result", "text", "error"))
        events = list(run.events.values("type", "data"))
        return str([run.brief, run.title, run.options, run.label, run.result, steps, events])

    assert "MY-OWN-WORDS" not in await in_database(kept)


def test_an_attempt_is_nobody_elses(people: People, course: dict[str, Section]) -> None:
    attempt = begun(course["evaluation"], people.viewer)
    for other in (people.owner, people.teammate, people.stranger):
        for verb in (attempts.finish, attempts.grade_again):
            with pytest.raises(NotFound, match=r"not_found\.attempt"):
                verb(attempt, other)
        with pytest.raises(NotFound, match=r"not_found\.attempt"):
            attempts.answer(attempt, other, {"rows": ["one"]})


def test_a_stranger_learns_nothing_here(people: People, course: dict[str, Section]) -> None:
    with pytest.raises(NotFound, match=r"not_found\.workspace"):
        begun(course["evaluation"], people.stranger)
    with pytest.raises(NotFound, match=r"not_found\.workspace"):
        completions.complete(Section.whole().get(id=course["chapter"].id), people.stranger)


# --- finished chapters


def test_progress_is_each_persons_own_and_one_query(people: People, django_assert_num_queries: Any) -> None:
    one, other = lessons.make(people), lessons.make(people)
    chapter = Section.whole().get(id=one["chapter"].id)
    sections.add(chapter.document, "chapter", {"title": "Ask"}, By.person(people.owner))
    for _ in range(2):
        completions.complete(chapter, people.viewer)
    completions.complete(chapter, people.teammate)
    known = [one["chapter"].document, other["chapter"].document]
    with django_assert_num_queries(1):
        assert completions.progress(people.viewer, known) == {known[0].id: (1, 2), known[1].id: (0, 1)}
    assert completions.progress(people.owner, known) == {known[0].id: (0, 2), known[1].id: (0, 1)}
    assert completions.progress(people.stranger, known) == {}
    completions.reopen(chapter, people.viewer)
    assert completions.progress(people.viewer, known)[known[0].id] == (0, 2)


def test_only_chapters_are_finished(people: People, course: dict[str, Section]) -> None:
    with pytest.raises(Conflict, match=r"conflict\.no_chapter"):
        completions.complete(Section.whole().get(id=course["evaluation"].id), people.viewer)
