"""Pages on which somebody changes a document: forms of its fields, what is done to sections, two who write at once."""

import re
from typing import Any

import pytest
from django.test import Client

from generation import documents, sections
from generation.models import Document, Section
from memory import history
from memory.base.ids import new_id
from memory.history import By
from memory.models import AuthorKind, Change
from tests.people import People

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/documents/x/"}


@pytest.fixture
def people(people_committed: People) -> People:
    return people_committed


@pytest.fixture
def section(note: Document, people: People) -> Section:
    return sections.add(note, "section", {"title": "Why", "content": "Because."}, By.person(people.owner))


@pytest.fixture
def block(people: People) -> Section:
    course = documents.create("course", "Loops", {}, user=people.owner, workspace=people.workspace)
    by = By.person(people.owner)
    chapter = sections.add(course, "chapter", {"title": "One"}, by)
    exercises = sections.add(course, "exercises", {}, by, parent=chapter)
    return sections.add(course, "exercise_block", {"topic": "Loops", "questions": QUESTIONS}, by, parent=exercises)


QUESTIONS = [
    {
        "id": "q1",
        "text": "How often?",
        "answers": [{"id": "a1", "text": "Once"}, {"id": "a2", "text": "Twice", "is_correct": True}],
    },
    {"id": "q2", "text": "Why?", "expected": "Because"},
]
POSTED: dict[str, Any] = {
    "topic": "Loops",
    "questions": ["", "q1", "q2"],
    "questions/q1/text": "How often?",
    "questions/q1/answers": ["", "a1", "a2"],
    "questions/q1/answers/a1/text": "Once",
    "questions/q1/answers/a2/text": "Twice",
    "questions/q1/answers/a2/is_correct": "1",
    "questions/q2/text": "Why?",
    "questions/q2/expected": "Because",
}


def fresh(section: Section) -> Section:
    return Section.whole().get(id=section.id)


def save(client: Client, section: Section, version: int | None = None, **values: Any) -> Any:
    body = {"version": section.version if version is None else version, **values}
    return client.post(f"/sections/{section.id}/edit/", body)


# --- editing


def test_the_form_shows_what_stands_and_saving_writes_it(people: People, section: Section) -> None:
    client = people.client(people.teammate)
    page = client.get(f"/sections/{section.id}/edit/").content.decode()
    assert 'value="Why"' in page
    assert "Because.</textarea>" in page
    answer = save(client, section, title="Why loops", content="So that…\r\n\r\n- one\r\n- two")
    assert answer.headers["Location"] == f"/documents/{section.document_id}/#section-{section.id}"
    assert fresh(section).fields == {"title": "Why loops", "content": "So that…\n\n- one\n- two"}
    assert {change.user for change in Change.objects.filter(object_id=section.id, version=2)} == {people.teammate}


def test_in_place_the_section_comes_back_and_the_page_hears_of_it(people: People, section: Section) -> None:
    client = people.client(people.owner)
    form = client.get(f"/sections/{section.id}/edit/", headers=HTMX).content.decode()
    assert form.lstrip().startswith("<form")
    assert f'id="section-{section.id}"' in form
    answer = client.post(f"/sections/{section.id}/edit/", {"version": 1, "content": "New."}, headers=HTMX)
    told = answer.content.decode()
    assert re.search(f'<section[^>]* id="section-{section.id}"', told)
    assert "<p>New.</p>" in told
    assert f'"id": "{section.id}"' in answer.headers["HX-Trigger-After-Settle"]
    assert '"saved"' in answer.headers["HX-Trigger"]


def test_who_may_not_write_gets_no_form(people: People, section: Section, note: Document) -> None:
    for path in (f"sections/{section.id}/edit/", f"sections/{section.id}/tools/", f"documents/{note.id}/edit/"):
        assert people.client(people.viewer).get(f"/{path}").status_code == 403
        assert people.client(people.stranger).get(f"/{path}").status_code == 404
    assert save(people.client(people.viewer), section, content="x").status_code == 403
    assert save(people.client(people.stranger), section, content="x").status_code == 404
    assert fresh(section).version == 1


def test_the_viewer_reads_the_document_without_buttons(people: People, section: Section, note: Document) -> None:
    shown = {
        name: people.client(getattr(people, name)).get(f"/documents/{note.id}/").content.decode()
        for name in ("owner", "viewer")
    }
    for path in (f"/sections/{section.id}/edit/", f"/sections/{section.id}/tools/", f"/documents/{note.id}/edit/"):
        assert path in shown["owner"]
        assert path not in shown["viewer"]


def test_what_does_not_fit_is_said_beside_it_and_nothing_typed_is_lost(people: People, section: Section) -> None:
    answer = save(people.client(people.owner), section, title="x" * 201, content="Kept.")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "At most 200 characters." in page
    assert "Kept.</textarea>" in page
    assert fresh(section).version == 1


def test_a_version_that_never_was_is_refused(people: People, section: Section) -> None:
    for version in ("9", "x", "-1", "", "1" * 30):
        assert save(people.client(people.owner), section, version=version, content="x").status_code == 422  # type: ignore[arg-type]


def test_a_document_is_edited_with_its_kinds_fields(people: People) -> None:
    course = documents.create("course", "Loops", {}, user=people.owner, workspace=people.workspace)
    client = people.client(people.owner)
    body = {"version": 1, "title": "Loops, again", "language": "fr", "status": "ready", "folder": ""}
    answer = client.post(
        f"/documents/{course.id}/edit/", {**body, "description": "For all.", "evaluation_minutes": "30"}
    )
    assert answer.status_code == 302
    course.refresh_from_db()
    assert (course.title, course.language, course.status) == ("Loops, again", "fr", "ready")
    assert course.fields == {"description": "For all.", "evaluation_minutes": 30}
    wrong = client.post(f"/documents/{course.id}/edit/", {"version": 2, "title": "x", "evaluation_minutes": "soon"})
    assert wrong.status_code == 422
    assert "A whole number." in wrong.content.decode()


# --- lists of objects


def test_questions_are_filled_in_one_by_one_and_a_change_is_of_one_answer(people: People, block: Section) -> None:
    client = people.client(people.owner)
    page = client.get(f"/sections/{block.id}/edit/").content.decode()
    assert 'name="questions/q1/answers/a2/text"' in page
    save(client, block, **POSTED | {"questions/q1/answers/a1/text": "Never"})
    (change,) = Change.objects.filter(object_id=block.id, version=2)
    assert (change.path, change.before, change.after) == ("questions/q1/answers/a1/text", "Once", "Never")


def test_what_was_only_opened_is_no_change(people: People, block: Section) -> None:
    save(people.client(people.owner), block, **POSTED)
    assert fresh(block).version == 1


def test_a_question_is_added_moved_and_removed_without_saving_and_then_saved(people: People, block: Section) -> None:
    client = people.client(people.owner)
    added = save(client, block, act="add:questions", **POSTED).content.decode()
    assert fresh(block).version == 1
    ids = re.findall(r'name="questions" value="(\w+)"', added)
    assert ids[:2] == ["q1", "q2"]
    assert len(ids) == 3
    assert "autofocus" in added.split(f'name="questions/{ids[2]}/text"')[1][:200]
    moved = save(client, block, act="up:questions/q2", **POSTED).content.decode()
    assert re.findall(r'name="questions" value="(\w+)"', moved) == ["q2", "q1"]
    removed = save(client, block, act="remove:questions/q1/answers/a1", **POSTED).content.decode()
    assert re.findall(r'name="questions/q1/answers" value="(\w+)"', removed) == ["a2"]
    save(client, block, **POSTED | {"questions": ["", "q2"]})
    assert [question["id"] for question in fresh(block).fields["questions"]] == ["q2"]


def test_a_question_without_a_right_answer_is_told_at_the_question(people: People, block: Section) -> None:
    posted = {name: value for name, value in POSTED.items() if not name.endswith("is_correct")}
    answer = save(people.client(people.owner), block, **posted)
    assert answer.status_code == 422
    assert "One answer at least is right." in answer.content.decode()


def test_machine_made_fields_are_not_for_people(people: People, block: Section) -> None:
    by = By.person(people.owner)
    chapter = Section.objects.get(type="chapter")
    lesson = sections.add(block.document, "lesson", {}, by, parent=chapter)
    part = sections.add(block.document, "part", {"title": "P", "diagram_code": "graph TD"}, by, parent=lesson)
    page = people.client(people.owner).get(f"/sections/{part.id}/edit/").content.decode()
    assert 'name="diagram_code"' in page
    assert 'name="diagram"' not in page
    assert 'name="diagram_error"' not in page


# --- two who write at once


def test_two_versions_are_shown_word_by_word_and_both_stand_in_the_merged_text(
    people: People, section: Section
) -> None:
    by = By.person(people.owner)
    sections.edit(section, {"content": "One two three four five."}, by)
    sections.edit(section, {"content": "One TWO three four five."}, By.person(people.teammate))
    answer = save(people.client(people.owner), section, version=2, title="Why", content="One two three four FIVE.")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "<del>two</del><ins>TWO</ins>" in page
    assert "<del>five</del><ins>FIVE</ins>" in page
    assert "One TWO three four FIVE.</textarea>" in page
    assert "teammate" in page
    assert 'name="version" value="3"' in page
    assert save(people.client(people.owner), section, version=3, content="One TWO three four FIVE.").status_code == 302
    assert fresh(section).fields["content"] == "One TWO three four FIVE."


def test_where_both_wrote_in_one_place_nothing_of_either_is_lost(people: People, section: Section) -> None:
    sections.edit(section, {"content": "Because of Karim."}, By.person(people.teammate))
    page = save(people.client(people.owner), section, version=1, content="Because of Claire.").content.decode()
    text = page.split("</textarea>")[0].split(">")[-1]
    assert "Karim" in text
    assert "Claire" in text
    assert "both changed the same place" in page


def test_what_the_other_did_elsewhere_is_no_conflict_and_stays(people: People, section: Section) -> None:
    sections.edit(section, {"title": "Theirs"}, By.person(people.teammate))
    assert save(people.client(people.owner), section, version=1, title="Why", content="Mine.").status_code == 302
    assert fresh(section).fields == {"title": "Theirs", "content": "Mine."}


def test_the_same_form_sent_twice_is_saved_once(people: People, section: Section) -> None:
    client = people.client(people.owner)
    for _ in range(2):
        assert save(client, section, version=1, content="Mine.").status_code == 302
    assert fresh(section).version == 2


def test_two_people_may_write_in_two_questions_of_one_list(people: People, block: Section) -> None:
    sections.edit(block, {"questions/q2/text": "What for?"}, By.person(people.teammate))
    posted = POSTED | {"questions/q1/text": "How many times?"}
    assert save(people.client(people.owner), block, version=1, **posted).status_code == 302
    assert [each["text"] for each in fresh(block).fields["questions"]] == ["How many times?", "What for?"]


def test_two_orders_of_one_list_are_merged_item_by_item(people: People, block: Section) -> None:
    sections.edit(block, {"questions/q2/text": "What for?"}, By.person(people.teammate))
    answer = save(people.client(people.owner), block, version=1, **POSTED | {"questions": ["", "q2", "q1"]})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert re.findall(r'name="questions" value="(\w+)"', page) == ["q2", "q1"]
    assert "What for?</textarea>" in page


# --- preview


def test_the_preview_is_the_markdown_of_the_house(people: People, section: Section) -> None:
    client = people.client(people.viewer)
    shown = client.post(
        "/preview/", {"path": "content", "content": "**Bold** <script>alert(1)</script>"}
    ).content.decode()
    assert "<strong>Bold</strong>" in shown
    assert "<script>" not in shown
    in_form = save(people.client(people.owner), section, act="preview", content="**Bold**").content.decode()
    assert "<strong>Bold</strong>" in in_form


def test_nothing_in_a_value_is_markup_of_the_form(people: People, section: Section) -> None:
    evil = '</textarea><script>alert(1)</script>"><img src=x onerror=alert(1)>'
    sections.edit(section, {"title": evil, "content": evil}, By.person(people.owner))
    sections.edit(section, {"content": "Other."}, By.person(people.teammate))
    pages = [
        people.client(people.owner).get(f"/sections/{section.id}/edit/"),
        save(people.client(people.owner), section, version=2, title=evil, content=f"{evil} mine"),
    ]
    for page in pages:
        assert "<script>alert" not in page.content.decode()
        assert "<img" not in page.content.decode()


# --- what is done to a section


def test_a_section_is_added_moved_locked_approved_and_removed(people: People, note: Document, section: Section) -> None:
    client = people.client(people.teammate)
    answer = client.post(f"/documents/{note.id}/sections/", {"type": "section", "after": section.id})
    added = Section.objects.exclude(id=section.id).get()
    assert answer.headers["Location"] == f"/sections/{added.id}/edit/"
    order = lambda: [each.id for each in documents.sections_of(note)]  # noqa: E731
    assert order() == [section.id, added.id]
    client.post(f"/sections/{added.id}/move/", {"to": "up"})
    assert order() == [added.id, section.id]
    client.post(f"/sections/{added.id}/move/", {"to": "down"})
    assert order() == [section.id, added.id]
    client.post(f"/sections/{added.id}/move/", {"to": "down"})  # it is the last
    assert order() == [section.id, added.id]
    client.post(f"/sections/{added.id}/lock/")
    client.post(f"/sections/{added.id}/approve/")
    assert (fresh(added).locked, fresh(added).status) == (True, "approved")
    client.post(f"/sections/{added.id}/unlock/")
    assert not fresh(added).locked
    client.post(f"/sections/{added.id}/remove/")
    assert order() == [section.id]


def test_a_part_goes_into_another_lesson(people: People, block: Section) -> None:
    by, course = By.person(people.owner), block.document
    lessons = [
        sections.add(course, "lesson", {}, by, parent=sections.add(course, "chapter", {"title": str(n)}, by))
        for n in (2, 3)
    ]
    part = sections.add(course, "part", {"title": "P"}, by, parent=lessons[0])
    client = people.client(people.owner)
    tools = client.get(f"/sections/{part.id}/tools/").content.decode()
    assert str(lessons[1].id) in tools
    client.post(f"/sections/{part.id}/move/", {"parent": lessons[1].id})
    assert fresh(part).parent_id == lessons[1].id
    assert client.post(f"/sections/{part.id}/move/", {"parent": block.id}).status_code == 422
    assert client.post(f"/sections/{part.id}/move/", {"parent": "x"}).status_code == 422
    assert client.post(f"/sections/{part.id}/move/", {"to": "sideways"}).status_code == 422


def test_a_document_is_approved_and_archived(people: People, note: Document) -> None:
    client = people.client(people.owner)
    for status in ("approved", "archived", "draft"):
        client.post(f"/documents/{note.id}/status/", {"status": status})
        assert Document.objects.get(id=note.id).status == status
    assert client.post(f"/documents/{note.id}/status/", {"status": "lost"}).status_code == 422


def test_the_menu_names_what_the_kind_allows(people: People, block: Section) -> None:
    tools = people.client(people.owner).get(f"/sections/{block.id}/tools/", headers=HTMX).content.decode()
    assert 'value="exercise_block"' in tools
    assert 'value="part"' not in tools


# --- proposals


def test_a_proposal_is_shown_against_what_stands_and_decided(people: People, note: Document, section: Section) -> None:
    def propose(content: str) -> Any:
        machine = By(AuthorKind.RECIPE, people.owner, new_id(), "section-1")
        current = fresh(section)
        return history.write_as_recipe(current, {"content": content}, machine, read_version=1, group=new_id()).proposal

    sections.lock(section, By.person(people.owner))
    accepted = propose("Because of rules.")
    page = people.client(people.owner).get(f"/documents/{note.id}/").content.decode()
    assert "<ins> of rules</ins>" in page
    assert f"/proposals/{accepted.id}/accept/" in page
    assert people.client(people.viewer).post(f"/proposals/{accepted.id}/accept/").status_code == 403
    assert people.client(people.stranger).post(f"/proposals/{accepted.id}/accept/").status_code == 404
    answer = people.client(people.owner).post(f"/proposals/{accepted.id}/accept/", headers=HTMX)
    assert f'id="section-{section.id}"' in answer.content.decode()
    assert "changed" in answer.headers["HX-Trigger-After-Settle"]
    assert fresh(section).fields["content"] == "Because of rules."
    rejected = propose("Never mind.")
    assert people.client(people.owner).post(f"/proposals/{rejected.id}/reject/").status_code == 302
    assert fresh(section).fields["content"] == "Because of rules."
    assert people.client(people.owner).post(f"/proposals/{rejected.id}/accept/").status_code == 409
