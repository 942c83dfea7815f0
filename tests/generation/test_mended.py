"""What stood in the way of the history once: items in lists, odd values, moved and vanished neighbours, long chains."""

from typing import Any

import pytest

from generation import documents, sections
from generation.fields import Fields, Kind, SectionType
from generation.models import Document, Section
from memory import history
from memory.base.errors import InvalidInput, NotFound, StaleChange
from memory.base.ids import new_id
from memory.history import By
from memory.history.undoing import standing_undos
from memory.models import AuthorKind, Change, Snapshot
from tests.people import People


class NoFields(Fields):
    """Of a kind that had some once."""


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


def test_a_section_that_is_gone_for_good_is_not_found(course: Document, chapter: Section, people: People) -> None:
    (title,) = Change.objects.filter(object_id=chapter.id, path="title")
    documents.bin(course, people.owner)
    documents.empty_bin(people.workspace, people.owner)
    with pytest.raises(NotFound):
        sections.edit(chapter, {"title": "x"}, By.person(people.owner))
    with pytest.raises(NotFound):
        sections.add(course, "chapter", {}, By.person(people.owner))
    with pytest.raises(NotFound):
        history.undo(title, by=people.owner)


def test_undo_and_redo_go_on_for_ever(chapter: Section, owner: By, people: People) -> None:
    (change,) = sections.edit(chapter, {"title": "While"}, owner)
    facts = {name: getattr(change, name) for name in ("workspace_id", "root_id", "object_type", "object_id", "group")}
    chain = [change]
    for version in range(3, 1203):  # an even number: undone and redone, 600 times
        chain.append(Change(**facts, version=version, path="title", author="undo", undoes=chain[-1]))
    Change.objects.bulk_create(chain[1:])
    assert standing_undos(chain) == set(chain_ids(chain[1:-1:2]))


def chain_ids(chain: list[Change]) -> list[Any]:
    return [change.pk for change in chain]


@pytest.mark.parametrize("kinds", [{}, {"course": Kind("course", NoFields, {"chapter": SectionType(NoFields)})}])
def test_what_a_deploy_has_forgotten_is_refused_with_a_type(
    chapter: Section, owner: By, people: People, monkeypatch: pytest.MonkeyPatch, kinds: dict[str, Kind]
) -> None:
    (change,) = sections.edit(chapter, {"title": "While"}, owner)
    saved = Snapshot.objects.get(group=change.group)
    monkeypatch.setattr("generation.models.KINDS", kinds)
    with pytest.raises(StaleChange) as refused:
        history.undo(change, by=people.owner)
    assert refused.value.params["because"] in ("validation.kind", "validation.fields")
    with pytest.raises(InvalidInput):
        history.restore(saved, by=people.owner)
    with pytest.raises(InvalidInput):
        sections.edit(fresh(chapter), {"status": "ready"}, owner)
    assert Section.objects.get(id=chapter.id).version == 2


def test_nothing_is_put_where_nobody_would_see_it(
    course: Document, chapter: Section, block: Section, owner: By
) -> None:
    lesson = sections.add(course, "lesson", {}, owner, parent=chapter)
    sections.remove(chapter, owner)
    with pytest.raises(InvalidInput, match="validation.place"):
        sections.add(course, "lesson", {}, owner, parent=chapter)
    with pytest.raises(InvalidInput, match="validation.place"):
        sections.add(course, "part", {}, owner, parent=lesson)
    with pytest.raises(InvalidInput, match="validation.place"):
        sections.move(block, owner, parent=chapter, after=None)


def test_a_tool_adds_nothing_to_what_is_locked(course: Document, chapter: Section, block: Section, owner: By) -> None:
    tool = By(AuthorKind.TOOL, owner.user)
    other = sections.add(course, "chapter", {}, owner)
    sections.lock(other, owner)
    with pytest.raises(StaleChange, match="conflict.locked"):
        sections.add(course, "lesson", {}, tool, parent=other)
    with pytest.raises(StaleChange, match="conflict.locked"):
        sections.move(block, tool, parent=other, after=None)
    sections.add(course, "lesson", {}, owner, parent=other)


def test_a_neighbour_that_was_moved_meanwhile_is_no_neighbour(course: Document, chapter: Section, owner: By) -> None:
    other = sections.add(course, "chapter", {}, owner)
    here = sections.add(course, "lesson", {}, owner, parent=chapter)
    seen = fresh(here)
    sections.move(here, owner, parent=other, after=None)
    with pytest.raises(InvalidInput, match="validation.place_after"):
        sections.add(course, "lesson", {}, owner, parent=chapter, after=seen)


def test_what_was_moved_away_finds_its_place_free(
    course: Document, chapter: Section, owner: By, people: People
) -> None:
    other = sections.add(course, "chapter", {}, owner)
    first = sections.add(course, "lesson", {}, owner, parent=chapter)
    (moved, *_) = sections.move(first, owner, parent=other, after=None)
    second = sections.add(course, "lesson", {}, owner, parent=chapter)
    history.undo(moved, by=people.owner)
    assert fresh(first).rank != fresh(second).rank


def test_nobody_edits_what_a_stand_in_says_of_itself(chapter: Section, people: People, owner: By) -> None:
    error = {"error_code": "model.timeout", "params": {}}
    machine = By(AuthorKind.RECIPE, None, new_id(), "chapter-1")
    history.write_as_recipe(chapter, {"fallback": error}, machine, read_version=1, group=new_id())
    for path in ("fallback", "fallback/error_code", "present/x", "rank/x", "locked/x"):
        with pytest.raises(InvalidInput, match="validation.path"):
            sections.edit(chapter, {path: "x"}, owner)
