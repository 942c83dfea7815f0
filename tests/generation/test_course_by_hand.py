"""A course under people's hands: what is the machine's alone, what follows a change, and what its exports say of it."""

from typing import Any

import pytest
from django.db import transaction

from generation import runs
from generation.manuscripts import Block, Figure, Notice
from generation.models import Document, Drawing, Run, Section
from generation.orders import Order
from generation.recipes.course import manuscript
from generation.recipes.course.answers import PlannedChapter
from generation.recipes.course.chapters import Course
from generation.recipes.course.recipe import Added, set_up_added
from generation.registry import recipe_of
from generation.scribe import Scribe
from generation.words import words
from memory import history
from memory.base.errors import LimitReached
from memory.history import By
from memory.models import AuthorKind, Workspace
from tests.people import People
from tests.rest import Rest, told

ERROR = {"error_code": "model.idle", "params": {}, "permanent": False}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
QUESTIONS = [{"text": "Why?", "expected": "Because."}]


@pytest.fixture
def people(people_committed: People) -> People:
    return people_committed


@pytest.fixture
def run(people: People) -> Run:
    return runs.start(recipe_of("course"), Order("Loops."), user=people.owner, workspace=people.workspace)[0]


def written(run: Run, fallback: dict[str, Any] | None = None) -> dict[str, Section]:
    """One chapter with something in each of its places, by type, as a run writes it or its stand-ins."""
    plan, scribe = Scribe(run, "outline", {}), Scribe(run, "c", {}, fallback)
    chapter = plan.plan_section("c", "chapter", {"title": "For"})
    lesson = scribe.write_section("c/lesson", {}, "lesson", chapter)
    exercises = scribe.write_section("c/exercises", {}, "exercises", chapter)
    drawn = {"diagram_type": "mermaid", "diagram_code": "a --> b", "diagram": "d" * 64}
    made = [
        lesson,
        exercises,
        scribe.write_section("c/lesson/part-1", {"title": "Why", "content": "x", **drawn}, "part", lesson),
        scribe.write_section("c/exercises/block-1", {"questions": QUESTIONS}, "exercise_block", exercises),
        scribe.write_section("c/evaluation", {"questions": QUESTIONS}, "evaluation", chapter),
    ]
    return {section.type: section for section in made}


def draw(workspace: Workspace, digest: str = "d" * 64) -> None:
    Drawing.objects.create(digest=digest, workspace=workspace, type="mermaid", code="a --> b", svg=SVG)


def blocks(run: Run) -> tuple[Block, ...]:
    return manuscript.of(Document.whole().get(id=run.document_id)).blocks


def notices(run: Run) -> list[str]:
    return [block.text for block in blocks(run) if isinstance(block, Notice)]


def figure(run: Run) -> Figure:
    (one,) = (block for block in blocks(run) if isinstance(block, Figure))
    return one


def exported(rest: Rest, run: Run) -> str:
    answer = rest.get(f"documents/{run.document_id}/export", format="md")
    assert answer.status_code == 200
    return str(answer.content.decode())


# --- labels


def test_each_stand_in_is_labelled_in_exports(owner: Rest, run: Run) -> None:
    written(run, ERROR)
    assert notices(run) == [words("fallback", "en")] * 5
    Section.objects.exclude(type="part").update(fallback=None)
    assert notices(run) == [words("fallback", "en")]
    assert exported(owner, run).count("Fallback: this could not be written") == 1


def test_a_stand_in_without_a_text_is_a_gap(run: Run) -> None:
    written(run, ERROR)
    Section.objects.exclude(type="chapter").update(fields={})
    assert notices(run) == [words("fallback", "en"), "Not written."] + [words("fallback", "en")] + ["Not written."] * 2


@pytest.mark.parametrize(("language", "said"), [("en", "Not written."), ("fr", "Non écrit.")])
def test_an_empty_place_says_so_in_exports(owner: Rest, run: Run, language: str, said: str) -> None:
    """Whether its label was taken off, or it never had one."""
    there = written(run)
    Document.objects.update(language=language)
    Section.objects.filter(type="exercise_block").update(present=False)
    Section.objects.filter(id=there["evaluation"].id).update(fields={})
    text = exported(owner, run)
    assert text.count(said) == 2
    for place in ("exercises", "evaluation"):
        assert f"{words(place, language)}\n\n> ⚠ **{said}**" in text


def test_what_is_written_bears_no_label(run: Run) -> None:
    written(run)
    assert notices(run) == []


# --- drawings


def test_only_a_drawing_of_the_same_workspace_shows(owner: Rest, run: Run, people: People) -> None:
    written(run)
    draw(people.stranger.workspaces.get())
    assert figure(run).svg is None
    Drawing.objects.update(workspace=people.workspace)
    assert figure(run).svg == SVG


@pytest.mark.parametrize(
    "fields", [{"diagram": "e" * 64}, {"diagram_error": ERROR}, {"diagram_error/x": 1}, {"diagram": None}]
)
def test_what_is_drawn_is_not_written_by_hand(owner: Rest, run: Run, fields: dict[str, Any]) -> None:
    there = written(run)
    assert told(owner.patch(f"sections/{there['part'].id}", {"fields": fields})) == (422, "validation.path")
    body = {"type": "part", "parent": str(there["lesson"].id), "fields": fields}
    assert told(owner.post(f"documents/{run.document_id}/sections", body)) == (422, "validation.path")


@pytest.mark.parametrize("fields", [{"diagram_code": "b --> a"}, {"diagram_type": "graphviz"}, {"diagram_code": None}])
def test_other_code_has_no_drawing_until_it_is_drawn(
    owner: Rest, run: Run, people: People, fields: dict[str, Any]
) -> None:
    part = written(run)["part"]
    draw(people.workspace)
    Scribe(run, "c", {}).write_fields(part.key, {"diagram_error": ERROR})
    path = f"sections/{part.id}"
    changed = owner.patch(path, {"fields": fields}).json()
    assert not {"diagram", "diagram_error"} & owner.get(path).json()["fields"].keys()
    assert figure(run).svg is None
    owner.post(f"groups/{changed['group']}/undo")
    assert owner.get(path).json()["fields"]["diagram"] == "d" * 64
    assert figure(run).svg == SVG


def test_the_same_code_keeps_its_drawing(owner: Rest, run: Run, people: People) -> None:
    part = written(run)["part"]
    draw(people.workspace)
    owner.patch(f"sections/{part.id}", {"fields": {"diagram_code": "a --> b", "content": "By hand."}})
    assert figure(run).svg == SVG
    Scribe(run, "c", {}).write_fields(part.key, {"diagram_code": "c", "diagram": "d" * 64})
    assert Section.objects.get(id=part.id).fields["diagram"] == "d" * 64


# --- limits


def test_a_course_has_sixteen_chapters(owner: Rest, run: Run) -> None:
    path = f"documents/{run.document_id}/sections"
    added = [owner.post(path, {"type": "chapter"}) for _ in range(17)]
    assert [answer.status_code for answer in added] == [201] * 16 + [422]
    assert told(added[16]) == (422, "validation.sections_too_many")
    assert added[16].json()["details"] == {"type": "chapter", "limit": 16}
    for _ in range(17):
        body = {"type": "lesson", "parent": added[0].json()["id"]}
        assert owner.post(path, body).status_code == 201
    owner.delete(f"sections/{added[0].json()['id']}")
    assert owner.post(path, {"type": "chapter"}).status_code == 201


@pytest.fixture
def full(owner: Rest, run: Run) -> str:
    """A course of sixteen chapters; the address of one more, that was removed before the last was added."""
    path = f"documents/{run.document_id}/sections"
    removed = owner.post(path, {"type": "chapter"}).json()["id"]
    owner.delete(f"sections/{removed}")
    for _ in range(16):
        assert owner.post(path, {"type": "chapter"}).status_code == 201
    return f"sections/{removed}"


def test_no_seventeenth_chapter_comes_back(owner: Rest, run: Run, full: str) -> None:
    document = f"documents/{run.document_id}"
    one = Section.whole().get(id=full.split("/")[1])
    removal = next(each for each in changes_of(owner, run, one) if each["path"] == "present" and not each["after"])
    (before,) = (
        each for each in owner.get(f"{document}/snapshots").json()["items"] if each["object"]["id"] == str(one.id)
    )
    proposal = history.propose(one, {"present": True}, By(AuthorKind.RECIPE, run.user, run.id, "c"))
    for way in (
        f"changes/{removal['id']}/undo",
        f"groups/{removal['group']}/undo",
        f"snapshots/{before['id']}/restore",
        f"proposals/{proposal.id}/accept",
    ):
        refused = owner.post(way)
        assert told(refused) == (422, "validation.sections_too_many")
        assert refused.json()["details"] == {"type": "chapter", "limit": 16}
    assert Section.whole().get(id=one.id).version == one.version
    assert len(owner.get(document).json()["sections"]) == 16
    assert owner.get(f"{document}/proposals", state="open").json()["items"][0]["id"] == str(proposal.id)
    owner.delete(f"sections/{owner.get(document).json()['sections'][0]['id']}")
    assert owner.post(f"proposals/{proposal.id}/accept").status_code == 200


def changes_of(owner: Rest, run: Run, section: Section) -> list[dict[str, Any]]:
    found = owner.get(f"documents/{run.document_id}/changes", object=str(section.id))
    return list(found.json()["items"])


def test_a_full_course_changes_places_and_texts_as_any_other(owner: Rest, run: Run, full: str) -> None:
    document = f"documents/{run.document_id}"
    first, *_, last = owner.get(document).json()["sections"]
    assert owner.patch(f"sections/{last['id']}", {"fields": {"title": "Last"}}).status_code == 200
    assert owner.patch(f"sections/{last['id']}", {"after": first["id"]}).status_code == 200
    assert owner.post(f"{document}/undo").status_code == 200


def test_a_chapter_planned_for_a_course_that_is_full_by_then_is_refused(run: Run, full: str) -> None:
    course = Course(brief="", title="Loops", chapters=[])
    added = Added(course=course, chapter=PlannedChapter(title="One more", description="x"))
    with pytest.raises(LimitReached, match="limit.chapters"), transaction.atomic():
        set_up_added(added, Scribe(run, "chapter", {}), "chapter-17")


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ([{"text": "This", "is_correct": True}], "too_few_answers"),
        ([{"text": "This"}, {"text": "That"}], "no_right_answer"),
        ([{"text": "This"}, {"text": "That", "is_correct": True}], None),
        ([{"text": "This", "is_correct": True}, {"text": "That", "is_correct": True}], None),
        ([{"text": str(n), "is_correct": True} for n in range(6)], "too_long"),
        ([], None),
        (None, None),
    ],
)
@pytest.mark.parametrize("type", ["exercise_block", "evaluation"])
def test_a_question_with_answers_has_two_and_a_right_one(
    owner: Rest, run: Run, type: str, answers: Any, problem: str | None
) -> None:
    section = written(run)[type]
    answer = owner.patch(f"sections/{section.id}", {"fields": {"questions": [{"text": "Why?", "answers": answers}]}})
    if problem is None:
        assert answer.status_code == 200
    else:
        assert told(answer) == (422, "validation.fields")
        assert [each["problem"] for each in answer.json()["details"]["problems"]] == [problem]


# --- labels of what only holds others


def labelled(run: Run) -> set[str]:
    return {section.type for section in Section.objects.filter(document=run.document_id) if section.fallback}


@pytest.mark.parametrize("content", ["By hand.", "x"])
def test_what_people_write_in_a_stand_in_takes_its_label(owner: Rest, run: Run, content: str) -> None:
    there = written(run, ERROR)
    changed = owner.patch(f"sections/{there['part'].id}", {"fields": {"content": content}}).json()
    assert labelled(run) == {"exercises", "exercise_block", "evaluation"}
    assert {each["id"] for each in changed["objects"]} == {str(there[name].id) for name in ("part", "lesson")}
    assert owner.get(f"sections/{there['lesson'].id}").json()["status"] == "ready"
    owner.post(f"groups/{changed['group']}/undo")
    assert labelled(run) == {"lesson", "part", "exercises", "exercise_block", "evaluation"}
    assert owner.get(f"sections/{there['lesson'].id}").json()["status"] == "draft"


def test_what_people_add_to_a_stand_in_takes_its_label(owner: Rest, run: Run) -> None:
    exercises = written(run, ERROR)["exercises"]
    body = {"type": "exercise_block", "parent": str(exercises.id), "fields": {"questions": QUESTIONS}}
    assert owner.post(f"documents/{run.document_id}/sections", body).status_code == 201
    assert "exercises" not in labelled(run)
    newest = owner.get(f"documents/{run.document_id}/changes").json()["items"][0]
    assert newest["object"]["id"] == str(exercises.id)
    owner.post(f"groups/{newest['group']}/undo")
    assert "exercises" in labelled(run)
    assert Section.objects.filter(parent=exercises, present=True).count() == 1


def test_what_is_no_text_leaves_the_label(owner: Rest, run: Run) -> None:
    part = written(run, ERROR)["part"]
    for answer in (
        owner.post(f"sections/{part.id}/lock"),
        owner.post(f"sections/{part.id}/approve"),
        owner.patch(f"sections/{part.id}", {"after": None}),
        owner.delete(f"sections/{part.id}"),
    ):
        assert answer.status_code == 200
    assert "lesson" in labelled(run)


def write_again(run: Run) -> None:
    """A machine writes over the part that stands in, and one more; both as far as it may."""
    scribe = Scribe(run, "c", {})
    parent = scribe.write_section("c/lesson", {})
    scribe.write_section("c/lesson/part-1", {"content": "Good."}, "part", parent)
    scribe.write_section("c/lesson/part-2", {"content": "More."}, "part", parent)


@pytest.mark.parametrize("key", ["c/lesson/part-1", "c/lesson/part-2"])
def test_a_proposal_let_into_a_stand_in_takes_its_label(owner: Rest, run: Run, key: str) -> None:
    lesson = written(run, ERROR)["lesson"]
    owner.post(f"sections/{lesson.id}/lock")
    write_again(run)
    assert "lesson" in labelled(run)
    part = Section.objects.get(key=key)
    proposed = owner.get(f"documents/{run.document_id}/proposals", state="open").json()["items"]
    ours = next(each["id"] for each in proposed if each["object"]["id"] == str(part.id))
    accepted = owner.post(f"proposals/{ours}/accept").json()
    assert {each["id"] for each in accepted["objects"]} == {str(part.id), str(lesson.id)}
    shown = owner.get(f"sections/{lesson.id}").json()
    assert (shown["fallback"], shown["status"]) == (None, "ready")
    owner.post(f"groups/{accepted['group']}/undo")
    assert owner.get(f"sections/{lesson.id}").json()["fallback"] == ERROR


def other_lesson(run: Run, fallback: dict[str, Any] | None = None) -> tuple[Section, Section]:
    """A lesson elsewhere with one part in it."""
    plan, scribe = Scribe(run, "outline", {}), Scribe(run, "d", {}, fallback)
    chapter = plan.plan_section("d", "chapter", {"title": "While"})
    lesson = scribe.write_section("d/lesson", {}, "lesson", chapter)
    return lesson, scribe.write_section("d/lesson/part-1", {"content": "y"}, "part", lesson)


def test_a_text_moved_into_a_stand_in_takes_its_label(owner: Rest, run: Run) -> None:
    lesson, (_, part) = written(run, ERROR)["lesson"], other_lesson(run)
    moved = owner.patch(f"sections/{part.id}", {"parent": str(lesson.id)}).json()
    assert {each["id"] for each in moved["objects"]} == {str(part.id), str(lesson.id)}
    assert owner.get(f"sections/{lesson.id}").json()["fallback"] is None
    owner.post(f"groups/{moved['group']}/undo")
    assert owner.get(f"sections/{lesson.id}").json()["fallback"] == ERROR


def test_a_stand_in_or_nothing_put_into_a_stand_in_leaves_its_label(owner: Rest, run: Run) -> None:
    lesson, (_, part) = written(run, ERROR)["lesson"], other_lesson(run, ERROR)
    assert owner.patch(f"sections/{part.id}", {"parent": str(lesson.id)}).status_code == 200
    body = {"type": "part", "parent": str(lesson.id), "fields": {"title": "To be written"}}
    assert owner.post(f"documents/{run.document_id}/sections", body).status_code == 201
    assert owner.get(f"sections/{lesson.id}").json()["fallback"] == ERROR


# --- stand-ins


QUESTION = {"questions": QUESTIONS}


@pytest.mark.parametrize(
    ("place", "holds", "made"),
    [
        ("evaluation", None, QUESTION),
        ("lesson", "part", {"content": "By hand."}),
        ("exercises", "exercise_block", QUESTION),
    ],
)
def test_a_stand_in_says_nothing_of_what_people_wrote_there_meanwhile(
    owner: Rest, run: Run, place: str, holds: str | None, made: dict[str, Any]
) -> None:
    """They write in a place that is still planned; then it turns out that no model can."""
    plan = Scribe(run, "outline", {})
    planned = plan.plan_section(f"c/{place}", place, {}, plan.plan_section("c", "chapter", {"title": "For"}))
    if holds:
        body = {"type": holds, "parent": str(planned.id), "fields": made}
        assert owner.post(f"documents/{run.document_id}/sections", body).status_code == 201
    else:
        assert owner.patch(f"sections/{planned.id}", {"fields": made}).status_code == 200
    before = exported(owner, run)
    Scribe(run, "c", {}, ERROR).write_section(
        f"c/{place}", {"questions": None, "multi_answers": None} if not holds else {}
    )
    assert labelled(run) == set()
    assert exported(owner, run) == before


def test_a_stand_in_asks_nobody_to_be_let_into_what_is_locked(owner: Rest, run: Run) -> None:
    plan = Scribe(run, "outline", {})
    lesson = plan.plan_section("c/lesson", "lesson", {}, plan.plan_section("c", "chapter", {"title": "For"}))
    owner.post(f"sections/{lesson.id}/lock")
    for fallback, content, proposed in (
        (ERROR, "It repeats.", []),
        (None, "Good.", [{"content": "Good.", "present": True}]),
    ):
        scribe = Scribe(run, "c/lesson", {}, fallback)
        scribe.write_section("c/lesson/part-1", {"content": content}, "part", scribe.write_section("c/lesson", {}))
        waiting = owner.get(f"documents/{run.document_id}/proposals", state="open").json()["items"]
        assert [each["values"] for each in waiting] == proposed
