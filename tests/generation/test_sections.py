"""Sections over REST: added, changed, moved, removed, locked, written again; always within their own document."""

from dataclasses import replace
from typing import Any

import pytest

from generation import documents, runs, sections
from generation.models import Document, Run, Section, Step, StepState
from generation.orders import Order
from generation.recipes.base import Action, Options
from generation.registry import RECIPES, recipe_of
from memory.history import By
from tests.people import People
from tests.rest import Rest, told

NOWHERE = "01920000-0000-7000-8000-000000000000"


@pytest.fixture
def people(people_committed: People) -> People:
    return people_committed


def add(rest: Rest, document: Document, title: str = "", **body: Any) -> Any:
    fields = {"title": title} if title else {}
    answer = rest.post(f"documents/{document.id}/sections", {"type": "section", "fields": fields, **body})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def order(rest: Rest, document: Document) -> list[str]:
    return [section["fields"]["title"] for section in rest.get(f"documents/{document.id}").json()["sections"]]


def test_sections_are_added_in_their_places(owner: Rest, people: People, note: Document) -> None:
    one = add(owner, note, "one")
    three = add(owner, note, "three", after=one["id"])
    add(Rest(people.teammate), note, "two", after=one["id"])
    add(owner, note, "zero")
    assert order(owner, note) == ["zero", "one", "two", "three"]
    assert Rest(people.viewer).get(f"sections/{three['id']}").json() == three
    assert (three["state"], three["status"], three["version"], three["locked"]) == ("missing", "draft", 1, False)


def test_a_tree_holds_what_its_kind_allows(owner: Rest, course: Document) -> None:
    chapter = add(owner, course, type="chapter")["id"]
    lesson = add(owner, course, type="lesson", parent=chapter)["id"]
    add(owner, course, type="part", parent=lesson)
    for wrong, parent in (("part", chapter), ("part", None), ("chapter", lesson), ("lesson", None)):
        answer = owner.post(f"documents/{course.id}/sections", {"type": wrong, "parent": parent})
        assert told(answer) == (422, "validation.place")
    assert told(owner.patch(f"sections/{chapter}", {"parent": lesson})) == (422, "validation.place")
    assert told(owner.patch(f"sections/{lesson}", {"parent": lesson})) == (422, "validation.place")


def test_text_and_place_are_changed_together_and_undone_together(owner: Rest, note: Document) -> None:
    one = add(owner, note, "one")
    two = add(owner, note, "two", after=one["id"])
    body = {"fields": {"title": "first"}, "after": None, "expected_version": 1}
    changed = owner.patch(f"sections/{two['id']}", body).json()
    assert changed["objects"] == [{"type": "section", "id": two["id"], "version": 2}]
    assert order(owner, note) == ["first", "one"]
    owner.post(f"groups/{changed['group']}/undo")
    assert order(owner, note) == ["one", "two"]


def test_after_a_section_means_where_that_one_stands(owner: Rest, course: Document) -> None:
    first, second = (add(owner, course, type="chapter")["id"] for _ in range(2))
    lesson = add(owner, course, type="lesson", parent=second)["id"]
    block = add(owner, course, type="evaluation", parent=first)["id"]
    assert owner.patch(f"sections/{block}", {"after": lesson}).status_code == 200
    assert owner.get(f"sections/{block}").json()["parent"] == second
    assert owner.patch(f"sections/{block}", {"after": None}).status_code == 200
    assert owner.get(f"sections/{block}").json()["parent"] == second
    answer = owner.patch(f"sections/{block}", {"after": lesson, "parent": first})
    assert told(answer) == (422, "validation.place_after")
    assert owner.patch(f"sections/{block}", {"parent": first}).status_code == 200
    assert owner.get(f"sections/{block}").json()["parent"] == first


def test_a_section_of_another_document_is_no_place(owner: Rest, people: People, note: Document) -> None:
    other = documents.create("note", "Other", {}, user=people.owner, workspace=people.workspace)
    there, here = add(owner, other)["id"], add(owner, note)["id"]
    for where in ({"after": there}, {"parent": there}, {"after": NOWHERE}, {"parent": NOWHERE}):
        assert told(owner.patch(f"sections/{here}", where)) == (404, "not_found.section")
        answer = owner.post(f"documents/{note.id}/sections", {"type": "section", **where})
        assert told(answer) == (404, "not_found.section")
    assert Section.objects.get(id=here).version == 1


def test_a_conflict_shows_what_was_changed_since_and_the_rest_may_be_written(
    owner: Rest, people: People, note: Document
) -> None:
    section = add(owner, note, "one")["id"]
    Rest(people.teammate).patch(f"sections/{section}", {"fields": {"content": "Theirs."}})
    answer = owner.patch(f"sections/{section}", {"fields": {"content": "Mine."}, "expected_version": 1})
    assert told(answer) == (409, "conflict.changed_since")
    (change,) = answer.json()["details"]["changes"]
    assert (change["path"], change["before"], change["now"], change["user"]) == (
        "content",
        None,
        "Theirs.",
        "teammate",
    )
    assert owner.patch(f"sections/{section}", {"fields": {"title": "x"}, "expected_version": 1}).status_code == 200


def test_items_of_a_list_are_changed_by_their_id(owner: Rest, course: Document) -> None:
    chapter = add(owner, course, type="chapter")["id"]
    block = add(owner, course, type="evaluation", parent=chapter)["id"]
    path = f"sections/{block}"
    owner.patch(path, {"fields": {"questions": [{"text": "One?"}, {"text": "Two?"}]}})
    first, second = owner.get(path).json()["fields"]["questions"]
    owner.patch(path, {"fields": {f"questions/{first['id']}/text": "Un ?", f"questions/{second['id']}": None}})
    assert owner.get(path).json()["fields"]["questions"] == [{"id": first["id"], "text": "Un ?"}]
    assert told(owner.patch(path, {"fields": {"questions/a\x00b": {"text": "?"}}})) == (422, "validation.path")
    owner.patch(path, {"fields": {"questions/ab": {"text": "Three\x00?"}}})
    assert owner.get(path).json()["fields"]["questions"][1] == {"id": "ab", "text": "Three?"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"content": 5}, "validation.fields"),
        ({"content": {"a": 1}}, "validation.fields"),
        ({"content/a": "x"}, "validation.path"),
        ({"content//": "x"}, "validation.path"),
        ({"__class__": "x"}, "validation.fields"),
        ({"parent": None}, "validation.path"),
        ({"rank": "0"}, "validation.path"),
        ({"present": False}, "validation.path"),
        ({"locked": True}, "validation.path"),
        ({"fallback": None}, "validation.path"),
        ({"fallback/error_code": "x"}, "validation.path"),
        ({"status": "missing"}, "validation.choice"),
        ({"content": "x" * 200_001}, "validation.fields"),
        ({f"f{n}": n for n in range(400)}, "validation.fields"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(owner: Rest, note: Document, fields: Any, code: str) -> None:
    section = add(owner, note, "one")["id"]
    assert told(owner.patch(f"sections/{section}", {"fields": fields})) == (422, code)
    assert Section.objects.get().version == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"type": "opera"}, "validation.section_type"),
        ({"type": "__class__"}, "validation.section_type"),
        ({}, "validation.request"),
        ({"type": "section", "fields": {"rank": "0"}}, "validation.path"),
        ({"type": "section", "fields": {"parent": "x"}}, "validation.path"),
        ({"type": "section", "fields": {"fallback": {}}}, "validation.path"),
        ({"type": "section", "fields": {"colour": "red"}}, "validation.fields"),
        ({"type": "section", "after": "x"}, "validation.request"),
    ],
)
def test_what_cannot_be_added_is_refused(owner: Rest, note: Document, body: Any, code: str) -> None:
    assert told(owner.post(f"documents/{note.id}/sections", body)) == (422, code)
    assert not Section.objects.exists()


def test_removed_with_all_that_is_in_it_and_brought_back(owner: Rest, course: Document) -> None:
    chapter = add(owner, course, type="chapter")["id"]
    add(owner, course, type="lesson", parent=chapter)
    gone = owner.delete(f"sections/{chapter}").json()
    assert owner.get(f"documents/{course.id}").json()["sections"] == []
    assert owner.get(f"sections/{chapter}").json()["is_removed"] is True
    assert owner.delete(f"sections/{chapter}").json()["changes"] == []
    owner.post(f"groups/{gone['group']}/undo")
    assert len(owner.get(f"documents/{course.id}").json()["sections"][0]["sections"]) == 1


def test_locked_unlocked_and_approved(owner: Rest, people: People, note: Document) -> None:
    section = add(owner, note, content="x")["id"]
    owner.post(f"sections/{section}/lock")
    assert owner.get(f"sections/{section}").json()["locked"] is True
    Rest(people.teammate).post(f"sections/{section}/unlock")
    owner.patch(f"sections/{section}", {"fields": {"content": "x"}})
    owner.post(f"sections/{section}/approve")
    seen = owner.get(f"sections/{section}").json()
    assert (seen["locked"], seen["status"], seen["state"]) == (False, "approved", "approved")


def test_a_stranger_finds_no_section_and_a_viewer_changes_none(owner: Rest, people: People, note: Document) -> None:
    section = add(owner, note, "one")["id"]
    path = f"sections/{section}"
    for user, expected in ((people.stranger, (404, "not_found.section")), (people.viewer, (403, "permission.role"))):
        rest = Rest(user)
        for answer in (
            rest.patch(path, {"fields": {"title": "x"}}),
            rest.patch(path, {"after": None}),
            rest.delete(path),
            *(rest.post(f"{path}/{verb}") for verb in ("lock", "unlock", "approve", "retry")),
        ):
            assert told(answer) == expected
    assert told(Rest(people.stranger).get(path)) == (404, "not_found.section")
    theirs = Rest(people.stranger).post(f"documents/{note.id}/sections", {"type": "section"})
    assert told(theirs) == (404, "not_found.document")
    assert Section.objects.get().version == 1


# --- written again, acted upon


@pytest.fixture
def written(people: People, note: Document) -> Section:
    """A section that an ended run has written, in two steps."""
    order = Order("Loops.")
    run, _ = runs.start(recipe_of("note"), order, user=people.owner, workspace=people.workspace, document=note)
    runs.cancel(run, people.owner)
    section = sections.add(note, "section", {"content": "x"}, By.person(people.owner))
    for key in (section.key, f"{section.key}/diagram", "outline"):
        Step.objects.create(run=run, key=key, state=StepState.DONE, label={"code": "section"})
    return section


def test_a_section_is_written_again_once_for_each_key(people: People, written: Section) -> None:
    teammate, path = Rest(people.teammate), f"sections/{written.id}/retry"
    first, second = (teammate.post(path, {"steps": [written.key]}, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, first.json()["document"]) == (202, str(written.document_id))
    assert first.json()["id"] == second.json()["id"]
    assert {step["key"] for step in first.json()["steps"]} == {"outline"}  # what lies in it is made again, too
    assert teammate.get(f"sections/{written.id}").json()["state"] == "queued"
    assert told(teammate.post(path, {"steps": [f"{written.key}/diagram"]})) == (409, "run.still_open")


@pytest.mark.parametrize("body", [{"steps": ["outline"]}, {"steps": ["nothing"]}])
def test_only_steps_of_the_section_are_made_again(owner: Rest, written: Section, body: Any) -> None:
    assert told(owner.post(f"sections/{written.id}/retry", body)) == (404, "not_found.step")
    assert told(owner.post(f"sections/{written.id}/retry", {"steps": 5})) == (422, "validation.request")


def test_what_no_run_has_written_is_not_written_again(owner: Rest, note: Document) -> None:
    section = add(owner, note, "by hand")["id"]
    assert told(owner.post(f"sections/{section}/retry")) == (409, "run.never_written")


class Polish(Options):
    tone: str = "plain"


@pytest.fixture
def polish(monkeypatch: pytest.MonkeyPatch) -> str:
    """An action of notes, for these tests."""
    action = Action("polish", recipe_of("note").job, Polish)
    monkeypatch.setitem(RECIPES, "note", replace(RECIPES["note"], actions=(action,)))
    return action.name


def test_an_action_is_a_run_on_the_document(owner: Rest, people: People, note: Document, polish: str) -> None:
    path = f"documents/{note.id}/actions/{polish}"
    answer = Rest(people.teammate).post(path, {"options": {"tone": "warm"}}, **{"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["document"]) == (202, str(note.id))
    run = Run.objects.get()
    assert (run.action, run.options) == ("polish", {"tone": "warm"})
    seen = owner.get(f"documents/{note.id}").json()
    assert (seen["state"], seen["run"]) == ("queued", str(run.id))
    other = Rest(people.teammate).post(path, {"options": {"tone": "cold"}}, **{"Idempotency-Key": "k"})
    assert told(other) == (409, "conflict.key_reused")


def test_what_cannot_be_done_is_refused_and_starts_nothing(
    owner: Rest, people: People, note: Document, polish: str
) -> None:
    actions = f"documents/{note.id}/actions"
    assert told(owner.post(f"{actions}/{polish}", {"options": {"colour": 1}})) == (422, "validation.options")
    assert told(owner.post(f"{actions}/{polish}", {"options": []})) == (422, "validation.request")
    assert told(owner.post(f"{actions}/__class__")) == (404, "not_found.action")
    assert told(Rest(people.viewer).post(f"{actions}/__class__")) == (403, "permission.role")
    assert told(Rest(people.viewer).post(f"{actions}/{polish}")) == (403, "permission.role")
    assert told(Rest(people.stranger).post(f"{actions}/{polish}")) == (404, "not_found.document")
    assert not Run.objects.exists()
