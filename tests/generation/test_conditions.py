"""What a document and its sections show instead of a status: what is going on, and what is missing."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation import documents, runs, sections
from generation.kinds import KINDS
from generation.models import Claim, Document, Run, RunState, Section, Step, StepState
from generation.orders import Order
from generation.registry import recipe_of
from generation.scribe import Scribe
from memory import bases
from memory.history import By
from tests.people import People
from tests.rest import Rest

ERROR = {"error_code": "model.idle", "params": {}, "permanent": False}


@pytest.fixture
def people(people_committed: People) -> People:
    return people_committed


@pytest.fixture
def run(people: People) -> Run:
    """A run that is queued, and its document without a section yet."""
    return runs.start(recipe_of("note"), Order("Loops."), user=people.owner, workspace=people.workspace)[0]


def plan(run: Run, *keys: str, **columns: Any) -> list[Section]:
    assert run.document
    return [Section.objects.create(document=run.document, type="section", key=key, rank=key, **columns) for key in keys]


def step(run: Run, key: str, state: StepState) -> None:
    Step.objects.create(run=run, key=key, state=state)


def set_state(run: Run, state: RunState, reason: str = "") -> None:
    Claim.objects.filter(run=run).update(state=state, reason=reason)


class Seen:
    """The document as a viewer sees it; a list says the same of it as its page."""

    def __init__(self, people: People, document: Document | None) -> None:
        assert document
        rest = Rest(people.viewer)
        self.page = rest.get(f"documents/{document.id}").json()
        (self.line,) = [one for one in rest.get("documents").json()["items"] if one["id"] == str(document.id)]
        found = rest.get("documents", state=self.page["state"]).json()["items"]
        assert self.line["state"] == self.page["state"]
        assert str(document.id) in [one["id"] for one in found]
        self.state = self.page["state"]
        self.sections = [section["state"] for section in self.page["sections"]]


def test_a_document_follows_its_open_run(people: People, run: Run) -> None:
    assert Seen(people, run.document).state == "queued"
    set_state(run, RunState.RUNNING)
    Run.objects.filter(id=run.id).update(progress=40, label={"code": "section", "title": "Why"})
    seen = Seen(people, run.document)
    assert (seen.state, seen.line["progress"], seen.line["label"]["title"]) == ("generating", 40, "Why")
    assert (seen.page["progress"], seen.page["run"]) == (40, str(run.id))
    set_state(run, RunState.WAITING, "children")
    assert Seen(people, run.document).state == "generating"
    set_state(run, RunState.WAITING, "person")
    assert Seen(people, run.document).state == "waiting"
    set_state(run, RunState.DONE)
    seen = Seen(people, run.document)
    assert (seen.state, seen.line["progress"], seen.line["label"]) == ("draft", None, None)


def test_sections_follow_their_steps(people: People, run: Run) -> None:
    plan(run, "a", "b", "c", "d")
    Section.objects.filter(key="a").update(fields={"content": "x"}, status="ready")
    set_state(run, RunState.RUNNING)
    step(run, "a", StepState.DONE)
    step(run, "b", StepState.RUNNING)
    step(run, "c/diagram", StepState.RUNNING)
    assert Seen(people, run.document).sections == ["ready", "generating", "generating", "queued"]


@pytest.mark.parametrize("end", [RunState.PARTIAL, RunState.FAILED, RunState.CANCELLED])
def test_what_ended_short_is_partial_and_its_gaps_are_told_apart(people: People, run: Run, end: RunState) -> None:
    plan(run, "a", fields={"content": "x"}, status="ready")
    plan(run, "b", fields={"content": "Stand-in."}, fallback=ERROR)
    plan(run, "c", "d")
    step(run, "c", StepState.FAILED)
    set_state(run, end)
    seen = Seen(people, run.document)
    assert (seen.state, seen.sections) == ("partial", ["ready", "fallback", "failed", "missing"])


def test_a_stand_in_makes_a_document_partial_whatever_its_last_run(people: People, run: Run) -> None:
    plan(run, "a", fields={"content": "Stand-in."}, fallback=ERROR)
    set_state(run, RunState.DONE)
    assert Seen(people, run.document).state == "partial"
    section = Section.whole().get()
    sections.edit(section, {"content": "By hand."}, By.person(people.owner))
    assert Seen(people, run.document).state == "draft"


def test_gaps_that_people_filled_or_took_out_are_none(people: People, run: Run) -> None:
    _, failed, removed = plan(run, "a", "b", "c", fields={"title": "x"})
    Section.objects.filter(key="a").update(fields={"content": "x"})
    step(run, "b", StepState.FAILED)
    set_state(run, RunState.PARTIAL)
    assert Seen(people, run.document).state == "partial"
    sections.edit(Section.whole().get(id=failed.id), {"content": "By hand."}, By.person(people.owner))
    sections.remove(Section.whole().get(id=removed.id), By.person(people.owner))
    seen = Seen(people, run.document)
    assert (seen.state, seen.sections) == ("draft", ["draft", "draft"])


def test_what_lies_in_a_removed_section_does_not_count(people: People) -> None:
    course = documents.create("course", "Loops", {}, user=people.owner, workspace=people.workspace)
    by = By.person(people.owner)
    chapter = sections.add(course, "chapter", {}, by)
    lesson = sections.add(course, "lesson", {}, by, parent=chapter)
    part = sections.add(course, "part", {"content": "x"}, by, parent=lesson)
    Section.objects.filter(id=part.id).update(fallback=ERROR)
    assert Seen(people, course).state == "partial"
    sections.remove(chapter, by)
    assert Seen(people, course).state == "draft"


def planned_course(people: People, *types: str, is_written: bool = False) -> tuple[Run, dict[str, Section]]:
    """A course as a run plans it: one chapter with its places, of which the lesson may be written."""
    run, _ = runs.start(recipe_of("course"), Order("Loops."), user=people.owner, workspace=people.workspace)
    scribe = Scribe(run, "outline", {})
    chapter = scribe.plan_section("c", "chapter", {"title": "For"})
    places = {name: scribe.plan_section(f"c/{name}", name, {}, chapter) for name in types or ("lesson", "exercises")}
    if is_written:
        scribe.write_section("c/lesson/part-1", {"content": "x"}, "part", places["lesson"])
    return run, {"chapter": chapter, **places}


def places_of(seen: Seen) -> list[str]:
    return [place["state"] for place in seen.page["sections"][0]["sections"]]


@pytest.mark.parametrize("end", [RunState.PARTIAL, RunState.FAILED, RunState.CANCELLED])
def test_a_place_in_which_nothing_was_written_is_a_gap(people: People, end: RunState) -> None:
    run, there = planned_course(people, is_written=True)
    assert places_of(Seen(people, run.document)) == ["draft", "queued"]
    set_state(run, end)
    seen = Seen(people, run.document)
    assert (seen.state, places_of(seen)) == ("partial", ["draft", "missing"])
    step(run, "c/exercises", StepState.FAILED)
    assert places_of(Seen(people, run.document)) == ["draft", "failed"]
    assert Rest(people.viewer).get(f"sections/{there['exercises'].id}").json()["state"] == "failed"
    rest = Rest(people.owner)
    body = {"type": "exercise_block", "parent": str(there["exercises"].id), "fields": {"questions": [{"text": "Why?"}]}}
    block = rest.post(f"documents/{run.document_id}/sections", body).json()["id"]
    seen = Seen(people, run.document)
    assert (seen.state, places_of(seen)) == ("draft", ["draft", "draft"])
    rest.delete(f"sections/{block}")
    assert Seen(people, run.document).state == "partial"
    rest.delete(f"sections/{there['exercises'].id}")
    assert Seen(people, run.document).state == "draft"


@pytest.mark.parametrize(("end", "state"), [(RunState.CANCELLED, "partial"), (RunState.FAILED, "failed")])
def test_a_course_of_empty_places_is_not_a_mere_draft(people: People, end: RunState, state: str) -> None:
    run, _ = planned_course(people)
    set_state(run, end)
    seen = Seen(people, run.document)
    assert (seen.state, places_of(seen)) == (state, ["missing", "missing"])
    assert run.document
    documents.edit(run.document, {"status": "archived"}, By.person(people.owner))
    assert Seen(people, run.document).state == "archived"


def test_a_course_without_places_that_it_did_not_want_lacks_nothing(people: People) -> None:
    run, _ = planned_course(people, "lesson", is_written=True)
    for end in (RunState.CANCELLED, RunState.FAILED, RunState.DONE):
        set_state(run, end)
        seen = Seen(people, run.document)
        assert (seen.state, places_of(seen)) == ("draft", ["draft"])


def test_a_place_that_a_person_made_lacks_nothing(people: People) -> None:
    run, there = planned_course(people, "lesson", is_written=True)
    set_state(run, RunState.CANCELLED)
    assert run.document
    sections.add(run.document, "exercises", {}, By.person(people.owner), parent=there["chapter"])
    seen = Seen(people, run.document)
    assert (seen.state, sorted(places_of(seen))) == ("draft", ["draft", "draft"])


def test_a_run_that_left_nothing_has_failed(people: People, run: Run) -> None:
    set_state(run, RunState.FAILED)
    assert Seen(people, run.document).state == "failed"
    assert run.document
    documents.edit(run.document, {"status": "archived"}, By.person(people.owner))
    assert Seen(people, run.document).state == "archived"


def test_a_section_that_is_to_be_made_again_is_queued(people: People, run: Run) -> None:
    plan(run, "a", "b", fields={"content": "x"}, status="ready")
    plan(run, "c")
    for key, state in (("a", StepState.DONE), ("b", StepState.DONE), ("c", StepState.FAILED)):
        step(run, key, state)
    set_state(run, RunState.PARTIAL)
    again, _ = runs.retry(run, people.owner, ["b"])
    seen = Seen(people, run.document)
    assert (seen.state, seen.sections) == ("queued", ["ready", "queued", "queued"])
    assert seen.page["run"] == str(again.id)


def test_a_document_nobody_runs_is_as_people_left_it(people: People) -> None:
    note = documents.create("note", "Loops", {}, user=people.owner, workspace=people.workspace)
    sections.add(note, "section", {"title": "Empty"}, By.person(people.owner))
    seen = Seen(people, note)
    assert (seen.state, seen.sections) == ("draft", ["missing"])
    assert Rest(people.stranger).get("documents", state="draft").json()["items"] == []


def test_what_was_built_on_something_that_changed_is_stale(people: People) -> None:
    source, note = (
        documents.create("note", title, {}, user=people.owner, workspace=people.workspace)
        for title in ("Source", "Loops")
    )
    by = By.person(people.owner)
    first, second = (sections.add(note, "section", {"content": "x"}, by) for _ in range(2))
    bases.rest(first, [(source, "title", source.title)])
    assert Seen(people, note).state == "draft"
    documents.edit(source, {"title": "Changed"}, By.person(people.owner))
    page = Rest(people.viewer).get(f"documents/{note.id}").json()
    assert (page["state"], [one["state"] for one in page["sections"]]) == ("stale", ["draft", "stale"])
    assert Rest(people.viewer).get(f"sections/{first.id}").json()["state"] == "stale"
    assert [one["state"] for one in Rest(people.viewer).get("documents").json()["items"]] == ["stale", "draft"]
    sections.remove(first, by)
    assert Seen(people, note).state == "draft"


def test_what_is_short_of_its_text_is_not_called_stale(people: People, run: Run) -> None:
    plan(run, "a", fields={"content": "x"}, status="ready")
    plan(run, "b")
    set_state(run, RunState.PARTIAL)
    source = documents.create("note", "Source", {}, user=people.owner, workspace=people.workspace)
    bases.rest(Section.whole().get(key="a"), [(source, "title", "Another")])
    assert Seen(people, run.document).state == "partial"


def test_a_list_can_be_asked_for_what_is_stale(people: People) -> None:
    """Stale as soon as its source changes, or when it had changed before; fresh again when that is undone."""
    rest = Rest(people.owner)
    source, early, late, _ = (
        documents.create("note", title, {}, user=people.owner, workspace=people.workspace)
        for title in ("Source", "Early", "Late", "Other")
    )
    stale_source = Document.whole().get(id=source.id)
    bases.rest(early, [(source, "title", "Source")])
    changed = rest.patch(f"documents/{source.id}", {"fields": {"title": "Changed"}}).json()
    bases.rest(late, [(stale_source, "title", "Source")])

    def listed(**which: Any) -> list[str]:
        return [each["title"] for each in rest.get("documents", **which).json()["items"]]

    assert listed(state="stale") == ["Late", "Early"]
    assert listed(state="draft,stale") == ["Other", "Late", "Early", "Changed"]
    assert listed(state="draft") == ["Other", "Changed"]
    rest.post(f"groups/{changed['group']}/undo")
    assert listed(state="stale") == []
    for _ in range(20):
        note = documents.create("note", "More", {}, user=people.owner, workspace=people.workspace)
        bases.rest(note, [(source, "title", "Else")])
    with CaptureQueriesContext(connection) as seen:
        assert len(listed(state="stale")) == 20
    assert len(seen) <= 8


def levels(kind: str, type: str) -> int:
    within = KINDS[kind].sections[type].within
    return 1 + max((levels(kind, holder) for holder in within), default=0)


def test_no_kind_is_deeper_than_what_is_looked_through() -> None:
    assert max(levels(kind, name) for kind in KINDS for name in KINDS[kind].sections) <= 3


def test_every_body_is_a_field_of_its_type() -> None:
    types = [section for kind in KINDS.values() for section in kind.sections.values()]
    assert [one for one in types if one.body and one.body not in one.fields.model_fields] == []
