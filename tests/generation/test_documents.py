"""Documents over REST: begun, found, looked at, changed, binned; what is wrong is refused and changes nothing."""

import unicodedata
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation import documents, runs, sections
from generation.models import Document, Run, Section
from generation.orders import Order
from generation.registry import recipe_of
from memory import workspaces
from memory.base.folding import Folded, fold
from memory.base.ranks import spread
from memory.history import By
from memory.models import Change, Role
from tests.people import People
from tests.rest import Rest, told

NOWHERE = "01920000-0000-7000-8000-000000000000"


@pytest.fixture
def people(people_committed: People) -> People:
    """Committed: a picture is one snapshot, which needs a transaction of its own."""
    return people_committed


def begin(rest: Rest, **body: Any) -> Any:
    return rest.post("documents", {"kind": "note", "title": "Loops", **body})


def titles(answer: Any) -> list[str]:
    return [item["title"] for item in answer.json()["items"]]


# --- begun


def test_a_document_is_begun_by_hand_and_seen_by_all_members(owner: Rest, people: People) -> None:
    answer = begin(owner, kind="course", title=" Boucles\n", fields={"description": "Répéter."}, language="fr")
    assert answer.status_code == 201
    course = answer.json()
    assert (course["title"], course["language"], course["fields"]) == ("Boucles", "fr", {"description": "Répéter."})
    assert (course["state"], course["status"], course["version"], course["sections"]) == ("draft", "draft", 1, [])
    assert Rest(people.viewer).get(f"documents/{course['id']}").json() == course
    assert told(Rest(people.stranger).get(f"documents/{course['id']}")) == (404, "not_found.document")


def test_it_is_begun_in_a_folder_and_below_another_document(owner: Rest, note: Document) -> None:
    folder = owner.post("folders", {"name": "Python"}).json()["id"]
    child = begin(owner, folder=folder, parent=str(note.id)).json()
    assert (child["folder"], child["parent"]) == (folder, str(note.id))
    assert titles(owner.get("documents", folder=folder)) == []  # what belongs to another does not stand in lists


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "opera"}, "validation.kind"),
        ({"kind": "__class__"}, "validation.kind"),
        ({"kind": None}, "validation.request"),
        ({"title": "x" * 201}, "validation.fields"),
        ({"title": 5}, "validation.request"),
        ({"fields": {"colour": "red"}}, "validation.fields"),
        ({"fields": {"title": "twice"}}, "validation.path"),
        ({"fields": {"folder": "x"}}, "validation.path"),
        ({"fields": {"a/b": 1}}, "validation.path"),
        ({"fields": {"": 1}}, "validation.path"),
        ({"fields": []}, "validation.request"),
        ({"language": "xx"}, "validation.request"),
        ({"folder": NOWHERE}, "not_found.folder"),
        ({"parent": NOWHERE}, "not_found.document"),
        ({"workspace": NOWHERE}, "not_found.workspace"),
        ({"parent": "x"}, "validation.request"),
    ],
)
def test_what_cannot_be_begun_is_refused_and_leaves_nothing(owner: Rest, body: dict[str, Any], code: str) -> None:
    answer = begin(owner, **body)
    assert answer.json()["error_code"] == code
    assert answer.status_code in (404, 422)
    assert not Document.objects.exists()
    assert not Change.objects.exists()


def test_characters_that_are_none_are_cleaned(owner: Rest) -> None:
    course = begin(owner, kind="course", title="a\x00b", fields={"description": "c\x00d\x07"}).json()
    assert (course["title"], course["fields"]) == ("ab", {"description": "cd"})
    answer = owner.patch(f"documents/{course['id']}", {"fields": {"description": "e\x00f"}})
    assert answer.status_code == 200
    assert owner.get(f"documents/{course['id']}").json()["fields"] == {"description": "ef"}
    half = b'{"fields": {"description": "half \\ud83d"}}'
    assert told(owner.patch(f"documents/{course['id']}", half)) == (422, "validation.json")


def test_viewers_begin_nothing_and_strangers_not_here(people: People) -> None:
    here = str(people.workspace.id)
    assert told(begin(Rest(people.viewer), workspace=here)) == (403, "permission.role")
    assert told(begin(Rest(people.stranger), workspace=here)) == (404, "not_found.workspace")
    assert not Document.objects.exists()


def test_a_document_of_another_workspace_is_no_parent(owner: Rest, people: People) -> None:
    theirs = begin(Rest(people.stranger)).json()["id"]
    assert told(begin(owner, parent=theirs)) == (404, "not_found.document")
    second = workspaces.create("Second", people.owner)
    mine = begin(owner, workspace=str(second.id)).json()["id"]
    assert told(begin(owner, parent=mine, workspace=str(people.workspace.id))) == (404, "not_found.document")


def test_a_run_is_ordered_into_a_folder_and_names_its_document(owner: Rest, note: Document) -> None:
    folder = owner.post("folders", {"name": "Python"}).json()["id"]
    order = {"kind": "note", "brief": "Loops.", "folder": folder, "parent": str(note.id)}
    run = owner.post("runs", order).json()
    written = owner.get(f"documents/{run['document']}").json()
    assert (written["folder"], written["parent"], written["run"]) == (folder, str(note.id), run["id"])
    assert told(owner.post("runs", {**order, "folder": NOWHERE})) == (404, "not_found.folder")
    owner.post(f"runs/{run['id']}/cancel")
    again = owner.post(f"runs/{run['id']}/retry").json()
    assert again["document"] == run["document"]
    assert owner.get(f"documents/{run['document']}").json()["run"] == again["id"]


# --- found


def test_the_list_is_the_members_newest_first_and_paged_by_key(owner: Rest, people: People) -> None:
    for n in range(60):
        documents.create("note", str(n), {}, user=people.owner, workspace=people.workspace)
    first = Rest(people.viewer).get("documents").json()
    second = Rest(people.viewer).get("documents", cursor=first["cursor"]).json()
    assert [item["title"] for item in first["items"] + second["items"]] == [str(n) for n in range(59, -1, -1)]
    assert second["cursor"] is None
    assert titles(Rest(people.stranger).get("documents")) == []
    assert told(owner.get("documents", cursor="x")) == (422, "validation.cursor")


@pytest.mark.parametrize("q", ["affinage", "AFFINAGE Œuf", "oeufs", "fromagère", "fromagere a l'", "œufs Pertes"])
def test_a_title_is_found_whatever_its_accents_and_case(owner: Rest, q: str) -> None:
    begin(owner, title="Pertes à l'affinage, œufs (100 %) : la Fromagère")
    begin(owner, title="Something else")
    assert titles(owner.get("documents", q=q)) == ["Pertes à l'affinage, œufs (100 %) : la Fromagère"]


def test_what_is_searched_is_text_and_nothing_else(owner: Rest) -> None:
    begin(owner, title="100 % of it")
    assert titles(owner.get("documents", q="0%")) == []
    assert titles(owner.get("documents", q="_")) == []
    assert titles(owner.get("documents", q="%")) == ["100 % of it"]
    assert titles(owner.get("documents", q="\\ ' \" \x00 %s")) == []
    assert told(owner.get("documents", q="x" * 201)) == (422, "validation.request")


def test_python_and_postgresql_fold_alike(people: People) -> None:
    text = "".join(chr(n) for n in range(0x20, 0x250)) + "ΑΒΓΣς Ёж ﬁn Ⅷ ½ İı ẞ"
    with connection.cursor() as sql:
        template = Folded.template % {"expressions": "%s::text"}
        sql.execute(f"SELECT {template}", [text])
        assert sql.fetchone() == (fold(text),)
    assert fold("ŒUVRE Élève") == fold(unicodedata.normalize("NFD", "œuvre élève")) == "oeuvre eleve"


def test_the_list_is_narrowed(owner: Rest, people: People, note: Document) -> None:
    folder = owner.post("folders", {"name": "Python"}).json()["id"]
    begin(owner, kind="course", title="Course", folder=folder)
    owner.delete(f"documents/{begin(owner, title='Gone').json()['id']}")
    assert titles(owner.get("documents")) == ["Course", "Loops"]
    assert titles(owner.get("documents", kind="course")) == ["Course"]
    assert titles(owner.get("documents", folder=folder)) == ["Course"]
    assert titles(owner.get("documents", bin=True)) == ["Gone"]
    assert titles(owner.get("documents", state="draft")) == ["Course", "Loops"]
    assert titles(owner.get("documents", state="ready,approved")) == []
    assert told(owner.get("documents", folder="x")) == (422, "validation.request")


# --- changed


def test_a_document_is_changed_by_path_and_says_what_changed(owner: Rest, people: People, note: Document) -> None:
    folder = owner.post("folders", {"name": "Python"}).json()["id"]
    values = {"title": "For loops", "status": "ready", "language": "fr", "folder": folder}
    changed = owner.patch(f"documents/{note.id}", {"fields": values, "expected_version": 1}).json()
    assert changed["objects"] == [{"type": "document", "id": str(note.id), "version": 2}]
    assert len(changed["changes"]) == 4
    seen = owner.get(f"documents/{note.id}").json()
    assert {name: seen[name] for name in values} == values
    nothing = owner.patch(f"documents/{note.id}", {"fields": values}).json()
    assert (nothing["group"], nothing["changes"], nothing["objects"][0]["version"]) == (None, [], 2)
    back = Rest(people.teammate).post(f"groups/{changed['group']}/undo").json()
    assert back["objects"] == [{"type": "document", "id": str(note.id), "version": 3}]
    assert owner.get(f"documents/{note.id}").json()["title"] == "Loops"


def test_a_column_that_is_taken_away_is_as_in_a_new_document(owner: Rest, note: Document) -> None:
    answer = owner.patch(f"documents/{note.id}", {"fields": {"title": None, "status": None, "language": None}})
    assert answer.status_code == 200
    seen = owner.get(f"documents/{note.id}").json()
    assert (seen["title"], seen["status"], seen["language"]) == ("", "draft", "en")


def test_a_conflict_shows_what_was_changed_since(owner: Rest, people: People, note: Document) -> None:
    Rest(people.teammate).patch(f"documents/{note.id}", {"fields": {"title": "Theirs"}})
    answer = owner.patch(f"documents/{note.id}", {"fields": {"title": "Mine"}, "expected_version": 1})
    assert told(answer) == (409, "conflict.changed_since")
    details = answer.json()["details"]
    (change,) = details["changes"]
    assert details["version"] == 2
    assert (change["path"], change["before"], change["now"]) == ("title", "Loops", "Theirs")
    assert (change["user"], change["author"]) == ("teammate", "person")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"colour": "red"}, "validation.fields"),
        ({"__class__": "x"}, "validation.fields"),
        ({"title/__class__": "x"}, "validation.path"),
        ({"title//x": "x"}, "validation.path"),
        ({"": "x"}, "validation.path"),
        ({"/": "x"}, "validation.path"),
        ({"x" * 600: "x"}, "validation.fields"),
        ({"x/" * 600 + "x": "x"}, "validation.path"),
        ({"title": 5}, "validation.fields"),
        ({"title": ["x"]}, "validation.fields"),
        ({"title": "x" * 201}, "validation.fields"),
        ({"ti\x00tle": "x"}, "validation.path"),
        ({"language": "xx"}, "validation.choice"),
        ({"language": "klingon"}, "validation.fields"),
        ({"language": {"en": 1}}, "validation.fields"),
        ({"status": "generating"}, "validation.choice"),
        ({"status": ["ready"]}, "validation.fields"),
        ({"folder": "x"}, "validation.fields"),
        ({"folder": ""}, "validation.fields"),
        ({"folder": False}, "validation.folder"),
        ({"folder": NOWHERE}, "validation.folder"),
        ({"present": False}, "validation.path"),
        ({"present/x": 1}, "validation.path"),
        ({"title": "a", "title/b": "c"}, "validation.paths_overlap"),
        ({f"f{n}": n for n in range(1_000)}, "validation.request"),
        (None, "validation.request"),
        ("title", "validation.request"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(owner: Rest, note: Document, fields: Any, code: str) -> None:
    answer = owner.patch(f"documents/{note.id}", {"fields": fields})
    assert told(answer) == (422, code)
    assert Document.objects.get().version == 1


@pytest.mark.parametrize("version", [b"-1", b"2", b"1" + b"0" * 30, b'"x"', b"1.5", b"[1]"])
def test_a_version_that_is_none_is_refused(owner: Rest, note: Document, version: bytes) -> None:
    body = b'{"fields": {"title": "x"}, "expected_version": ' + version + b"}"
    assert owner.patch(f"documents/{note.id}", body).status_code == 422


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"[" * 2000, b'{"fields": NaN}', b"\xff"])
def test_a_body_that_is_none_is_refused(owner: Rest, note: Document, body: bytes) -> None:
    assert 400 <= owner.patch(f"documents/{note.id}", body).status_code < 500
    assert 400 <= owner.post("documents", body).status_code < 500
    assert 400 <= owner.post(f"documents/{note.id}/sections", body).status_code < 500


@pytest.mark.parametrize("id", ["x", "0", NOWHERE + "0", "..%2f..", "%00", "0192f0c0-7b1a-4c5e-8d0a-1f2e3d4c5b6a"])
def test_an_address_of_nothing_is_not_found(owner: Rest, id: str) -> None:
    for path in (f"documents/{id}", f"documents/{id}/changes", f"documents/{id}/export", f"sections/{id}"):
        assert owner.get(path).status_code == 404
    assert owner.patch(f"documents/{id}", {"fields": {"title": "x"}}).status_code == 404


# --- binned


def test_into_the_bin_and_out_again(owner: Rest, people: People, note: Document) -> None:
    binned = Rest(people.teammate).delete(f"documents/{note.id}").json()
    assert binned["objects"][0]["version"] == 2
    assert owner.get(f"documents/{note.id}").json()["is_binned"] is True
    owner.post(f"documents/{note.id}/unbin")
    assert titles(owner.get("documents")) == ["Loops"]


def test_only_an_owner_empties_the_bin_and_all_that_belongs_to_a_document_goes(
    owner: Rest, people: People, note: Document
) -> None:
    documents.create("note", "Child", {}, user=people.owner, workspace=people.workspace, parent=note)
    kept = documents.create("note", "Kept", {}, user=people.owner, workspace=people.workspace)
    path = f"workspaces/{people.workspace.id}/bin/empty"
    owner.delete(f"documents/{note.id}")
    assert told(Rest(people.teammate).post(path)) == (403, "permission.role")
    assert told(Rest(people.stranger).post(path)) == (404, "not_found.workspace")
    assert owner.post(path).json() == {"documents": 2}
    assert set(Change.objects.values_list("root_id", flat=True)) == {kept.id}
    assert told(owner.get(f"documents/{note.id}")) == (404, "not_found.document")


def test_what_is_being_written_stays_in_the_bin(owner: Rest, people: People, note: Document) -> None:
    order = Order("Loops.", parent=note.id)
    run, _ = runs.start(recipe_of("note"), order, user=people.owner, workspace=people.workspace)
    owner.delete(f"documents/{note.id}")
    assert documents.empty_bin(people.workspace, people.owner) == 0
    runs.cancel(run, people.owner)
    assert documents.empty_bin(people.workspace, people.owner) == 2
    assert not Run.objects.exists()


# --- folders


def test_folders_are_made_renamed_and_removed_and_documents_move_up(owner: Rest, people: People) -> None:
    python = owner.post("folders", {"name": " Python "}).json()
    loops = owner.post("folders", {"name": "Loops", "parent": python["id"]}).json()
    document = begin(owner, folder=loops["id"]).json()["id"]
    Rest(people.teammate).patch(f"folders/{loops['id']}", {"name": "Boucles"})
    assert [folder["name"] for folder in Rest(people.viewer).get("folders").json()] == ["Boucles", "Python"]
    assert owner.delete(f"folders/{loops['id']}").status_code == 204
    assert owner.get(f"documents/{document}").json()["folder"] == python["id"]
    assert [folder["name"] for folder in owner.get("folders").json()] == ["Python"]


def test_folders_are_closed_to_strangers_and_only_looked_at_by_viewers(owner: Rest, people: People) -> None:
    folder = owner.post("folders", {"name": "Python"}).json()["id"]
    viewer, stranger = Rest(people.viewer), Rest(people.stranger)
    assert stranger.get("folders").json() == []
    assert told(stranger.patch(f"folders/{folder}", {"name": "x"})) == (404, "not_found.folder")
    assert told(stranger.delete(f"folders/{folder}")) == (404, "not_found.folder")
    assert told(stranger.post("folders", {"name": "x", "parent": folder})) == (404, "not_found.folder")
    assert told(viewer.patch(f"folders/{folder}", {"name": "x"})) == (403, "permission.role")
    assert told(viewer.delete(f"folders/{folder}")) == (403, "permission.role")
    assert told(owner.post("folders", {"name": " \x00 "})) == (422, "validation.name_empty")
    assert told(owner.post("folders", {"name": "x", "parent": NOWHERE})) == (404, "not_found.folder")


# --- large


@pytest.fixture
def large(people: People) -> Document:
    """A course with 200 sections on three levels and a step for each."""
    course = documents.create("course", "Large", {}, user=people.owner, workspace=people.workspace)
    by = By.person(people.owner)
    chapter = sections.add(course, "chapter", {"title": "One"}, by)
    lesson = sections.add(course, "lesson", {}, by, parent=chapter)
    Section.objects.bulk_create(
        Section(document=course, parent=lesson, type="part", key=f"part-{n}", rank=rank, fields={"content": "x" * 500})
        for n, rank in enumerate(spread(198))
    )
    return course


def queries_of(rest: Rest, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert rest.get(path).status_code == 200
    return len(seen)


def test_a_document_of_200_sections_is_read_in_few_queries(owner: Rest, large: Document) -> None:
    (chapter,) = owner.get(f"documents/{large.id}").json()["sections"]
    (lesson,) = chapter["sections"]
    assert [part["key"] for part in lesson["sections"]] == [f"part-{n}" for n in range(198)]
    assert queries_of(owner, f"documents/{large.id}") <= 12
    assert queries_of(owner, "documents") <= 8


def test_a_history_of_2000_changes_is_read_in_few_queries(owner: Rest, large: Document) -> None:
    some = Change.objects.filter(root_id=large.id)[0]
    group = uuid4()
    Change.objects.bulk_create(
        Change(
            workspace_id=some.workspace_id, root_id=large.id, object_type="document", object_id=UUID(int=n),
            version=1, path="title", before="x" * 5_000, after=n, author="recipe", group=group,
        )
        for n in range(2_000)
    )  # fmt: skip
    assert queries_of(owner, f"documents/{large.id}/changes") <= 8
    page = owner.get(f"documents/{large.id}/changes", group=str(group)).json()
    assert len(page["items"]) == 50
    assert len(owner.get(f"documents/{large.id}/changes").content) < 200_000


def test_a_viewer_of_two_workspaces_sees_a_document_once(owner: Rest, people: People, note: Document) -> None:
    second = workspaces.create("Second", people.owner)
    workspaces.add_member(second, people.viewer, Role.VIEWER, by=people.owner)
    assert titles(Rest(people.viewer).get("documents")) == ["Loops"]
