"""What stood in the way of the history once: items in lists, odd values, moved and vanished neighbours, long chains."""

from typing import Any

import pytest

from generation import documents, sections
from generation.models import Document, Section
from memory import history
from memory.base.errors import InvalidInput, StaleChange
from memory.history import By
from memory.models import Change
from tests.people import People


@pytest.fixture
def owner(people: People) -> By:
    return By.person(people.owner)


@pytest.fixture
def course(people: People) -> Document:
    return documents.create("course", "Loops", {}, user=people.owner, workspace=people.workspace)


@pytest.fixture
def chapter(course: Document, owner: By) -> Section:
    return sections.add(course, "chapter", {"title": "For"}, owner)


@pytest.fixture
def block(course: Document, chapter: Section, owner: By) -> Section:
    questions = [
        {"id": "a", "text": "What?", "answers": [{"id": "a1", "text": "This"}, {"id": "a2", "text": "That"}]},
        {"id": "b", "text": "Why?"},
    ]
    return sections.add(course, "exercise_block", {"questions": questions}, owner, parent=chapter)


def fresh(section: Section) -> Section:
    return Section.whole().get(id=section.id)


def questions_of(block: Section) -> list[dict[str, Any]]:
    return list(fresh(block).fields["questions"])


def agrees(obj: Section | Document) -> bool:
    """The changes give the state, whole."""
    row = type(obj).whole().get(id=obj.pk)
    return history.replay(Change.objects.filter(object_id=obj.pk).order_by("version", "id")) == row.state()


def test_undo_reaches_into_the_items_of_a_list(block: Section, owner: By, people: People) -> None:
    (changed,) = sections.edit(block, {"questions/a/answers/a2/text": "Neither"}, owner)
    (undone,) = history.undo(changed, by=people.owner)
    assert questions_of(block)[0]["answers"][1]["text"] == "That"
    assert (undone.before, undone.after) == ("Neither", "That")
    assert agrees(block)


@pytest.mark.parametrize(
    "values",
    [
        {"language": "much too long"},
        {"language": 7},
        {"title": "x" * 201},
        {"title": {"a": 1}},
        {"title": ["a"]},
        {"folder": "no such id"},
        {"folder": []},
        {"status": "finished"},
        {"status": 5},
        {"title/more": "x"},
        {"description/\x00": "x"},
        {"\ud800": "x"},
        {"": "x"},
        {"description": {"a": "b"}},
        {"unknown": None, "level_detail": "deep"},
    ],
)
def test_what_a_row_cannot_hold_is_refused_with_a_type(
    course: Document, people: People, values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        documents.edit(course, values, people.owner)
    assert Document.objects.get(id=course.id).version == 1
    assert agrees(course)


def test_what_is_taken_from_a_column_is_its_default(course: Document, chapter: Section, owner: By) -> None:
    sections.edit(chapter, {"status": "approved"}, owner)
    (change,) = sections.edit(chapter, {"status": None}, owner)
    assert (change.before, change.after) == ("approved", "draft")
    (change,) = history.edit(course, {"title": None, "language": None}, owner)
    assert (change.path, change.after) == ("title", "")
    assert agrees(chapter)
    assert agrees(course)


def test_a_title_is_one_line(course: Document, people: People) -> None:
    documents.edit(course, {"title": " For \n ever "}, people.owner)
    assert Document.objects.get(id=course.id).title == "For ever"
    assert agrees(course)


def test_the_first_value_of_a_column_can_be_taken_back(chapter: Section, people: People) -> None:
    (created,) = Change.objects.filter(object_id=chapter.id, path="locked")
    assert history.undo(created, by=people.owner) == []  # unlocked is how it would be anyway
    (rank,) = Change.objects.filter(object_id=chapter.id, path="rank")
    with pytest.raises(StaleChange):  # somewhere it must stand
        history.undo(rank, by=people.owner)
    assert agrees(chapter)


def test_a_new_section_passes_the_gate_too(course: Document, owner: By) -> None:
    section = sections.add(course, "chapter", {"title": "\x00For\ud800", "description": None}, owner)
    assert fresh(section).fields == {"title": "For\ufffd"}
    for column in ("parent", "rank", "locked", "fallback", "present"):
        with pytest.raises(InvalidInput, match="validation.path"):
            sections.add(course, "chapter", {column: "x"}, owner)
    assert Section.objects.count() == 1


def test_what_was_typed_stays_what_was_typed(chapter: Section, people: People, owner: By) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    sections.edit(chapter, {"title": composed}, owner)
    (change,) = sections.edit(chapter, {"title": decomposed}, owner)
    assert fresh(chapter).fields["title"] == decomposed
    history.undo(change, by=people.owner)
    assert fresh(chapter).fields["title"] == composed
