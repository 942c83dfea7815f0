"""Home: what is at work, the documents of a workspace by kind, folder and words, its bin."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generation import completions, documents, folders, runs, sections
from generation.models import Claim, Document, Folder, Run, RunState
from generation.orders import Order
from generation.registry import recipe_of
from memory import workspaces
from memory.history import By
from memory.models import Role, User
from tests.people import People


def write(people: People, title: str, kind: str = "course", **facts: Any) -> Document:
    return documents.create(kind, title, facts, user=people.owner, workspace=people.workspace)


def begin(people: People, brief: str = "Loops.", user: User | None = None) -> Run:
    run, _ = runs.start(recipe_of("course"), Order(brief), user=user or people.owner, workspace=people.workspace)
    return run


def body(client: Client, path: str = "/", **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture
def owner(people: People) -> Client:
    return people.client(people.owner)


def test_an_empty_workspace_offers_a_first_course_from_a_sample_named_so(people: People, owner: Client) -> None:
    page = body(owner)
    assert "Nothing is written here yet." in page
    assert "A sample brief" in page
    assert "long work must survive a closed tab" in page
    owner.post("/new/", {"workspace": people.workspace.id, "key": "k", "sample": "1"})
    assert "closed tab" in Run.objects.get().brief


def test_the_sample_speaks_the_readers_language(people: People, owner: Client) -> None:
    User.objects.filter(id=people.owner.id).update(language="fr")
    page = body(owner)
    assert "Rien n’est encore écrit ici." in page
    assert "un long travail doit survivre" in page


def test_documents_come_newest_first_with_who_and_what_about(people: People, owner: Client) -> None:
    write(people, "Sorting", description="How lists are sorted. And more.")
    write(people, "Loops")
    page = body(owner)
    assert page.index("Loops") < page.index("Sorting")
    assert "Course. How lists are sorted." in page
    assert "And more" not in page
    assert "<bdi>owner</bdi>" in page


def test_documents_of_another_workspace_are_not_there(people: People, owner: Client) -> None:
    other = workspaces.create("Other", people.owner)
    documents.create("note", "Elsewhere", {}, user=people.owner, workspace=other)
    assert "Elsewhere" not in body(owner)


def test_the_rail_counts_kinds_and_the_bin(people: People, owner: Client) -> None:
    write(people, "Loops")
    write(people, "Lists")
    note = write(people, "Remark", "note")
    documents.bin(write(people, "Gone"), people.owner)
    page = " ".join(body(owner).split())
    assert "All <span>3</span>" in page
    assert "Courses <span>2</span>" in page
    assert "Notes <span>1</span>" in page
    assert "Bin <span>1</span>" in page
    assert "Loops" not in body(owner, kind="note")
    assert note.title in body(owner, kind="note")


def test_a_search_folds_accents_and_case(people: People, owner: Client) -> None:
    write(people, "L’Été à Évian")
    write(people, "Winter")
    page = body(owner, q="ETE evian")
    assert "L’Été à Évian" in page
    assert "Winter" not in page
    assert "Nothing of that kind is here." in body(owner, q="zzz")


def test_what_is_at_work_stands_on_top_and_not_among_the_documents(people: People, owner: Client) -> None:
    run = begin(people, "A course on loops for beginners.")
    page = body(owner)
    assert f'id="run-{run.id}"' in page
    assert f'id="entry-{run.document_id}"' not in page
    assert "A course on loops for beginners." in page
    runs.cancel(run, people.owner)
    page = body(owner)
    assert f'id="run-{run.id}"' not in page
    assert f'id="entry-{run.document_id}"' in page
    assert "Stopped" in page


def test_a_failed_text_says_why(people: People, owner: Client) -> None:
    run = begin(people)
    Claim.objects.filter(run=run).update(state=RunState.FAILED)
    Run.objects.filter(id=run.id).update(error={"error_code": "budget.user_day", "params": {}})
    page = body(owner)
    assert "Your budget for today is spent." in page
    assert 'data-state="failed"' in page


def test_older_ones_come_by_pages(people: People, owner: Client) -> None:
    for n in range(60):
        write(people, f"Text {n:02}")
    first = owner.get("/")
    assert first.content.count(b'<li class="entry') == 50
    second = body(owner, cursor=first.context["cursor"])
    assert second.count('<li class="entry') == 10
    assert "Text 09" in second
    assert "Older ones" not in second
    oldest = first.context["entries"][-1].document.id
    write(people, "New")
    again = body(owner, part="documents", down_to=str(oldest))
    assert again.count('<li class="entry') == 51
    assert "Older ones" in again


def test_home_costs_few_queries_with_300_documents_in_all_states(people: People, owner: Client) -> None:
    for n in range(300):
        write(people, f"Text {n}")
    for n in range(5):
        folders.make(people.workspace, f"Folder {n}", people.owner)
        begin(people, f"Loops {n}")
        runs.cancel(begin(people, f"Lists {n}"), people.owner)
    with CaptureQueriesContext(connection) as seen:
        page = owner.get("/")
    assert len(seen) <= 12
    assert len(page.content) < 200_000


def test_hostile_and_long_titles_stay_text(people: People, owner: Client) -> None:
    write(people, "<script>window.__xss = 1</script>" + "W" * 160)
    write(people, "דיני ממונות למתחילים")
    page = body(owner)
    assert "<script>window" not in page
    assert "&lt;script&gt;window" in page
    assert "<bdi>דיני ממונות למתחילים</bdi>" in page


# --- folders


def test_a_folder_is_made_filled_renamed_and_removed(people: People, owner: Client) -> None:
    course = write(people, "Loops")
    made = owner.post("/folders/", {"workspace": people.workspace.id, "name": "Python"})
    folder = Folder.objects.get(name="Python")
    assert made["Location"] == f"/folders/{folder.id}/"
    assert "Nothing lies in this folder." in body(owner, f"/folders/{folder.id}/")
    owner.post(f"/documents/{course.id}/move/", {"folder": folder.id})
    assert "Loops" in body(owner, f"/folders/{folder.id}/")
    owner.post(f"/folders/{folder.id}/rename/", {"name": "Snakes"})
    assert "Snakes" in body(owner)
    owner.post(f"/folders/{folder.id}/remove/")
    assert not Folder.objects.exists()
    assert "Loops" in body(owner)


def test_a_folder_without_a_name_is_refused(people: People, owner: Client) -> None:
    answer = owner.post("/folders/", {"workspace": people.workspace.id, "name": "  "})
    assert answer.status_code == 422
    assert not Folder.objects.exists()


def test_a_document_is_not_moved_into_a_strangers_folder(people: People, owner: Client) -> None:
    theirs = folders.make(workspaces.create("Theirs", people.stranger), "Secret", people.stranger)
    course = write(people, "Loops")
    assert owner.post(f"/documents/{course.id}/move/", {"folder": theirs.id}).status_code == 422
    assert Document.objects.get(id=course.id).folder_id is None


# --- the bin


def test_a_document_goes_into_the_bin_and_comes_out(people: People, owner: Client) -> None:
    course = write(people, "Loops")
    answer = owner.post(f"/documents/{course.id}/bin/", {"next": "/?kind=course"})
    assert answer["Location"] == "/?kind=course"
    assert "Loops" not in body(owner)
    assert "Loops" in body(owner, "/bin/")
    owner.post(f"/documents/{course.id}/unbin/", {"next": "https://elsewhere.example/"})
    assert "Loops" in body(owner)


def test_a_fragment_is_told_that_something_changed(people: People, owner: Client) -> None:
    course = write(people, "Loops")
    answer = owner.post(f"/documents/{course.id}/bin/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Trigger"]) == (204, "changed")


def test_only_owners_empty_the_bin_and_are_asked_first(people: People, owner: Client) -> None:
    documents.bin(write(people, "Loops"), people.owner)
    address = f"/workspaces/{people.workspace.id}/bin/empty/"
    for person in (people.teammate, people.viewer):
        assert "Empty the bin" not in body(people.client(person), "/bin/")
        assert people.client(person).post(address).status_code == 403
    assert people.client(people.stranger).get(address).status_code == 404
    assert "Delete 1 document for good?" in body(owner, address)
    assert Document.objects.count() == 1
    assert owner.post(address)["Location"] == "/bin/"
    assert Document.objects.count() == 0


# --- who may what


def test_a_viewer_reads_and_is_offered_nothing_to_write_with(people: People) -> None:
    course = write(people, "Loops")
    folder = folders.make(people.workspace, "Python", people.owner)
    viewer = people.client(people.viewer)
    page = body(viewer)
    assert "Loops" in page
    main = page[page.index("<main") : page.index("</main")]
    rail = page[page.index('id="rail"') : page.index("<main")]
    assert 'method="post"' not in main + rail
    for path in (f"documents/{course.id}/bin", f"documents/{course.id}/move", f"folders/{folder.id}/remove"):
        assert viewer.post(f"/{path}/").status_code == 403


def test_a_stranger_sees_nothing_of_it(people: People) -> None:
    course = write(people, "Loops")
    folder = folders.make(people.workspace, "Python", people.owner)
    begin(people, "A secret brief.")
    stranger = people.client(people.stranger)
    page = body(stranger)
    assert not {word for word in ("Loops", "Python", "secret") if word in page}
    assert stranger.get(f"/folders/{folder.id}/").status_code == 404
    assert stranger.post(f"/documents/{course.id}/bin/").status_code == 404
    assert "Loops" not in body(stranger, q="loop")


def test_who_belongs_to_no_workspace_is_told_so(people: People) -> None:
    alone = User.objects.create_user("alone", "alone@example.org")
    assert "You belong to no workspace yet." in body(people.client(alone))


def test_a_teammate_sees_who_wrote_what(people: People) -> None:
    workspaces.add_member(people.workspace, people.teammate, Role.EDITOR, by=people.owner)
    write(people, "Loops")
    assert "<bdi>owner</bdi>" in body(people.client(people.teammate))


def test_a_cursor_that_is_none_is_refused(owner: Client) -> None:
    assert owner.get("/", {"cursor": "nowhere"}).status_code == 422
    assert owner.get("/", {"part": "nowhere"}).status_code == 422


def test_the_list_says_how_far_its_reader_has_come_and_nobody_else(people: People) -> None:
    course = write(people, "Loops")
    made = [sections.add(course, "chapter", {"title": each}, By.person(people.owner)) for each in ("For", "While")]
    completions.complete(made[0], people.owner)
    assert "1 of 2 chapters finished." in body(people.client(people.owner))
    assert "chapters finished" not in body(people.client(people.teammate))
