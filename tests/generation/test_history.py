"""Every change of a document is kept, and can be undone: alone, in the middle, as a group; machines never overwrite."""

from typing import Any

import pytest

from generation import documents, sections
from generation.models import Document, Section
from memory import history
from memory.base.errors import InvalidInput, NotFound, PermissionRefused, StaleChange
from memory.base.ids import new_id
from memory.history import By
from memory.models import AuthorKind, Change, Proposal, Snapshot
from tests.people import People


@pytest.fixture
def section(note: Document, people: People) -> Section:
    return sections.add(note, "section", {"title": "Why", "content": "Because."}, By.person(people.owner))


def machine(people: People) -> By:
    return By(AuthorKind.RECIPE, people.owner, new_id(), "section-1")


def replayed(obj: Document | Section) -> dict[str, Any]:
    return history.replay(Change.objects.filter(object_id=obj.pk).order_by("version", "id"))


def fresh(section: Section) -> Section:
    return Section.whole().get(id=section.id)


def test_a_new_object_is_its_first_version(section: Section) -> None:
    assert section.version == 1
    assert replayed(section) == section.state()
    assert set(Change.objects.filter(object_id=section.id).values_list("version", flat=True)) == {1}


def test_each_path_is_a_change_with_before_and_after(section: Section, people: People) -> None:
    changes = sections.edit(section, {"content": "So that…", "title": "Why loops"}, By.person(people.teammate))
    assert {(change.path, change.before, change.after, change.version) for change in changes} == {
        ("content", "Because.", "So that…", 2),
        ("title", "Why", "Why loops", 2),
    }
    assert fresh(section).fields == {"content": "So that…", "title": "Why loops"}
    assert replayed(section) == fresh(section).state()
    assert {change.user for change in changes} == {people.teammate}


def test_what_stands_already_is_no_change(section: Section, people: People) -> None:
    assert sections.edit(section, {"content": "Because. "}, By.person(people.owner)) == []
    assert fresh(section).version == 1


def test_a_field_can_be_emptied_and_unknown_ones_are_refused(section: Section, people: People) -> None:
    sections.edit(section, {"content": "  "}, By.person(people.owner))
    assert fresh(section).fields == {"title": "Why"}
    with pytest.raises(InvalidInput, match="validation.fields"):
        sections.edit(section, {"colour": "red"}, By.person(people.owner))
    with pytest.raises(InvalidInput, match="validation.fields"):
        sections.edit(section, {"title": "x" * 201}, By.person(people.owner))
    assert replayed(section) == fresh(section).state()


def test_strangers_and_viewers_change_nothing(section: Section, people: People) -> None:
    with pytest.raises(NotFound):
        sections.edit(section, {"content": "x"}, By.person(people.stranger))
    with pytest.raises(PermissionRefused):
        sections.edit(section, {"content": "x"}, By.person(people.viewer))
    change = Change.objects.filter(object_id=section.id, path="content").get()
    with pytest.raises(NotFound):
        history.undo(change, by=people.stranger)
    with pytest.raises(PermissionRefused):
        history.undo(change, by=people.viewer)
    assert not Change.objects.visible(people.stranger).exists()
    assert fresh(section).version == 1


def test_an_edit_of_what_changed_since_is_refused_and_shown(section: Section, people: People) -> None:
    sections.edit(section, {"content": "Theirs."}, By.person(people.teammate))
    with pytest.raises(StaleChange, match="conflict.changed_since") as refused:
        sections.edit(section, {"content": "Mine."}, By.person(people.owner), expected_version=1)
    (shown,) = refused.value.params["changes"]
    assert (shown["path"], shown["before"], shown["now"], shown["user"]) == (
        "content",
        "Because.",
        "Theirs.",
        "teammate",
    )
    # What nobody else touched may be written on the old version.
    sections.edit(section, {"title": "Mine"}, By.person(people.owner), expected_version=1)
    assert fresh(section).fields == {"title": "Mine", "content": "Theirs."}


def test_a_version_from_the_future_is_refused(section: Section, people: People) -> None:
    with pytest.raises(InvalidInput, match="validation.version"):
        sections.edit(section, {"content": "x"}, By.person(people.owner), expected_version=9)


def test_undo_in_the_middle_leaves_the_rest(section: Section, people: People) -> None:
    owner = By.person(people.owner)
    (content,) = sections.edit(section, {"content": "Second."}, owner)
    sections.edit(section, {"title": "Later"}, owner)
    (undone,) = history.undo(content, by=people.teammate)
    assert fresh(section).fields == {"title": "Later", "content": "Because."}
    assert (undone.author, undone.undoes, undone.user) == ("undo", content, people.teammate)


def test_undo_of_what_was_written_over_shows_what_stands_in_the_way(section: Section, people: People) -> None:
    (first,) = sections.edit(section, {"content": "Second."}, By.person(people.owner))
    (later,) = sections.edit(section, {"content": "Third."}, By.person(people.teammate))
    with pytest.raises(StaleChange, match="conflict.stale_change") as refused:
        history.undo(first, by=people.owner)
    (shown,) = refused.value.params["changes"]
    assert (shown["before"], shown["after"], shown["now"]) == ("Because.", "Second.", "Third.")
    assert shown["in_the_way"][0]["id"] == str(later.pk)
    assert fresh(section).fields["content"] == "Third."


def test_undo_twice_is_undo_once_and_redo_is_its_undo(section: Section, people: People) -> None:
    (change,) = sections.edit(section, {"content": "Second."}, By.person(people.owner))
    (undone,) = history.undo(change, by=people.owner)
    assert history.undo(change, by=people.owner) == []
    assert fresh(section).fields["content"] == "Because."
    (redone,) = history.undo(undone, by=people.owner)
    assert fresh(section).fields["content"] == "Second."
    assert history.undo(undone, by=people.owner) == []
    history.undo(change, by=people.owner)
    assert fresh(section).fields["content"] == "Because."
    assert redone.undoes == undone
    assert replayed(section) == fresh(section).state()


def test_a_group_is_undone_as_a_whole_or_not_at_all(note: Document, section: Section, people: People) -> None:
    turn = new_id()
    tool = By(AuthorKind.TOOL, people.owner, turn, "round-1/tool-1")
    history.edit(note, {"title": "Renamed"}, tool, group=turn)
    history.edit(section, {"content": "One."}, tool, group=turn)
    history.edit(section, {"content": "Two."}, tool, group=turn)
    sections.edit(section, {"title": "By hand"}, By.person(people.teammate))
    undone = history.undo_group(turn, by=people.owner)
    assert len(undone) == 3
    assert fresh(section).fields == {"title": "By hand", "content": "Because."}
    assert Document.objects.get(id=note.id).title == "Loops"
    assert history.undo_group(turn, by=people.owner) == []
    # Redo, and then something in the way of one of them.
    history.undo_group(undone[0].group, by=people.owner)
    assert fresh(section).fields["content"] == "Two."
    sections.edit(section, {"content": "Three."}, By.person(people.teammate))
    with pytest.raises(StaleChange):
        history.undo_group(turn, by=people.owner)
    assert Document.objects.get(id=note.id).title == "Renamed"
    assert replayed(section) == fresh(section).state()
    with pytest.raises(NotFound, match="not_found.group"):
        history.undo_group(turn, by=people.stranger)


def test_removal_and_moves_are_changes_too(note: Document, section: Section, people: People) -> None:
    owner = By.person(people.owner)
    second = sections.add(note, "section", {"title": "How"}, owner, after=section)
    assert [each.id for each in documents.sections_of(note)] == [section.id, second.id]
    moved = sections.move(second, owner, parent=None, after=None)
    assert [each.id for each in documents.sections_of(note)] == [second.id, section.id]
    (gone,) = sections.remove(section, owner)
    assert [each.id for each in documents.sections_of(note)] == [second.id]
    history.undo(gone, by=people.owner)
    history.undo(moved[0], by=people.owner)
    assert [each.id for each in documents.sections_of(note)] == [section.id, second.id]


def test_a_creation_undone_keeps_its_text_for_the_redo(note: Document, section: Section, people: People) -> None:
    created = Change.objects.filter(object_id=section.id)[0]
    (undone, *_) = history.undo_group(created.group, by=people.owner)
    assert documents.sections_of(note) == []
    history.undo_group(undone.group, by=people.owner)
    assert fresh(section).fields == {"title": "Why", "content": "Because."}
    assert len(documents.sections_of(note)) == 1


def test_a_state_can_be_restored_with_one_step(section: Section, people: People) -> None:
    group = new_id()
    for content in ("One.", "Two.", "Three."):
        history.edit(section, {"content": content}, By.person(people.owner), group=group)
    sections.edit(section, {"title": "New"}, By.person(people.owner))
    saved = Snapshot.objects.get(object_id=section.id, group=group)
    history.restore(saved, by=people.teammate)
    assert fresh(section).fields == {"title": "Why", "content": "Because."}
    assert fresh(section).version == 6
    assert replayed(section) == fresh(section).state()
    with pytest.raises(NotFound):
        history.restore(saved, by=people.stranger)


def test_a_machine_writes_what_nobody_touched(section: Section, people: People) -> None:
    written = history.write_as_recipe(section, {"content": "Machine."}, machine(people), read_version=1, group=new_id())
    assert written.proposal is None
    assert fresh(section).fields["content"] == "Machine."


def test_what_a_person_changed_meanwhile_stands_and_the_machine_proposes(section: Section, people: People) -> None:
    sections.edit(section, {"content": "By hand."}, By.person(people.owner))
    written = history.write_as_recipe(
        section,
        {"content": "Machine.", "title": "Machine", "status": "ready", "fallback": None},
        machine(people),
        read_version=1,
        group=new_id(),
    )
    assert written.proposal is not None
    assert written.proposal.values == {"content": "Machine."}
    assert fresh(section).fields == {"title": "Machine", "content": "By hand."}
    history.accept(written.proposal, by=people.teammate)
    assert fresh(section).fields["content"] == "Machine."
    with pytest.raises(StaleChange, match="conflict.decided"):
        history.reject(Proposal.objects.get(), by=people.owner)
    with pytest.raises(StaleChange, match="conflict.decided"):
        history.accept(Proposal.objects.get(), by=people.owner)


def test_in_a_locked_section_machines_only_propose(section: Section, people: People) -> None:
    sections.lock(section, By.person(people.owner))
    written = history.write_as_recipe(
        section, {"content": "Machine.", "status": "ready"}, machine(people), read_version=2, group=new_id()
    )
    assert written.changes == []
    assert written.proposal is not None
    with pytest.raises(StaleChange, match="conflict.locked"):
        history.edit(section, {"content": "x"}, By(AuthorKind.TOOL, people.owner))
    sections.edit(section, {"content": "By hand."}, By.person(people.owner))
    assert fresh(section).fields["content"] == "By hand."
    history.reject(written.proposal, by=people.owner)
    assert fresh(section).fields["content"] == "By hand."


def test_a_person_writing_over_a_stand_in_makes_it_a_text(section: Section, people: People) -> None:
    error = {"error_code": "model.timeout", "params": {}}
    history.write_as_recipe(
        section, {"content": "Stand-in.", "fallback": error}, machine(people), read_version=1, group=new_id()
    )
    assert fresh(section).fallback == error
    changes = sections.edit(section, {"content": "By hand."}, By.person(people.owner))
    assert fresh(section).fallback is None
    history.undo_group(changes[0].group, by=people.owner)
    assert fresh(section).fallback == error


def test_emptying_the_bin_takes_the_history_along(note: Document, section: Section, people: People) -> None:
    documents.bin(note, by=people.teammate)
    assert list(documents.listing(people.owner)) == []
    assert list(documents.listing(people.owner, is_binned=True)) == [note]
    with pytest.raises(PermissionRefused):
        documents.empty_bin(people.workspace, by=people.teammate)
    assert documents.empty_bin(people.workspace, by=people.owner) == 1
    assert not Change.objects.filter(root_id=note.id).exists()
    assert not Section.objects.exists()
