"""A step's hand on a document: what people wrote stands, a stand-in takes nobody's place and asks nobody anything."""

from typing import Any

import pytest

from generation import sections
from generation.models import Document, Run, Section, Standing
from generation.scribe import Scribe
from memory import history
from memory.history import By
from tests.people import People

ERROR: dict[str, Any] = {"error_code": "model.timeout", "params": {}}


def hand(course: Document, people: People, fallback: dict[str, Any] | None = None) -> Scribe:
    run = Run(kind="course", workspace=people.workspace, user=people.owner, document=course)
    return Scribe(run, "chapter-1/lesson", {}, fallback)


@pytest.fixture
def chapter(course: Document, people: People) -> Section:
    return hand(course, people).plan_section("chapter-1", "chapter", {"title": "For"})


def test_a_step_that_failed_does_not_call_a_stand_in_what_people_wrote_in_meanwhile(
    course: Document, chapter: Section, people: People
) -> None:
    lesson = hand(course, people).plan_section("chapter-1/lesson", "lesson", {}, chapter)
    part = sections.add(
        course, "part", {"title": "Mine", "content": "Written by hand."}, By.person(people.owner), parent=lesson
    )
    failed = hand(course, people, ERROR)
    failed.write_section(lesson.key, {}, "lesson", chapter)
    failed.keep_only(lesson, [])
    lesson.refresh_from_db()
    assert lesson.fallback is None
    assert (failed.changes, failed.proposals) == ([], [])
    assert Section.objects.get(id=part.id).fields["content"] == "Written by hand."


def test_a_step_that_failed_labels_what_nobody_wrote_in(course: Document, chapter: Section, people: People) -> None:
    lesson = hand(course, people).plan_section("chapter-1/lesson", "lesson", {}, chapter)
    hand(course, people, ERROR).write_section(lesson.key, {}, "lesson", chapter)
    lesson = Section.objects.get(id=lesson.id)
    assert (lesson.fallback, lesson.status) == (ERROR, Standing.DRAFT)


@pytest.mark.parametrize("fallback", [None, ERROR], ids=["text", "stand_in"])
def test_in_a_locked_place_a_text_is_proposed_and_a_stand_in_is_not(
    course: Document, chapter: Section, people: People, fallback: dict[str, Any] | None
) -> None:
    history.edit(chapter, {"locked": True}, By.person(people.owner))
    chapter = Section.objects.get(id=chapter.id)
    scribe = hand(course, people, fallback)
    made = scribe.write_section("chapter-1/lesson", {}, "lesson", chapter)
    assert not made.present
    assert [proposal.object_id for proposal in scribe.proposals] == ([made.id] if fallback is None else [])
