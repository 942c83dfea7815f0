"""The edges of the history: items in lists, odd values, moved and vanished neighbours, long chains, older schemas."""

from typing import Any

import orjson
import pytest

from generation import documents, sections
from generation.fields import Fields, Kind, SectionType, line
from generation.models import Document, Section
from memory import history, workspaces
from memory.base import paths
from memory.base.errors import InvalidInput, NotFound, PermissionRefused, StaleChange
from memory.base.ids import new_id
from memory.history import By
from memory.history.undoing import standing_undos
from memory.models import AuthorKind, Change, Membership, Snapshot
from tests.people import People


class NoFields(Fields):
    """Of a kind that had some once."""


class OneLine(Fields):
    """Of a kind that had several."""

    title: str | None = line(100)
    description: str | None = line(100)


@pytest.fixture
def owner(people: People) -> By:
    return By.person(people.owner)


@pytest.fixture
def chapter(course: Document, owner: By) -> Section:
    return sections.add(course, "chapter", {"title": "For"}, owner)


@pytest.fixture
def block(course: Document, chapter: Section, owner: By) -> Section:
    answers = [
        {"id": "a1", "text": "This"},
        {"id": "a2", "text": "That", "is_correct": True},
        {"id": "a3", "text": "Neither"},
    ]
    questions = [
        {"id": "a", "text": "What?", "answers": answers},
        {"id": "b", "text": "Why?"},
    ]
    return sections.add(course, "evaluation", {"questions": questions}, owner, parent=chapter)


def fresh(section: Section) -> Section:
    return Section.whole().get(id=section.id)


def questions_of(block: Section) -> list[dict[str, Any]]:
    return list(fresh(block).fields["questions"])


def agrees(obj: Section | Document) -> bool:
    """The changes give the state, whole."""
    row = type(obj).whole().get(id=obj.pk)
    return history.replay(Change.objects.filter(object_id=obj.pk).order_by("version", "id")) == row.state()


def test_undo_reaches_into_the_items_of_a_list(block: Section, owner: By, people: People) -> None:
    (changed,) = sections.edit(block, {"questions/a/answers/a2/text": "Both"}, owner)
    (undone,) = history.undo(changed, by=people.owner)
    assert questions_of(block)[0]["answers"][1]["text"] == "That"
    assert (undone.before, undone.after) == ("Both", "That")
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
        documents.edit(course, values, By.person(people.owner))
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
    documents.edit(course, {"title": " For \n ever "}, By.person(people.owner))
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
    assert standing_undos(chain) == {change.pk for change in chain[1:-1:2]}


@pytest.mark.parametrize("kinds", [{}, {"course": Kind("course", NoFields, {"chapter": SectionType(NoFields)})}])
def test_what_a_deploy_has_forgotten_is_refused_with_a_type(
    chapter: Section, owner: By, people: People, monkeypatch: pytest.MonkeyPatch, kinds: dict[str, Kind]
) -> None:
    (change,) = sections.edit(chapter, {"title": "While"}, owner)
    saved = Snapshot.objects.get(group=change.group)
    monkeypatch.setattr("generation.models.documents.KINDS", kinds)
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


def test_what_was_written_into_a_new_section_is_not_taken_away_with_it(
    course: Document, chapter: Section, people: People
) -> None:
    created = Change.objects.filter(object_id=chapter.id, path="present").get()
    (later,) = sections.edit(chapter, {"title": "By hand"}, By.person(people.teammate))
    for undo in (lambda: history.undo(created, people.owner), lambda: history.undo_group(created.group, people.owner)):
        with pytest.raises(StaleChange) as refused:
            undo()
        (shown,) = refused.value.params["changes"]
        assert (shown["path"], shown["in_the_way"][0]["id"]) == ("present", str(later.pk))
    history.undo(later, by=people.teammate)
    (undone,) = history.undo(created, by=people.owner)
    assert documents.sections_of(course) == []
    history.undo(undone, by=people.owner)
    assert [each.id for each in documents.sections_of(course)] == [chapter.id]


def test_what_held_it_being_gone_stands_in_the_way(block: Section, owner: By, people: People) -> None:
    (taken,) = sections.edit(block, {"questions/a/answers/a1": None}, owner)
    sections.edit(block, {"questions/a": None}, owner)
    with pytest.raises(StaleChange, match="conflict.stale_change"):
        history.undo(taken, by=people.owner)


def test_items_come_back_where_they_were_however_many_at_once(block: Section, owner: By, people: People) -> None:
    was = questions_of(block)
    (first, second) = sections.edit(block, {"questions/a": None, "questions/b": None}, owner)
    assert questions_of(block) == []
    history.undo_group(first.group, by=people.owner)
    assert questions_of(block) == was
    sections.edit(block, {"questions": [was[1], was[0]]}, owner)
    (changed,) = sections.edit(block, {"questions/a/text": "Who?"}, owner)
    sections.edit(block, {"questions": was[:1] + [{"id": "c", "text": "How?"}] + was[1:]}, owner)
    with pytest.raises(StaleChange):
        history.undo(changed, by=people.owner)
    assert agrees(block)
    assert second.place == 0


def test_the_label_of_a_stand_in_comes_back_with_its_text(chapter: Section, owner: By, people: People) -> None:
    error = {"error_code": "model.timeout", "params": {}}
    machine = By(AuthorKind.RECIPE, None, new_id(), "chapter-1")
    stand_in = {"description": "Stand-in.", "fallback": error}
    history.write_as_recipe(chapter, stand_in, machine, read_version=1, group=new_id())
    changes = sections.edit(chapter, {"description": "By hand.", "title": "By hand"}, owner)
    by_path = {change.path: change for change in changes}
    history.undo(by_path["title"], by=people.owner)
    assert fresh(chapter).fallback is None
    undone = history.undo(by_path["description"], by=people.owner)
    assert fresh(chapter).fallback == error
    history.undo(next(change for change in undone if change.path == "description"), by=people.owner)
    assert fresh(chapter).fallback is None
    sections.edit(chapter, {"status": "approved"}, owner)
    history.undo(by_path["description"], by=people.owner)
    assert (fresh(chapter).fallback, fresh(chapter).status) == (error, "approved")
    assert agrees(chapter)


def test_a_snapshot_is_of_what_was_before_its_group(chapter: Section, owner: By) -> None:
    created = Change.objects.filter(object_id=chapter.id)[0]
    history.edit(chapter, {"title": "While"}, owner, group=created.group)
    assert not Snapshot.objects.filter(object_id=chapter.id).exists()


def test_a_group_that_one_may_not_undo_whole_is_not_undone_in_part(course: Document, people: People, owner: By) -> None:
    elsewhere = workspaces.create("Elsewhere too", people.owner)
    other = documents.create("course", "There", {}, user=people.owner, workspace=elsewhere)
    turn = new_id()
    for document in (course, other):
        history.edit(document, {"title": "Both"}, owner, group=turn)
    with pytest.raises(NotFound):
        history.undo_group(turn, by=people.teammate)
    assert Document.objects.get(id=course.id).title == "Both"
    assert len(history.undo_group(turn, by=people.owner)) == 2


def test_who_left_the_workspace_undoes_nothing_there(chapter: Section, people: People) -> None:
    (change,) = sections.edit(chapter, {"title": "Mine"}, By.person(people.teammate))
    Membership.objects.filter(user=people.teammate).delete()
    saved = Snapshot.objects.get(group=change.group)
    for verb in (
        lambda: history.undo(change, people.teammate),
        lambda: history.undo_group(change.group, people.teammate),
        lambda: history.restore(saved, people.teammate),
        lambda: sections.edit(chapter, {"title": "x"}, By(AuthorKind.TOOL, people.teammate)),
        lambda: sections.edit(chapter, {"title": "x"}, By(AuthorKind.PERSON, None)),
    ):
        with pytest.raises(NotFound):
            verb()
    assert fresh(chapter).version == 2


def test_a_group_is_undone_whatever_the_order_of_its_objects(
    course: Document, owner: By, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch = SectionType(NoFields, within=("chapter", "branch"))
    kind = Kind("course", NoFields, {"chapter": SectionType(NoFields), "branch": branch})
    monkeypatch.setattr("generation.models.documents.KINDS", {"course": kind})
    chapter = sections.add(course, "chapter", {}, owner)
    for low, high in ((0, 1), (1, 0)):
        pair = [sections.add(course, "branch", {}, owner, parent=chapter) for _ in range(2)]
        sections.move(pair[high], owner, parent=pair[low], after=None)
        with pytest.raises(InvalidInput, match="validation.place"):
            sections.move(pair[low], owner, parent=pair[high], after=None)
        with pytest.raises(InvalidInput, match="validation.place"):
            sections.move(pair[low], owner, parent=pair[low], after=None)
        # Turned round in one group: undone one by one, one of them would stand in the other.
        turn = new_id()
        history.edit(pair[high], {"parent": str(chapter.id)}, owner, group=turn)
        history.edit(pair[low], {"parent": str(pair[high].id)}, owner, group=turn)
        history.undo_group(turn, by=people.owner)
        assert fresh(pair[high]).parent_id == pair[low].id
        assert fresh(pair[low]).parent_id == chapter.id


def test_a_value_of_an_older_schema_is_not_restored_as_another(
    chapter: Section, owner: By, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    (change,) = sections.edit(chapter, {"description": "Two\nlines"}, owner)
    sections.edit(chapter, {"description": None}, owner)
    newest = Change.objects.get(object_id=chapter.id, version=3)
    oneline = Kind("course", NoFields, {"chapter": SectionType(OneLine)})
    monkeypatch.setattr("generation.models.documents.KINDS", {"course": oneline})
    with pytest.raises(StaleChange) as refused:
        history.undo(newest, by=people.owner)
    assert refused.value.params["because"] == "validation.fields"
    (shown,) = refused.value.params["changes"]
    assert (shown["before"], shown["now"], shown["object"]["version"]) == ("Two\nlines", None, 3)
    assert "description" not in fresh(chapter).fields
    assert fresh(chapter).version == 3
    assert change.after == "Two\nlines"


def test_a_machine_removes_nothing_that_people_wrote_in(course: Document, chapter: Section, owner: By) -> None:
    def machine_removes(section: Section, read_version: int) -> history.Written:
        return history.write_as_recipe(section, {"present": False}, machine, read_version=read_version, group=new_id())

    machine = By(AuthorKind.RECIPE, owner.user, new_id(), "outline")
    lesson = sections.add(course, "lesson", {}, machine, parent=chapter)
    part = sections.add(course, "part", {"title": "x"}, machine, parent=lesson)
    sections.edit(part, {"title": "By hand"}, owner)
    for section in (part, lesson, chapter):
        written = machine_removes(section, 1)
        assert written.changes == []
        assert written.proposal is not None
        assert written.proposal.values == {"present": False}
    other = sections.add(course, "lesson", {}, machine, parent=chapter)
    assert machine_removes(other, 1).proposal is None
    assert machine_removes(part, 2).proposal is None  # it had read what stood there
    assert not fresh(part).present


def test_a_proposal_passes_the_gate_and_can_be_accepted(chapter: Section, owner: By, people: People) -> None:
    sections.edit(chapter, {"title": "By hand", "description": "By hand"}, owner)
    machine = By(AuthorKind.RECIPE, owner.user, new_id(), "outline")
    values = {"title": "Ma\x00chine\ud800", "description": "By hand"}
    written = history.write_as_recipe(chapter, values, machine, read_version=1, group=new_id())
    assert written.proposal is not None
    assert written.proposal.values == {"title": "Machine\ufffd"}
    sections.edit(chapter, {"title": "Machine\ufffd"}, owner)
    assert history.accept(written.proposal, by=people.teammate) == []
    with pytest.raises(StaleChange, match="conflict.decided"):
        history.reject(written.proposal, by=people.owner)


def test_who_may_not_change_does_not_decide(chapter: Section, owner: By, people: People) -> None:
    sections.lock(chapter, owner)
    machine = By(AuthorKind.RECIPE, owner.user, new_id(), "outline")
    proposal = history.write_as_recipe(chapter, {"title": "x"}, machine, read_version=2, group=new_id()).proposal
    assert proposal is not None
    for decide in (history.accept, history.reject):
        with pytest.raises(NotFound):
            decide(proposal, by=people.stranger)
        with pytest.raises(PermissionRefused):
            decide(proposal, by=people.viewer)
    proposal.refresh_from_db()
    assert proposal.state == "open"


def test_what_stands_in_a_deleted_document_leaves_no_history(course: Document, people: People) -> None:
    inner = documents.create("course", "Inner", {}, user=people.owner, workspace=people.workspace, parent=course)
    below = documents.create("course", "Below", {}, user=people.owner, workspace=people.workspace, parent=inner)
    documents.bin(course, people.owner)
    assert documents.empty_bin(people.workspace, people.owner) == 3
    assert not Document.objects.exists()
    assert not Change.objects.filter(root_id__in=[course.id, inner.id, below.id]).exists()


def test_what_json_tells_apart_the_history_tells_apart(
    course: Document, chapter: Section, owner: By, people: People
) -> None:
    lesson = sections.add(course, "lesson", {}, owner, parent=chapter)
    part = sections.add(course, "part", {}, owner, parent=lesson)
    values: list[Any] = [{"n": 1}, {"n": True}, {"n": 1.0}, {"n": [1]}, {"n": [True]}, {"n": {}}, {"n": []}, {"n": "1"}]
    made = [history.edit(part, {"diagram_error": value}, owner)[0] for value in values]
    assert history.edit(part, {"diagram_error": {"n": "1"}}, owner) == []
    assert agrees(part)
    for change, value in zip(reversed(made[1:]), reversed(values[:-1]), strict=True):
        history.undo(Change.objects.get(id=change.id), by=people.owner)
        assert paths.same(fresh(part).fields["diagram_error"], value)
    history.edit(part, {"diagram_error": {"b": 1, "a": [2, None, {"c": None}]}}, owner)
    assert history.edit(part, {"diagram_error": {"a": [2, {}], "b": 1}}, owner) == []


def test_numbers_that_no_reader_of_json_can_hold_are_texts(
    course: Document, chapter: Section, owner: By, people: People
) -> None:
    lesson = sections.add(course, "lesson", {}, owner, parent=chapter)
    part = sections.add(course, "part", {}, owner, parent=lesson)
    huge = {"float": 1e300, "int": 2**70, "small": 1e-9, "edge": 2.0**52 + 0.5}
    (change,) = history.edit(part, {"diagram_error": huge}, owner)
    kept = fresh(part).fields["diagram_error"]
    assert kept == {"float": "1e+300", "int": str(2**70), "small": 1e-9, "edge": 2.0**52 + 0.5}
    assert orjson.loads(orjson.dumps(kept)) == kept
    history.undo(change, by=people.owner)
    assert agrees(part)


def test_the_longest_text_there_may_be_is_kept_whole(
    course: Document, chapter: Section, owner: By, people: People
) -> None:
    lesson = sections.add(course, "lesson", {}, owner, parent=chapter)
    part = sections.add(course, "part", {"content": "short"}, owner, parent=lesson)
    longest = "\u00e9\U0001f600" * 100_000
    (change,) = sections.edit(part, {"content": longest}, owner)
    assert fresh(part).fields["content"] == longest
    with pytest.raises(InvalidInput, match="validation.fields"):
        sections.edit(part, {"content": longest + "x"}, owner)
    history.undo(change, by=people.owner)
    assert fresh(part).fields["content"] == "short"
    history.restore(Snapshot.objects.filter(object_id=part.id).latest("version"), by=people.owner)
    assert fresh(part).fields["content"] == longest
    assert agrees(part)
