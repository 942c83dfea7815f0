"""A new text: one brief, its files and a few options; what it may cost; sent twice, it is begun once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from generation import estimates
from generation.models import Agent, Document, Run
from generation.recipes.course.recipe import CourseOptions
from generation.registry import recipe_of
from memory import files
from memory.models import File, User
from tests import instructions
from tests.people import People

Send = Callable[..., Any]


@pytest.fixture
def owner(people: People) -> Client:
    return people.client(people.owner)


@pytest.fixture
def send(people: People, owner: Client) -> Send:
    def post(kind: str = "course", **typed: Any) -> Any:
        form = {"workspace": people.workspace.id, "key": "one", "brief": "Loops.", **typed}
        return owner.post(f"/new/{kind}/", form)

    return post


def page_of(answer: Any) -> str:
    return str(answer.content.decode())


# --- the start


def test_a_brief_becomes_a_document_that_is_being_written(send: Send, people: People) -> None:
    answer = send(brief="  A course on loops.  ", chapters="3", level_detail="flash", review_outline="true")
    run = Run.objects.get()
    assert answer["Location"] == f"/documents/{run.document_id}/"
    assert run.brief == "A course on loops."
    assert (run.options["chapters"], run.options["level_detail"], run.options["review_outline"]) == (3, "flash", True)
    assert run.user == people.owner


def test_the_same_form_sent_twice_makes_one_run(send: Send) -> None:
    first, second = send(), send()
    assert first["Location"] == second["Location"]
    assert (Run.objects.count(), Document.objects.count()) == (1, 1)


def test_a_form_that_was_changed_before_it_was_sent_again_is_another_order(send: Send) -> None:
    send()
    send(brief="Lists.")
    send(chapters="2")
    assert Run.objects.count() == 3


def test_the_same_form_with_files_sent_twice_without_script_makes_one_run(send: Send) -> None:
    answers = [send(upload=SimpleUploadedFile("notes.txt", b"Loops repeat.")) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Run.objects.count() == 1


def test_what_was_left_empty_is_for_the_brief_to_say(send: Send) -> None:
    send(chapters="", level_detail="", difficulty="", language="")
    run = Run.objects.get()
    assert run.options == {"level_detail": None, "chapters": None, "difficulty": "", "review_outline": False}


def test_the_language_that_was_chosen_is_the_texts(send: Send) -> None:
    send(language="fr")
    assert Run.objects.get().language == "fr"


def test_a_note_can_be_asked_for_too(send: Send) -> None:
    send("note")
    assert Run.objects.get().kind == "note"


def test_home_hands_on_what_was_begun_there(people: People, owner: Client) -> None:
    form = {"workspace": people.workspace.id, "brief": "Two lines\r\nof a brief.", "continue": "1"}
    page = page_of(owner.post("/new/", form))
    assert "Two lines\nof a brief.</textarea>" in page
    assert not Run.objects.exists()


def test_a_study_level_is_proposed_as_the_level_of_the_readers(people: People, owner: Client) -> None:
    User.objects.filter(id=people.owner.id).update(study_level="Adult beginner")
    assert 'value="Adult beginner"' in page_of(owner.get("/new/course/"))


# --- what is wrong is told beside its field, and nothing typed is lost


@pytest.mark.parametrize(
    ("typed", "said", "kept"),
    [
        ({"brief": "  ", "difficulty": "Experts"}, "brief-error", 'value="Experts"'),
        ({"brief": "x" * 50_001}, "brief-error", "x" * 50_001),
        ({"chapters": "17"}, "This is too much.", 'value="17"'),
        ({"chapters": "many"}, "A whole number is needed.", "Loops.</textarea>"),
        ({"level_detail": "endless"}, "This cannot be chosen.", "Loops.</textarea>"),
    ],
)
def test_a_mistake(send: Send, typed: dict[str, str], said: str, kept: str) -> None:
    answer = send(**typed)
    assert answer.status_code == 422
    assert said in page_of(answer)
    assert kept in page_of(answer)
    assert 'value="one"' in page_of(answer), "the form keeps its key"
    assert not Run.objects.exists()


def test_a_file_that_is_not_taken_is_named_and_the_others_stay(send: Send) -> None:
    good, bad = SimpleUploadedFile("notes.txt", b"Loops repeat."), SimpleUploadedFile("virus.exe", b"MZ")
    answer = send(upload=[good, bad])
    assert answer.status_code == 422
    page = page_of(answer)
    assert "virus.exe" in page
    assert f'name="files" value="{File.objects.get().id}"' in page
    assert not Run.objects.exists()
    send(files=[str(File.objects.get().id)])
    assert Run.objects.get().files == [str(File.objects.get().id)]


def test_a_limit_is_told_in_the_form(send: Send, settings: Settings) -> None:
    settings.RUNS_OPEN_PER_USER = 1
    send()
    answer = send(brief="Another.")
    assert answer.status_code == 429
    assert "You have 1 runs open." in page_of(answer)
    assert "Another.</textarea>" in page_of(answer)


def test_a_brief_of_markup_stays_text(send: Send) -> None:
    page = page_of(send(brief="</textarea><script>window.__xss = 1</script>", chapters="99"))
    assert "<script>window" not in page


# --- files that go ahead of the form


def test_a_file_goes_ahead_and_is_named_with_its_size(people: People, owner: Client, send: Send) -> None:
    upload = SimpleUploadedFile("notes.md", b"# Loops")
    answer = owner.post("/new/files/", {"file": upload, "workspace": people.workspace.id})
    assert "<bdi>notes.md</bdi>, 7\xa0bytes" in page_of(answer)
    kept = File.objects.get()
    send(files=[str(kept.id)])
    assert Run.objects.get().files == [str(kept.id)]


def test_a_file_that_lies_about_itself_is_refused_in_a_sentence(people: People, owner: Client) -> None:
    upload = SimpleUploadedFile("notes.pdf", b"no pdf")
    form = {"file": upload, "workspace": people.workspace.id}
    answer = owner.post("/new/files/", form, headers={"Accept": "text/html;q=0.5, application/json"})
    assert answer.status_code == 422
    assert answer.json()["error_code"] == "validation.file_content"


def test_a_file_can_be_taken_back_without_script(people: People, send: Send) -> None:
    one, other = (files.store(people.owner, people.workspace, f"{n}.txt", b"x") for n in range(2))
    page = page_of(send(files=[str(one.id), str(other.id)], drop=str(one.id)))
    assert str(one.id) not in page
    assert str(other.id) in page
    assert not Run.objects.exists()


def test_a_strangers_file_is_not_taken(people: People, send: Send) -> None:
    theirs = files.store(people.stranger, people.stranger.workspaces.get(), "secret.txt", b"x")
    send(files=[str(theirs.id)])
    assert Run.objects.get().files == []


# --- what it may cost


@pytest.fixture
def seeded(db: None) -> None:
    instructions.give()


def test_more_chapters_cost_more(seeded: None, settings: Settings) -> None:
    settings.MODEL_KEYS, settings.MODEL_NAMES = {"openai": "k"}, {"openai": "gpt-4.1"}
    course = recipe_of("course")
    two, ten = (estimates.estimate(course, CourseOptions(chapters=n), 400) for n in (2, 10))
    assert two
    assert ten
    assert two.usd
    assert ten.usd
    assert two.usd[0] < two.usd[1] < ten.usd[1]
    assert two.calls[0] < ten.calls[0]


def test_longer_briefs_and_files_cost_more(seeded: None, settings: Settings) -> None:
    settings.MODEL_KEYS, settings.MODEL_NAMES = {"openai": "k"}, {"openai": "gpt-4.1"}
    sizes = [(100, 0), (40_000, 0), (40_000, 100_000)]
    found = [estimates.estimate(recipe_of("course"), CourseOptions(), *size) for size in sizes]
    most = [one.usd[1] for one in found if one and one.usd]
    assert most == sorted(most)
    assert len(set(most)) == 3


def test_a_price_nobody_knows_is_unknown_and_never_free(
    people: People, owner: Client, seeded: None, settings: Settings
) -> None:
    Agent.objects.filter(name="examiner").update(chain=["openai:unheard-of"])
    settings.MODEL_KEYS, settings.MODEL_NAMES = {"openai": "k"}, {"openai": "gpt-4.1"}
    page = page_of(owner.get("/new/course/"))
    assert "Cost unknown" in page
    assert "openai:unheard-of" in page


def test_the_demo_model_is_free_and_named(owner: Client, seeded: None) -> None:
    page = page_of(owner.get("/new/course/"))
    assert '<p class="sum">Free</p>' in page
    assert "The demo model writes." in page


def test_the_form_costs_few_queries(owner: Client, seeded: None) -> None:
    with CaptureQueriesContext(connection) as seen:
        owner.get("/new/course/")
    assert len(seen) <= 8


def test_the_estimate_follows_the_options_and_takes_nonsense(owner: Client, seeded: None, settings: Settings) -> None:
    settings.MODEL_KEYS, settings.MODEL_NAMES = {"openai": "k"}, {"openai": "gpt-4.1"}

    def asked(**typed: str) -> str:
        answer = owner.get("/new/course/estimate/", typed)
        assert answer.status_code == 200
        return page_of(answer)

    assert asked(chapters="1") != asked(chapters="9")
    assert asked(chapters="nonsense", characters="²", bytes="-1") == asked()


# --- who may


def test_a_viewer_reads_why_there_is_no_form_and_is_refused(people: People) -> None:
    viewer = people.client(people.viewer)
    page = page_of(viewer.get("/new/"))
    assert "You may read in this workspace." in page
    assert "<textarea" not in page
    assert viewer.post("/new/course/", {"workspace": people.workspace.id, "brief": "x"}).status_code == 403
    upload = SimpleUploadedFile("notes.txt", b"x")
    assert viewer.post("/new/files/", {"file": upload, "workspace": people.workspace.id}).status_code == 403


def test_a_stranger_writes_nothing_here(people: People) -> None:
    stranger = people.client(people.stranger)
    assert stranger.post("/new/course/", {"workspace": people.workspace.id, "brief": "x"}).status_code == 404
    assert not Run.objects.exists()


def test_a_kind_nobody_knows_is_no_page(owner: Client) -> None:
    assert owner.get("/new/opera/").status_code == 404
