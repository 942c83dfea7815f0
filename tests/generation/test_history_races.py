"""Many at once on one document: one after the other, nothing lost, nobody waits for ever."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import pairwise
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection, transaction

from generation import documents, folders, sections
from generation.fields import Kind, SectionType
from generation.kinds import KINDS
from generation.models import Document, Folder, Section
from generation.recipes.course.schema import COURSE, PartFields
from memory import history
from memory.base.errors import Conflict, InvalidInput, NotFound, ScriptoriumError
from memory.base.ids import new_id
from memory.history import By
from memory.models import AuthorKind, Change, Proposal, Snapshot
from tests.patience import PATIENCE_SECONDS
from tests.people import People
from tests.rest import Rest, told

ROUNDS = 6
WAIT_SECONDS = 8  # less than lock_timeout: who waits in a ring is found out by this


@pytest.fixture
def people(people_committed: People) -> People:
    return people_committed


@pytest.fixture
def owner(people: People) -> By:
    return By.person(people.owner)


def a_note(people: People, title: str = "Loops") -> tuple[Document, Section]:
    note = documents.create("note", title, {}, user=people.owner, workspace=people.workspace)
    section = sections.add(note, "section", {"title": "Why", "content": "Because."}, By.person(people.owner))
    return note, section


@pytest.fixture
def note(people: People) -> Document:
    return a_note(people)[0]


@pytest.fixture
def section(note: Document) -> Section:
    return Section.whole().get(document=note)


def at_once(*verbs: Callable[[], Any]) -> list[Any]:
    """What each of them gave or was refused with; all began in the same moment, each on a connection of its own."""
    barrier = Barrier(len(verbs))

    def run(verb: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(PATIENCE_SECONDS)
            return verb()
        except ScriptoriumError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(verbs)) as threads:
        return [future.result(30) for future in [threads.submit(run, verb) for verb in verbs]]


def done(outcomes: Sequence[Any]) -> list[Any]:
    return [each for each in outcomes if not isinstance(each, ScriptoriumError)]


def fresh(section: Section) -> Section:
    return Section.whole().get(id=section.id)


def holds(*objects: Section | Document) -> None:
    """The changes of each give its state; versions are contiguous."""
    for obj in objects:
        row = type(obj).whole().get(id=obj.pk)
        changes = list(Change.objects.filter(object_id=obj.pk).order_by("version", "id"))
        assert history.replay(changes) == row.state()
        assert sorted({change.version for change in changes}) == list(range(1, row.version + 1))
        last: dict[str, Any] = {}
        for change in changes:
            assert last.get(change.path) == change.before
            last[change.path] = change.after


def test_of_many_writers_on_one_version_one_wins(section: Section, owner: By) -> None:
    for version in range(1, ROUNDS + 1):
        verbs = [
            partial(sections.edit, fresh(section), {"content": f"{version}-{n}"}, owner, expected_version=version)
            for n in range(8)
        ]
        outcomes = at_once(*verbs)
        (won,) = done(outcomes)
        assert all(isinstance(each, Conflict) for each in outcomes if each is not won)
        assert fresh(section).fields["content"] == won[0].after
        assert fresh(section).version == version + 1
    holds(section)


def test_without_a_version_each_writes_upon_the_other(section: Section, owner: By) -> None:
    outcomes = at_once(*[partial(sections.edit, fresh(section), {"content": str(n)}, owner) for n in range(12)])
    assert len(done(outcomes)) == 12
    assert fresh(section).version == 13
    holds(section)


def test_what_was_read_before_the_lock_is_read_again(section: Section, owner: By) -> None:
    stale = [fresh(section) for _ in range(8)]
    at_once(*[partial(sections.edit, stale[n], {"content": f"c{n}", "title": f"t{n}"}, owner) for n in range(8)])
    assert fresh(section).version == 9
    holds(section)


def test_of_two_undos_at_once_one_is_a_change(section: Section, people: People, owner: By) -> None:
    for n in range(ROUNDS):
        (change,) = sections.edit(fresh(section), {"content": f"New {n}."}, owner)
        outcomes = at_once(*[partial(history.undo, change, who) for who in (people.owner, people.teammate) * 3])
        assert sorted(len(each) for each in done(outcomes)) == [0, 0, 0, 0, 0, 1]
        assert Change.objects.filter(undoes=change).count() == 1
    assert fresh(section).fields["content"] == "Because."
    holds(section)


def test_undo_against_edit_loses_neither(section: Section, people: People, owner: By) -> None:
    for n in range(ROUNDS):
        before = fresh(section).fields["content"]
        (change,) = sections.edit(fresh(section), {"content": f"New {n}."}, owner)
        undone, edited = at_once(
            partial(history.undo, change, people.teammate),
            partial(sections.edit, fresh(section), {"content": f"Newer {n}."}, owner),
        )
        assert fresh(section).fields["content"] == f"Newer {n}."  # after the undo, or in its way
        assert edited[0].before == (f"New {n}." if isinstance(undone, Conflict) else before)
    holds(section)


def test_a_group_undone_against_a_machine_is_undone_whole(
    note: Document, section: Section, people: People, owner: By
) -> None:
    by = By(AuthorKind.RECIPE, people.owner, new_id(), "section-1")
    for n in range(ROUNDS):
        turn, version = new_id(), fresh(section).version
        history.edit(note, {"title": f"Title {n}"}, owner, group=turn)
        history.edit(section, {"title": f"Why {n}", "content": f"New {n}."}, owner, group=turn)
        undone, written = at_once(
            partial(history.undo_group, turn, people.owner),
            partial(
                history.write_as_recipe,
                fresh(section),
                {"content": f"Machine {n}."},
                by,
                read_version=version,
                group=by.run_id or new_id(),
            ),
        )
        assert len(undone) == 3
        assert written.changes == []  # a person's text stood there, and then what a person gave back
        assert (Document.objects.get(id=note.id).title, fresh(section).fields) == (
            "Loops",
            {"title": "Why", "content": "Because."},
        )
        assert Proposal.objects.filter(values={"content": f"Machine {n}."}).count() == 1
    holds(note, section)


def test_what_a_run_writes_until_the_lock_is_held_is_undone_with_it(
    note: Document, section: Section, people: People
) -> None:
    """The undo read the group's changes, and then waited for a write of this very group."""
    by, has_lock, go_on = By(AuthorKind.RECIPE, people.owner, new_id(), "s"), Event(), Event()
    group = by.run_id or new_id()
    history.write_as_recipe(section, {"content": "One."}, by, read_version=1, group=group)

    def write() -> None:
        with transaction.atomic():
            history.write_as_recipe(fresh(section), {"content": "Two."}, by, read_version=2, group=group)
            has_lock.set()
            go_on.wait(WAIT_SECONDS)

    def undo() -> list[Change]:
        assert has_lock.wait(WAIT_SECONDS)
        return history.undo_group(group, people.owner)

    with ThreadPoolExecutor(2) as threads:
        writing, undoing = threads.submit(closing(write)), threads.submit(closing(undo))
        assert has_lock.wait(WAIT_SECONDS)
        with suppress(TimeoutError):
            undoing.result(0.3)
        go_on.set()
        writing.result(WAIT_SECONDS)
        assert len(undoing.result(WAIT_SECONDS)) == 2
    assert fresh(section).fields["content"] == "Because."
    holds(section)


def closing(verb: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        try:
            return verb()
        finally:
            connection.close()

    return run


def test_of_many_who_decide_one_does(section: Section, people: People, owner: By) -> None:
    by = By(AuthorKind.RECIPE, people.owner, new_id(), "section-1")
    for n in range(ROUNDS):
        version = fresh(section).version
        sections.edit(fresh(section), {"content": f"By hand {n}."}, owner)
        machine = {"content": f"Machine {n}."}
        proposal = history.write_as_recipe(fresh(section), machine, by, read_version=version, group=new_id()).proposal
        assert proposal is not None
        outcomes = at_once(
            *[partial(history.accept, proposal, people.owner)] * 2,
            *[partial(history.reject, proposal, people.teammate)] * 2,
        )
        (won,) = done(outcomes)
        proposal.refresh_from_db()
        assert proposal.state == ("rejected" if won is None else "accepted")
        assert fresh(section).fields["content"] == (f"By hand {n}." if won is None else f"Machine {n}.")
    holds(section)


def test_moves_into_each_other_never_make_a_ring(people: People, owner: By, monkeypatch: pytest.MonkeyPatch) -> None:
    branch = SectionType(PartFields, within=("chapter", "branch"))
    monkeypatch.setitem(KINDS, "course", Kind("course", COURSE.fields, {**COURSE.sections, "branch": branch}))
    course = documents.create("course", "Tree", {}, user=people.owner, workspace=people.workspace)
    chapter = sections.add(course, "chapter", {}, owner)
    for _ in range(ROUNDS):
        ring = [sections.add(course, "branch", {}, owner, parent=chapter) for _ in range(4)]
        outcomes = at_once(
            *[
                partial(sections.move, fresh(one), owner, parent=fresh(other), after=None)
                for one, other in [*pairwise(ring), (ring[-1], ring[0])]
            ]
        )
        assert len(done(outcomes)) == 3
        assert [type(each) for each in outcomes if isinstance(each, ScriptoriumError)] == [InvalidInput]
        shown = {each.id for each in documents.sections_of(course)}
        assert {each.id for each in ring} <= shown
    holds(*Section.objects.filter(document=course))


def test_what_is_added_at_once_stands_at_ranks_of_its_own(note: Document, section: Section, owner: By) -> None:
    for _ in range(3):
        at_once(*[partial(sections.add, note, "section", {}, owner, after=section)] * 8)
    ranks = list(Section.objects.filter(document=note).values_list("rank", flat=True))
    assert len(ranks) == 25
    assert len(set(ranks)) == 25
    assert documents.sections_of(note)[0] == section


def test_a_group_keeps_one_snapshot_of_what_was_before(section: Section, people: People) -> None:
    turn = new_id()
    tool = By(AuthorKind.TOOL, people.owner, turn, "round-1")
    at_once(*[partial(history.edit, fresh(section), {"content": str(n)}, tool, group=turn) for n in range(8)])
    assert Snapshot.objects.get(object_id=section.id).state["content"] == "Because."
    assert Snapshot.objects.get(object_id=section.id).version == 1


def test_two_documents_do_not_wait_for_each_other(note: Document, people: People, owner: By) -> None:
    _, other = a_note(people, "Other")
    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        history.lock_roots([note.id])
        changes = threads.submit(closing(lambda: sections.edit(other, {"content": "At once."}, owner))).result(5)
    assert len(changes) == 1


def every_verb(note: Document, section: Section, people: People) -> dict[str, Callable[[], Any]]:
    """Each verb of the history, ready to be called on this section once."""
    owner, machine = By.person(people.owner), By(AuthorKind.RECIPE, people.owner, new_id(), "section-1")
    turns = [new_id(), new_id()]
    changes = [history.edit(section, {"title": f"{n}"}, owner, group=turn)[0] for n, turn in enumerate(turns)]
    offered: list[Proposal] = []
    for n in range(2):
        sections.edit(section, {"content": f"By hand {n}."}, owner)
        # The second says nothing of the title, and so leaves the first open.
        values = {"content": f"Offered {n}."} | ({} if n else {"title": "Offered"})
        written = history.write_as_recipe(section, values, machine, read_version=1, group=new_id())
        offered += [written.proposal] if written.proposal else []
    new = Section(document=note, type="section", key="new", rank="z")
    return {
        "edit": partial(history.edit, fresh(section), {"content": "Later."}, owner),
        "write_as_recipe": partial(
            history.write_as_recipe, fresh(section), {"content": "x"}, machine, read_version=9, group=new_id()
        ),
        "create": partial(history.create, new, machine),
        "undo": partial(history.undo, changes[1], people.owner),
        "undo_group": partial(history.undo_group, turns[1], people.owner),
        "restore": partial(history.restore, Snapshot.objects.get(group=turns[0]), people.owner),
        "accept": partial(history.accept, offered[0], people.owner),
        "reject": partial(history.reject, offered[1], people.owner),
    }


@pytest.mark.parametrize(
    "verb", ["edit", "write_as_recipe", "create", "undo", "undo_group", "restore", "accept", "reject"]
)
def test_every_writer_of_a_document_waits_for_the_others(
    verb: str, note: Document, section: Section, people: People
) -> None:
    call = every_verb(note, section, people)[verb]
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            history.lock_roots([note.id])
            writing = threads.submit(closing(call))
            with pytest.raises(TimeoutError):
                writing.result(0.4)
        writing.result(WAIT_SECONDS)
    holds(note, *Section.objects.filter(document=note))


def test_moves_at_once_stand_at_ranks_of_their_own(note: Document, section: Section, owner: By) -> None:
    movers = [sections.add(note, "section", {}, owner, after=section) for _ in range(8)]
    for _ in range(3):
        at_once(*[partial(sections.move, fresh(one), owner, parent=None, after=section) for one in movers])
        assert Section.objects.filter(document=note).values("rank").distinct().count() == 9


def test_groups_over_the_same_documents_never_wait_in_a_ring(people: People, owner: By) -> None:
    pairs = [a_note(people, f"Note {n}") for n in range(4)]
    for n in range(ROUNDS):
        there, back = new_id(), new_id()
        for note, _ in pairs:
            history.edit(note, {"title": f"There {n}"}, owner, group=there)
        for _, section in reversed(pairs):
            history.edit(section, {"title": f"Back {n}"}, owner, group=back)
        outcomes = at_once(*[partial(history.undo_group, group, people.owner) for group in (there, back, there, back)])
        assert sorted(len(each) for each in outcomes) == [0, 0, 4, 4]
    for note, section in pairs:
        holds(note, section)


def test_who_removes_a_folder_waits_for_its_documents_in_the_order_of_all(people: People, owner: By) -> None:
    folder = folders.make(people.workspace, "Folder", people.owner)
    notes = [a_note(people)[0] for _ in range(4)]
    for note in reversed(notes):
        history.edit(note, {"folder": str(folder.id)}, owner)
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            history.lock_roots([notes[0].id])
            removing = threads.submit(closing(partial(folders.remove, folder, people.owner)))
            with pytest.raises(TimeoutError):
                removing.result(0.5)
            history.lock_roots([note.id for note in notes])  # it holds none of them while it waits
        removing.result(WAIT_SECONDS)
    holds(*notes)
    assert not Document.objects.exclude(folder=None).exists()


def until_waiting(work: Future[Any]) -> None:
    with pytest.raises(TimeoutError):
        work.result(0.5)


FILINGS: dict[str, Callable[[Rest, Document, Folder], Any]] = {
    "move": lambda rest, note, folder: rest.patch(f"documents/{note.id}", {"fields": {"folder": str(folder.id)}}),
    "begin": lambda rest, note, folder: rest.post("documents", {"kind": "note", "folder": str(folder.id)}),
    "order": lambda rest, note, folder: rest.post("runs", {"kind": "note", "brief": "x", "folder": str(folder.id)}),
    "folder": lambda rest, note, folder: rest.post("folders", {"name": "In it", "parent": str(folder.id)}),
    "name": lambda rest, note, folder: rest.patch(f"folders/{folder.id}", {"name": "Other"}),
    "remove": lambda rest, note, folder: rest.delete(f"folders/{folder.id}"),
}


@pytest.mark.parametrize("filing", FILINGS)
def test_what_is_done_with_a_folder_while_it_is_removed_is_refused(people: People, note: Document, filing: str) -> None:
    folder, rest = folders.make(people.workspace, "Folder", people.owner), Rest(people.teammate)
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            folders.remove(folder, people.owner)
            work = threads.submit(closing(partial(FILINGS[filing], rest, note, folder)))
            until_waiting(work)
        refused = told(work.result(WAIT_SECONDS))
    assert refused in {(404, "not_found.folder"), (422, "validation.folder")}
    holds(note)
    assert not Folder.objects.exists()


def test_who_removes_a_folder_waits_for_what_is_just_filed_in_it(people: People, note: Document) -> None:
    folder, rest = folders.make(people.workspace, "Folder", people.owner), Rest(people.teammate)
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            documents.edit(note, {"folder": str(folder.id)}, By.person(people.owner))
            work = threads.submit(closing(partial(rest.delete, f"folders/{folder.id}")))
            until_waiting(work)
        assert work.result(WAIT_SECONDS).status_code == 204
    holds(note)
    assert Document.objects.get(id=note.id).folder_id is None


def test_what_leaves_a_folder_while_it_is_removed_goes_where_it_was_going(people: People, note: Document) -> None:
    """And nobody waits for ever, whoever comes first."""
    for _ in range(ROUNDS):
        first, second = (folders.make(people.workspace, name, people.owner) for name in ("One", "Two"))
        documents.edit(note, {"folder": str(first.id)}, By.person(people.owner))
        removed, moved = at_once(
            partial(folders.remove, first, people.owner),
            partial(documents.edit, note, {"folder": str(second.id)}, By.person(people.teammate)),
        )
        assert removed is None
        assert not isinstance(moved, ScriptoriumError)
        assert Document.objects.get(id=note.id).folder_id == second.id
    holds(note)


def test_what_is_taken_out_of_the_bin_stays(note: Document, section: Section, people: People) -> None:
    documents.bin(note, people.owner)
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            documents.unbin(note, people.owner)
            emptying = threads.submit(closing(lambda: documents.empty_bin(people.workspace, people.owner)))
            with pytest.raises(TimeoutError):
                emptying.result(0.5)
        assert emptying.result(WAIT_SECONDS) == 0
    holds(note, section)


def test_what_is_deleted_for_good_meanwhile_is_not_found(people: People, owner: By) -> None:
    for _ in range(ROUNDS):
        note, section = a_note(people)
        (change,) = sections.edit(section, {"content": "Late."}, owner)
        documents.bin(note, people.owner)
        _, *late = at_once(
            partial(documents.empty_bin, people.workspace, people.owner),
            partial(sections.edit, section, {"title": "Later"}, owner),
            partial(history.undo, change, people.teammate),
            partial(sections.add, note, "section", {}, owner),
        )
        assert all(isinstance(each, NotFound) for each in late if isinstance(each, ScriptoriumError))
        assert not Change.objects.filter(root_id=note.id).exists()
        assert not Section.objects.filter(document_id=note.id).exists()
