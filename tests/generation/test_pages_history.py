"""The page of a document's history: turns with what was changed word by word, undo and redo, states to go back to."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation import documents, sections
from generation.models import Document, Section
from memory import history
from memory.base.ids import new_id
from memory.base.news import CHANGED, bell
from memory.history import By
from memory.models import AuthorKind, Change, Snapshot
from tests.people import People

HTMX = {"HX-Request": "true"}
BAR = {**HTMX, "HX-Target": "last-change"}


@pytest.fixture
def people(people_committed: People) -> People:
    return people_committed


@pytest.fixture
def owner(people: People) -> Client:
    return people.client(people.owner)


@pytest.fixture
def section(note: Document, people: People) -> Section:
    return sections.add(note, "section", {"title": "Why", "content": "Because of rules."}, By.person(people.owner))


def edit(section: Section, user: Any, **values: Any) -> Change:
    return sections.edit(section, values, By.person(user))[0]


def fields(section: Section) -> dict[str, Any]:
    return dict(Section.objects.get(id=section.id).fields)


def page(client: Client, document: Document, query: str = "") -> str:
    return client.get(f"/documents/{document.id}/history/{query}").content.decode()


# --- what is told


def test_turns_say_who_what_and_what_was_there_word_by_word(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    edit(section, people.teammate, content="Because of habits.")
    told = page(owner, note)
    assert "Because of <del>rules</del><ins>habits</ins>." in told
    assert "Section 1, text" in told
    assert "Changed by hand" in told
    assert told.index("habits") < told.index("Section 1</h3>")  # newest first
    assert "Added" in told


def test_the_stranger_sees_nothing_and_the_viewer_no_button(people: People, note: Document, section: Section) -> None:
    change = edit(section, people.owner, content="New.")
    saved = Snapshot.objects.get(group=change.group)
    stranger, viewer = people.client(people.stranger), people.client(people.viewer)
    for path in (
        f"documents/{note.id}/history/",
        f"documents/{note.id}/last-change/",
        f"changes/{change.id}/",
        f"snapshots/{saved.id}/restore/",
    ):
        assert stranger.get(f"/{path}").status_code == 404
        shown = viewer.get(f"/{path}")
        assert shown.status_code == 200
        assert "/undo/" not in shown.content.decode()
    for path in (f"changes/{change.id}/undo/", f"groups/{change.group}/undo/", f"snapshots/{saved.id}/restore/"):
        assert stranger.post(f"/{path}").status_code == 404
        assert viewer.post(f"/{path}").status_code == 403
    assert fields(section)["content"] == "New."


def test_questions_are_told_as_questions(owner: Client, people: People) -> None:
    course = documents.create("course", "Loops", {}, user=people.owner, workspace=people.workspace)
    by = By.person(people.owner)
    chapter = sections.add(course, "chapter", {"title": "One"}, by)
    questions = [
        {
            "id": "q1",
            "text": "How often?",
            "answers": [{"id": "a1", "text": "Once"}, {"id": "a2", "text": "Twice", "is_correct": True}],
        }
    ]
    test = sections.add(course, "evaluation", {}, by, parent=chapter)
    sections.edit(test, {"questions": questions}, by)
    sections.edit(test, {"questions/q1/answers/a1/text": "Never"}, by)
    told = page(owner, course)
    assert "Chapter 1, evaluation, question, answer, text" in told
    assert "1. How often?" in told
    assert "– Twice (right)" in told
    assert "is_correct" not in told


def test_a_long_text_is_shown_in_part_and_whole_when_asked(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    long = " ".join(f"word{n}" for n in range(2_000))
    edit(section, people.owner, content=long)
    change = edit(section, people.owner, content=long.replace("word1000 ", "other "))
    told = page(owner, note)
    assert "<del>word1000</del><ins>other</ins>" in told
    assert "word1500" not in told
    assert f"/changes/{change.id}/" in told
    whole = owner.get(f"/changes/{change.id}/", headers=HTMX).content.decode()
    assert "word1500" in whole
    assert "<html" not in whole
    assert "<html" in owner.get(f"/changes/{change.id}/").content.decode()


def test_nothing_in_a_value_is_markup(owner: Client, people: People, note: Document, section: Section) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    edit(section, people.owner, title=evil, content=evil)
    first = edit(section, people.teammate, content=f"{evil} more")
    edit(section, people.owner, content=f"{evil} else")
    saved = Snapshot.objects.get(group=first.group)
    refused = owner.post(f"/changes/{first.id}/undo/", headers=HTMX)
    pages = [page(owner, note), refused.content.decode(), owner.get(f"/snapshots/{saved.id}/restore/").content.decode()]
    pages += [
        owner.get(f"/documents/{note.id}/last-change/").content.decode(),
        owner.get(f"/changes/{first.id}/").content.decode(),
    ]
    assert all("<script>alert" not in each and "<img" not in each for each in pages)
    assert "&lt;script&gt;" in pages[0]


def test_the_history_is_paged_by_turn_and_narrowed(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    for n in range(20):
        edit(section, people.teammate if n % 2 else people.owner, content=f"Version number{n}.")
    first = page(owner, note)
    assert "number19" in first
    assert "number2." not in first
    cursor = first.split("cursor=")[1].split('"')[0]
    second = page(owner, note, f"?cursor={cursor}")
    assert "number2" in second
    only = page(owner, note, f"?who={people.teammate.id}")
    assert "number19" in only
    assert "number18</ins>" not in only
    other = sections.add(note, "section", {"title": "Elsewhere"}, By.person(people.owner))
    assert "number19" not in page(owner, note, f"?object={other.id}")
    assert "Only: section 1" in page(owner, note, f"?object={other.id}")
    for wrong in ("?cursor=x", "?object=x", "?group=x", "?who=x"):
        assert owner.get(f"/documents/{note.id}/history/{wrong}").status_code == 422


def test_what_a_run_did_is_one_turn_of_which_some_is_shown(owner: Client, people: People, note: Document) -> None:
    run = new_id()
    machine = By(AuthorKind.RECIPE, people.owner, run, "section")
    for n in range(70):
        made = Section(document=note, type="section", key=f"s{n}", rank=f"a{n:03}", fields={"title": f"Title{n}"})
        history.create(made, machine, group=run)
    told = page(owner, note)
    assert "The writing" in told
    assert "Show 64 other changes" in told
    whole = page(owner, note, f"?group={run}")
    assert "Title49" in whole
    assert "Title50" not in whole
    cursor = whole.split("cursor=")[1].split('"')[0]
    assert "Title69" in page(owner, note, f"?group={run}&cursor={cursor}")
    owner.post(f"/groups/{run}/undo/")
    assert documents.sections_of(note) == []


def test_the_page_asks_a_fixed_number_of_questions(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    machine = By(AuthorKind.RECIPE, people.owner, new_id(), "section")
    for n in range(30):
        change = edit(section, people.teammate, content=f"Number {n}.")
        if n % 3 == 0:
            history.undo(change, people.owner)
        sections.add(note, "section", {"title": str(n)}, By.person(people.owner))
        history.write_as_recipe(section, {"title": f"P{n}"}, machine, read_version=0, group=new_id())
    sections.lock(section, By.person(people.owner))
    history.write_as_recipe(
        Section.whole().get(id=section.id), {"content": "P"}, machine, read_version=0, group=new_id()
    )
    for path, most in (
        (f"documents/{note.id}/history/", 12),
        (f"documents/{note.id}/history/?proposals=all", 12),
        (f"documents/{note.id}/last-change/", 10),
    ):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert owner.get(f"/{path}").status_code == 200
        assert len(queries) <= most, [each["sql"][:150] for each in queries]


# --- undo and redo


def test_a_change_in_the_middle_is_undone_and_redone(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    change = edit(section, people.owner, content="Because of habits.")
    edit(section, people.teammate, title="Why loops")
    answer = owner.post(f"/changes/{change.id}/undo/")
    assert answer.headers["Location"] == f"/documents/{note.id}/history/"
    assert fields(section) == {"title": "Why loops", "content": "Because of rules."}
    told = page(owner, note)
    assert "data-undone" in told
    assert "Undone by owner" in told
    undo = Change.objects.get(undoes=change)
    assert f"/changes/{undo.id}/undo/" in told
    owner.post(f"/changes/{undo.id}/undo/")
    assert fields(section)["content"] == "Because of habits."
    assert "data-undone" in page(owner, note)  # the undo, this time
    assert f'id="change-{change.id}">' in page(owner, note)


def test_in_its_page_the_list_is_told_again_with_its_filter(people: People, note: Document, section: Section) -> None:
    client = people.client(people.teammate)
    change = edit(section, people.owner, content="New.")
    answer = client.post(f"/changes/{change.id}/undo/?object={section.id}", headers=HTMX, follow=True)
    assert answer.redirect_chain[-1][0] == f"/documents/{note.id}/history/?object={section.id}"


def test_a_turn_is_undone_as_a_whole_and_redone(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    turn = new_id()
    tool = By(AuthorKind.TOOL, people.owner, turn, "round-1/tool-1")
    history.edit(note, {"title": "Renamed"}, tool, group=turn)
    history.edit(section, {"content": "Shorter."}, tool, group=turn)
    assert "The conversation" in page(owner, note)
    assert f"/groups/{turn}/undo/" in page(owner, note)
    owner.post(f"/groups/{turn}/undo/")
    assert Document.objects.get(id=note.id).title == "Loops"
    assert "Redo the whole turn" in page(owner, note)
    undo = Change.objects.filter(author="undo")[0]
    owner.post(f"/groups/{undo.group}/undo/")
    assert fields(section)["content"] == "Shorter."


def test_a_refused_undo_names_who_stands_in_the_way_and_shows_both(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    change = edit(section, people.owner, content="Because of habits.")
    later = edit(section, people.teammate, content="Because of laws.")
    for answer in (owner.post(f"/changes/{change.id}/undo/"), owner.post(f"/changes/{change.id}/undo/", headers=HTMX)):
        told = answer.content.decode()
        assert answer.status_code == 409
        assert "teammate changed this later" in told
        assert "<del>rules</del><ins>habits</ins>" in told
        assert "<del>habits</del><ins>laws</ins>" in told
        assert f"/changes/{later.id}/undo/" in told
        assert f"/sections/{section.id}/edit/" in told
    assert answer.headers["HX-Retarget"] == f"#refused-{change.id}"
    assert fields(section)["content"] == "Because of laws."
    group = owner.post(f"/groups/{change.group}/undo/", headers=HTMX)
    assert group.headers["HX-Retarget"] == f"#refused-{change.group}"


def test_an_earlier_state_is_shown_before_it_is_brought_back(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    change = edit(section, people.owner, content="Because of habits.", title="What")
    edit(section, people.teammate, content="Because of laws.")
    saved = Snapshot.objects.get(group=change.group)
    told = owner.get(f"/snapshots/{saved.id}/restore/").content.decode()
    assert "<del>laws</del><ins>rules</ins>" in told
    assert fields(section)["title"] == "What"
    owner.post(f"/snapshots/{saved.id}/restore/")
    assert fields(section) == {"title": "Why", "content": "Because of rules."}
    assert "It stands now just as it stood then" in owner.get(f"/snapshots/{saved.id}/restore/").content.decode()


# --- the bar


def test_the_bar_says_what_was_done_last_and_undoes_it(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    change = edit(section, people.teammate, content="New.")
    bar = f"/documents/{note.id}/last-change/"
    told = owner.get(bar).content.decode()
    assert "teammate changed: section 1, text." in told
    assert "You changed: section 1, text." in people.client(people.teammate).get(bar).content.decode()
    answer = owner.post(f"/groups/{change.group}/undo/", headers=BAR)
    assert "You undid: section 1, text." in answer.content.decode()
    assert "Redo" in answer.content.decode()
    assert str(section.id) in answer.headers["HX-Trigger-After-Settle"]
    undo = Change.objects.get(undoes=change)
    assert "You brought back" in owner.post(f"/groups/{undo.group}/undo/", headers=BAR).content.decode()
    assert fields(section)["content"] == "New."


def test_the_bar_keeps_silent_of_a_document_that_was_only_begun(owner: Client, note: Document) -> None:
    assert "undo-bar" not in owner.get(f"/documents/{note.id}/last-change/").content.decode()


def test_a_removal_undone_from_the_bar_reads_the_page_anew(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    (gone,) = sections.remove(section, By.person(people.owner))
    assert "You removed" in owner.get(f"/documents/{note.id}/last-change/").content.decode()
    assert (
        owner.post(f"/groups/{gone.group}/undo/", headers=BAR).headers["HX-Trigger-After-Settle"].count("reshaped") == 1
    )
    assert documents.sections_of(note) == [section]


def test_a_refusal_from_the_bar_is_told_at_the_top(owner: Client, people: People, section: Section) -> None:
    change = edit(section, people.owner, content="One.")
    edit(section, people.teammate, content="Two.")
    answer = owner.post(f"/groups/{change.group}/undo/", headers=BAR)
    assert answer.headers["HX-Retarget"] == "#told"


# --- proposals


def test_open_proposals_come_first_and_decided_ones_are_kept(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    sections.lock(section, By.person(people.owner))
    machine = By(AuthorKind.RECIPE, people.owner, new_id(), "section-1")

    def propose(**values: Any) -> UUID:
        current = Section.whole().get(id=section.id)
        written = history.write_as_recipe(current, values, machine, read_version=0, group=new_id())
        assert written.proposal
        return written.proposal.id

    one, two = propose(content="Because of laws."), propose(title="What")
    told = page(owner, note)
    assert "<del>rules</del><ins>laws</ins>" in told
    assert f"/proposals/{one}/accept/" in told
    assert f"/proposals/{one}/accept/" not in page(people.client(people.viewer), note)
    owner.post(f"/proposals/{one}/accept/", {"back": "history"})
    owner.post(f"/proposals/{two}/reject/", {"back": "history"})
    assert "proposals/" not in page(owner, note)
    kept = page(owner, note, "?proposals=all")
    assert "Accepted, owner" in kept
    assert "Rejected, owner" in kept
    assert "A proposal accepted" in page(owner, note)


# --- others hear of it


def test_every_writing_of_the_history_rings_on_the_document_with_its_version(
    owner: Client, people: People, note: Document, section: Section
) -> None:
    heard: list[dict[str, Any]] = []

    def rung() -> list[tuple[str, str, int]]:
        told = [
            (each["kind"], each["id"], each["version"]) for each in heard if f"document.{note.id}" in each["topics"]
        ]
        heard.clear()
        return told

    ring, bell.ring = bell.ring, lambda group, **body: heard.append(body) if group == CHANGED else None  # type: ignore[method-assign]
    try:
        owner.post(f"/sections/{section.id}/edit/", {"version": 1, "content": "New."})
        assert rung() == [("section", str(section.id), 2)]
        owner.post(f"/changes/{Change.objects.latest('id').id}/undo/")
        assert rung() == [("section", str(section.id), 3)]
        owner.post(f"/snapshots/{Snapshot.objects.latest('id').id}/restore/")
        assert rung() == [("section", str(section.id), 4)]
        owner.post(f"/documents/{note.id}/edit/", {"version": 1, "title": "More loops"})
        assert rung() == [("document", str(note.id), 2)]
        owner.post(f"/sections/{section.id}/remove/")
        assert rung() == [("section", str(section.id), 5)]
    finally:
        bell.ring = ring  # type: ignore[method-assign]
