"""What stood in the way of the history once: items in lists, odd values, moved and vanished neighbours, long chains."""

from typing import Any

import pytest

from generation import documents, sections
from generation.models import Document, Section
from memory import history
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
