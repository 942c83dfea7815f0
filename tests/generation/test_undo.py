"""The history over REST: read by page, undone alone, as a group, or the last; proposals decided."""

from typing import Any
from uuid import uuid4

import pytest

from generation import documents, sections
from generation.models import Document, Section
from memory import history
from memory.base.ids import new_id
from memory.history import By
from memory.models import AuthorKind, Change, Proposal
from tests.people import People
from tests.rest import Rest, told


@pytest.fixture
def people(people_committed: People) -> People:
    return people_committed


@pytest.fixture
def teammate(people: People) -> Rest:
    return Rest(people.teammate)


@pytest.fixture
def section(note: Document, people: People) -> Section:
    return sections.add(note, "section", {"title": "Why", "content": "Because."}, By.person(people.owner))


def write(rest: Rest, section: Section, **fields: Any) -> Any:
    return rest.patch(f"sections/{section.id}", {"fields": fields}).json()


def content(section: Section) -> str:
    return str(Section.objects.get(id=section.id).fields.get("content"))


def history_of(rest: Rest, document: Document, **which: Any) -> list[dict[str, Any]]:
    return list(rest.get(f"documents/{document.id}/changes", **which).json()["items"])


def test_a_change_tells_who_when_what_and_why(owner: Rest, teammate: Rest, note: Document, section: Section) -> None:
    written = write(teammate, section, content="So that…")
    newest = history_of(owner, note)[0]
    assert (newest["id"], newest["group"]) == (written["changes"][0], written["group"])
    assert (newest["user"]["username"], newest["author"], newest["run"]) == ("teammate", "person", None)
    assert (newest["path"], newest["before"], newest["after"]) == ("content", "Because.", "So that…")
    assert newest["object"] == {"type": "section", "id": str(section.id), "version": 2}
    assert (newest["undoes"], newest["is_undone"], newest["is_shortened"]) == (None, False, False)
    assert owner.get(f"changes/{newest['id']}").json() == newest


def test_the_history_is_paged_and_narrowed(owner: Rest, note: Document, section: Section) -> None:
    for n in range(60):
        write(owner, section, content=str(n))
    answer = owner.get(f"documents/{note.id}/changes").json()
    rest = history_of(owner, note, cursor=answer["cursor"])
    ids = [change["id"] for change in answer["items"] + rest]
    assert ids == [str(one) for one in Change.objects.order_by("-id").values_list("id", flat=True)]
    assert {change["object"]["id"] for change in history_of(owner, note, object=str(note.id))} == {str(note.id)}
    group = answer["items"][0]["group"]
    assert [change["after"] for change in history_of(owner, note, group=group)] == ["59"]
    assert history_of(owner, note, group=str(uuid4())) == []
    for wrong in ({"cursor": "x"}, {"object": "x"}, {"group": "'"}):
        assert owner.get(f"documents/{note.id}/changes", **wrong).status_code == 422


def test_long_values_are_shortened_in_the_list_and_whole_alone(owner: Rest, note: Document, section: Section) -> None:
    write(owner, section, content="é" * 10_000)
    short = history_of(owner, note)[0]
    assert (short["is_shortened"], len(short["after"]), short["before"]) == (True, 501, "Because.")
    assert owner.get(f"changes/{short['id']}").json()["after"] == "é" * 10_000


def test_a_teammate_undoes_a_change_in_the_middle_and_its_author_redoes_it(
    owner: Rest, teammate: Rest, note: Document, section: Section
) -> None:
    change = write(owner, section, content="Second.")["changes"][0]
    write(owner, section, title="Later")
    undone = teammate.post(f"changes/{change}/undo").json()
    assert undone["objects"] == [{"type": "section", "id": str(section.id), "version": 4}]
    assert content(section) == "Because."
    assert [each["is_undone"] for each in history_of(owner, note) if each["id"] == change] == [True]
    assert teammate.post(f"changes/{change}/undo").json()["changes"] == []
    owner.post(f"changes/{undone['changes'][0]}/undo")
    assert content(section) == "Second."
    assert [each["is_undone"] for each in history_of(owner, note) if each["id"] == change] == [False]


def test_what_stands_in_the_way_is_shown(owner: Rest, teammate: Rest, section: Section) -> None:
    change = write(owner, section, content="Second.")["changes"][0]
    later = write(teammate, section, content="Third.")["changes"][0]
    answer = owner.post(f"changes/{change}/undo")
    assert told(answer) == (409, "conflict.stale_change")
    (shown,) = answer.json()["details"]["changes"]
    assert (shown["now"], shown["in_the_way"][0]["id"]) == ("Third.", later)
    assert content(section) == "Third."


def test_the_last_is_undone_then_the_one_before_and_never_an_undo(
    owner: Rest, teammate: Rest, note: Document, section: Section
) -> None:
    write(owner, section, content="Second.", title="Two")
    write(teammate, section, content="Third.")
    for expected in ("Second.", "Because."):
        assert teammate.post(f"documents/{note.id}/undo").status_code == 200
        assert content(section) == expected
    owner.post(f"documents/{note.id}/undo")  # the section itself
    assert documents.sections_of(note) == []
    assert told(owner.post(f"documents/{note.id}/undo")) == (409, "conflict.nothing_to_undo")
    assert Document.objects.get().present


def test_what_was_redone_is_the_last_again(owner: Rest, note: Document, section: Section) -> None:
    write(owner, section, content="Second.")
    undone = owner.post(f"documents/{note.id}/undo").json()
    owner.post(f"groups/{undone['group']}/undo")
    assert content(section) == "Second."
    owner.post(f"documents/{note.id}/undo")
    assert content(section) == "Because."


def test_what_a_run_made_goes_as_a_whole_and_is_not_the_last_again(
    owner: Rest, people: People, note: Document, section: Section
) -> None:
    run = new_id()
    machine = By(AuthorKind.RECIPE, people.owner, run, "section-2")
    made = Section(document=note, type="section", key="section-2", rank="x")
    history.create(made, machine, group=run)
    history.edit(made, {"content": "Machine."}, machine, group=run)
    assert len(documents.sections_of(note)) == 2
    owner.post(f"documents/{note.id}/undo")
    assert documents.sections_of(note) == [section]
    of_run = history_of(owner, note, group=str(run))
    assert {change["is_undone"] for change in of_run} == {True}
    owner.post(f"documents/{note.id}/undo")
    assert documents.sections_of(note) == []


def test_undo_of_undo_a_thousand_times_is_still_known(people: People, note: Document, section: Section) -> None:
    """Each undoes the one before; whether the first stands is found without a thousand calls deep."""
    (first,) = sections.edit(section, {"content": "Second."}, By.person(people.owner))
    chain = [first]
    for version in range(3, 1_203):
        chain.append(
            Change(
                workspace_id=first.workspace_id, root_id=note.id, object_type="section", object_id=section.id,
                version=version, path="content", author="undo", group=new_id(), undoes=chain[-1],
            )
        )  # fmt: skip
    Change.objects.bulk_create(chain[1:])
    undone = history.undone_in(note.id)
    assert [change.id in undone for change in chain[:3]] == [False, True, False]


def test_a_group_over_two_objects_is_undone_as_one(
    owner: Rest, people: People, note: Document, section: Section
) -> None:
    turn = new_id()
    tool = By(AuthorKind.TOOL, people.owner, turn, "round-1/tool-1")
    history.edit(note, {"title": "Renamed"}, tool, group=turn)
    history.edit(section, {"content": "By tool."}, tool, group=turn)
    undone = owner.post(f"groups/{turn}/undo").json()
    assert {each["type"]: each["version"] for each in undone["objects"]} == {"document": 3, "section": 3}
    assert told(owner.post(f"groups/{uuid4()}/undo")) == (404, "not_found.group")


def test_a_state_is_gone_back_to(owner: Rest, teammate: Rest, note: Document, section: Section) -> None:
    group = write(owner, section, content="Second.", title="Two")["group"]
    write(owner, section, content="Third.")
    (saved,) = [one for one in owner.get(f"documents/{note.id}/snapshots").json()["items"] if one["group"] == group]
    assert saved["object"] == {"type": "section", "id": str(section.id), "version": 1}
    back = teammate.post(f"snapshots/{saved['id']}/restore").json()
    assert back["objects"][0]["version"] == 4
    assert Section.objects.get().fields == {"title": "Why", "content": "Because."}


@pytest.fixture
def proposal(people: People, section: Section) -> Proposal:
    sections.edit(section, {"content": "By hand."}, By.person(people.owner))
    machine = By(AuthorKind.RECIPE, people.owner, new_id(), "section-1")
    written = history.write_as_recipe(section, {"content": "Machine."}, machine, read_version=1, group=new_id())
    assert written.proposal
    return written.proposal


def test_a_proposal_is_shown_with_its_section_and_accepted_once(
    owner: Rest, teammate: Rest, note: Document, section: Section, proposal: Proposal
) -> None:
    (shown,) = owner.get(f"documents/{note.id}").json()["sections"][0]["proposals"]
    assert (shown["id"], shown["values"], shown["state"]) == (str(proposal.id), {"content": "Machine."}, "open")
    accepted = teammate.post(f"proposals/{proposal.id}/accept").json()
    assert accepted["objects"] == [{"type": "section", "id": str(section.id), "version": 3}]
    assert content(section) == "Machine."
    assert owner.get(f"sections/{section.id}").json()["proposals"] == []
    for verb in ("accept", "reject"):
        assert told(owner.post(f"proposals/{proposal.id}/{verb}")) == (409, "conflict.decided")
    owner.post(f"groups/{accepted['group']}/undo")
    assert content(section) == "By hand."


def test_a_proposal_is_rejected_and_kept_in_the_list(
    owner: Rest, teammate: Rest, note: Document, section: Section, proposal: Proposal
) -> None:
    rejected = teammate.post(f"proposals/{proposal.id}/reject").json()
    assert (rejected["state"], rejected["decided_by"]["username"]) == ("rejected", "teammate")
    assert content(section) == "By hand."
    listed = f"documents/{note.id}/proposals"
    assert owner.get(listed).json()["items"] == owner.get(listed, state="rejected").json()["items"] == [rejected]
    assert owner.get(listed, state="open").json()["items"] == []
    assert told(owner.get(listed, state="none")) == (422, "validation.choice")


def test_a_stranger_finds_nothing_and_a_viewer_undoes_nothing(
    owner: Rest, people: People, note: Document, section: Section, proposal: Proposal
) -> None:
    change, saved = history_of(owner, note)[0], owner.get(f"documents/{note.id}/snapshots").json()["items"][0]
    stranger, viewer = Rest(people.stranger), Rest(people.viewer)
    for path in (f"documents/{note.id}/{each}" for each in ("changes", "snapshots", "proposals")):
        assert told(stranger.get(path)) == (404, "not_found.document")
        assert viewer.get(path).status_code == 200
    assert told(stranger.get(f"changes/{change['id']}")) == (404, "not_found.change")
    for path, code in (
        (f"changes/{change['id']}/undo", "not_found.change"),
        (f"documents/{note.id}/undo", "not_found.document"),
        (f"groups/{change['group']}/undo", "not_found.group"),
        (f"snapshots/{saved['id']}/restore", "not_found.snapshot"),
        (f"proposals/{proposal.id}/accept", "not_found.proposal"),
        (f"proposals/{proposal.id}/reject", "not_found.proposal"),
    ):
        assert told(stranger.post(path)) == (404, code)
        assert told(viewer.post(path)) == (403, "permission.role")
    assert content(section) == "By hand."
