"""The page of a document: one moment of its rows, with everything that a reader should know of how it came about."""

import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from generation import documents, runs, sections
from generation.carrier import Carrier
from generation.models import Call, Claim, Document, Drawing, Event, Run, RunState, Section, Step
from generation.orders import Order
from generation.registry import recipe_of
from memory import bases
from memory.base.database import db as in_database
from memory.base.ranks import spread
from memory.history import By
from memory.models import User
from tests.generation.conftest import Demo, Start, ended, reached
from tests.generation.exports.corpus import ALL
from tests.people import People

FAULT = {"error_code": "model.server_error", "params": {}, "permanent": False}


@pytest.fixture
def people(people_committed: People) -> People:
    """Committed: a page is one snapshot, which needs a transaction of its own."""
    return people_committed


@pytest.fixture
def course(people: People) -> Document:
    """A chapter with its three places, the lesson with a part."""
    document = documents.create("course", "Loops", {}, user=people.owner, workspace=people.workspace)
    by = By.person(people.owner)
    chapter = sections.add(document, "chapter", {"title": "Why repeat"}, by)
    lesson = sections.add(document, "lesson", {}, by, parent=chapter)
    part = sections.add(document, "part", {"title": "For ever", "content": "Loops *repeat*."}, by, parent=lesson)
    keys = {chapter: "chapter-1", lesson: "chapter-1/lesson", part: "chapter-1/lesson/part-1"}
    for section, key in keys.items():
        Section.objects.filter(id=section.id).update(key=key)
    return document


def html(people: People, document: UUID, who: str = "owner", path: str = "", **headers: str) -> str:
    answer = people.client(getattr(people, who)).get(f"/documents/{document}/{path}", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def fragment(page: str, key: str) -> str:
    """The section of this key, with its own end."""
    found = re.search(rf'<section [^>]*data-key="{re.escape(key)}".*?</section>', page, re.DOTALL)
    assert found, key
    return found[0]


def set_field(section: str, **fields: Any) -> None:
    Section.objects.filter(key=section).update(**fields)


def running(document: Document, user: User, **facts: Any) -> Run:
    """A run that is at work on the document."""
    order = Order(document.brief or "Loops.")
    run, _ = runs.start(recipe_of(document.kind), order, user=user, workspace=document.workspace, document=document)
    Claim.objects.filter(run=run).update(state=RunState.RUNNING, **facts)
    return run


def writes(run: Run, step: str, *pieces: str, attempt: int = 1) -> None:
    """The step has begun, and this has come of it so far."""
    Step.objects.update_or_create(run=run, key=step, defaults={"attempts": attempt, "label": {"code": "lesson"}})
    claim = Claim.objects.get(run=run)
    for text in pieces:
        claim.last_seq += 1
        data = {"step": step, "attempt": attempt, "text": text}
        Event.objects.create(run=run, seq=claim.last_seq, type="content_delta", data=data)
    claim.save()


# --- read


def test_it_reads_in_order_with_its_outline(people: People, course: Document) -> None:
    page = html(people, course.id, "viewer")
    assert page.index("Why repeat</span></h2>") < page.index("For ever") < page.index("Loops <em>repeat</em>.")
    assert "1. Why repeat" in page
    assert 'http-equiv="refresh"' not in page


def test_the_stranger_finds_nothing_and_the_viewer_changes_nothing(people: People, course: Document) -> None:
    set_field("chapter-1/lesson", fallback=FAULT)
    running(course, people.owner)
    for path in ("", "pieces/"):
        assert people.client(people.stranger).get(f"/documents/{course.id}/{path}").status_code == 404
    seen = html(people, course.id, "viewer")
    assert "Write this lesson again" not in seen
    assert "Stop" not in seen
    assert "Stop" in html(people, course.id, "teammate")


def test_a_section_opened_by_its_address_leads_to_its_page(people: People, course: Document) -> None:
    section = Section.objects.get(key="chapter-1/lesson/part-1")
    client = people.client(people.owner)
    answer = client.get(f"/sections/{section.id}/")
    assert answer["Location"] == f"/documents/{course.id}/?from={section.id}#section-{section.id}"
    alone = client.get(f"/sections/{section.id}/", headers={"HX-Request": "true"}).content.decode()
    page = html(people, course.id)
    token = r'name="csrfmiddlewaretoken" value="\w+"'
    assert re.sub(token, "", alone.strip()) == re.sub(token, "", fragment(page, section.key))


def test_text_of_both_directions_and_of_great_length_stays_within_the_page(people: People, course: Document) -> None:
    set_field("chapter-1/lesson/part-1", fields={"title": "مرحبا", "content": "שלום " + "x" * 5_000})
    page = html(people, course.id)
    assert 'dir="auto">مرحبا' in page
    assert "x" * 5_000 in page


# --- what went wrong


def test_a_stand_in_says_what_happened_and_the_one_thing_to_do(people: People, course: Document) -> None:
    set_field("chapter-1/lesson", fallback=FAULT)
    set_field("chapter-1/lesson/part-1", fallback=FAULT)
    lesson = fragment(html(people, course.id), "chapter-1/lesson")
    assert "This lesson could not be written." in lesson
    assert "The provider has a fault." in lesson
    part = fragment(html(people, course.id), "chapter-1/lesson/part-1")
    assert "could not be written" not in part  # the lesson has said so
    assert "Stand-in" in part


def test_the_words_are_the_readers(people: People, course: Document) -> None:
    set_field("chapter-1/lesson", fallback=FAULT)
    User.objects.filter(pk=people.owner.pk).update(language="fr")
    lesson = fragment(html(people, course.id), "chapter-1/lesson")
    assert "Cette leçon n’a pas pu être écrite." in lesson
    assert "Version de secours" in lesson


def test_a_diagram_that_is_missing_says_so_and_shows_what_it_was_to_show(people: People, course: Document) -> None:
    fields = {
        "title": "A",
        "content": "B",
        "diagram_type": "mermaid",
        "schema_description": "A loop",
        "diagram_code": "graph",
    }
    set_field("chapter-1/lesson/part-1", fields={**fields, "diagram_error": FAULT})
    part = fragment(html(people, course.id), "chapter-1/lesson/part-1")
    assert "This diagram could not be drawn." in part
    assert "A loop" in part
    set_field("chapter-1/lesson/part-1", fields={**fields, "diagram": "d" * 64})
    svg = '<svg viewBox="0 0 640.4 480">'
    Drawing.objects.create(digest="d" * 64, workspace=people.workspace, type="mermaid", code="graph", svg=svg)
    drawn = fragment(html(people, course.id), "chapter-1/lesson/part-1")
    assert f'<img src="/diagrams/{"d" * 64}.svg" alt="A loop" loading="lazy" width="640" height="480"' in drawn


def test_what_is_locked_and_what_is_not_written_says_so(people: People, course: Document) -> None:
    set_field("chapter-1/lesson", locked=True)
    set_field("chapter-1/lesson/part-1", fields={"title": "For ever"})
    page = html(people, course.id)
    assert "Locked" in fragment(page, "chapter-1/lesson")
    assert "Not written" in fragment(page, "chapter-1/lesson/part-1")


def test_a_stopped_run_says_what_is_kept_and_goes_on(people: People, course: Document) -> None:
    set_field("chapter-1/lesson/part-1", fields={"title": "For ever"})
    run = running(course, people.owner)
    Step.objects.create(run=run, key="chapter-1/lesson")
    Claim.objects.filter(run=run).update(state=RunState.CANCELLED)
    page = html(people, course.id)
    assert "The writing was stopped." in page
    client = people.client(people.owner)
    answer = client.post(f"/runs/{run.id}/retry/", {"key": "go-on"})
    assert answer["Location"] == f"/documents/{course.id}/"
    client.post(f"/runs/{run.id}/retry/", {"key": "go-on"})
    assert Run.objects.filter(retries=run).count() == 1  # the same form sent twice


# --- while it is written


def test_it_holds_the_text_of_open_steps_up_to_the_number_it_is_followed_from(people: People, course: Document) -> None:
    run = running(course, people.owner)
    writes(run, "chapter-1/lesson", "### For ever\n\nA whole ", "paragraph.\n\nThe open ", "one 🎉 <b>")
    page = html(people, course.id)
    lesson = fragment(page, "chapter-1/lesson")
    assert "<h3>For ever</h3>" in lesson
    assert "<p>A whole paragraph.</p>" in lesson
    assert '<p class="open">The open one 🎉 &lt;b&gt;</p>' in lesson
    assert 'data-count="2" data-end="34"' in lesson
    assert f'data-seq="{Claim.objects.get(run=run).last_seq}"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "Being written" in lesson


def test_text_of_an_attempt_that_failed_is_gone(people: People, course: Document) -> None:
    run = running(course, people.owner)
    writes(run, "chapter-1/lesson", "thrown away")
    writes(run, "chapter-1/lesson", "what counts", attempt=2)
    lesson = fragment(html(people, course.id), "chapter-1/lesson")
    assert "thrown away" not in lesson
    assert "what counts" in lesson


def test_a_fragment_leaves_live_text_to_who_follows_it(people: People, course: Document) -> None:
    run = running(course, people.owner)
    writes(run, "chapter-1/lesson", "so far")
    lesson = Section.objects.get(key="chapter-1/lesson")
    pieces = html(people, course.id, path=f"pieces/?id={lesson.id}", HX_Request="true")
    assert 'data-live="chapter-1/lesson"' in pieces
    assert "so far" not in pieces
    stamps = re.compile(r'data-stamps="([^"]*)"')
    page = html(people, course.id)
    assert stamps.findall(pieces) == stamps.findall(page)  # nothing has changed: nothing is asked for


def test_what_has_no_title_yet_says_what_was_asked_for(people: People) -> None:
    order = Order("A course on loops, for beginners.")
    run, _ = runs.start(recipe_of("course"), order, user=people.owner, workspace=people.workspace)
    assert run.document_id
    page = html(people, run.document_id)
    assert re.search(r"<h1[^>]*>A new course</h1>", page)
    assert '<p class="lede" dir="auto">A course on loops, for beginners.</p>' in page
    assert "It is being planned." in page
    runs.cancel(run, people.owner)
    assert re.search(r"<h1[^>]*>Untitled</h1>", html(people, run.document_id))


def test_waiting_for_a_place_is_said(people: People, course: Document) -> None:
    run = running(course, people.owner)
    Claim.objects.filter(run=run).update(state=RunState.QUEUED)
    assert "Waits for a free place" in html(people, course.id)


def test_what_waits_says_what_will_stand_there_and_when(people: People, course: Document) -> None:
    asked = {"exercises_per_chapter": 1, "evaluation_questions": 10, "evaluation_minutes": 20}
    Document.objects.filter(id=course.id).update(fields={"level_detail": "standard", **asked})
    by = By.person(people.owner)
    chapter = Section.objects.get(key="chapter-1")
    for n, name in enumerate(("evaluation", "exercises"), 2):
        section = sections.add(course, name, {}, by, parent=chapter)
        Section.objects.filter(id=section.id).update(key=f"chapter-{n}/{name}")
    run = running(course, people.owner, reason="")
    Run.objects.filter(id=run.id).update(again=["chapter-1/lesson", "chapter-2/evaluation", "chapter-3/exercises"])
    page = html(people, course.id)
    assert "3 to 5 parts, with diagrams." in fragment(page, "chapter-1/lesson")
    assert "as soon as a model is free" in fragment(page, "chapter-1/lesson")
    assert "10 questions on this chapter, in 20 minutes." in fragment(page, "chapter-2/evaluation")
    assert "1 exercise on this lesson." in fragment(page, "chapter-3/exercises")
    Claim.objects.filter(run=run).update(state=RunState.QUEUED)
    assert "when its turn has come" in fragment(html(people, course.id), "chapter-1/lesson")
    Claim.objects.filter(run=run).update(state=RunState.WAITING, reason="person")
    assert "once its outline is agreed" in fragment(html(people, course.id), "chapter-1/lesson")
    Document.objects.filter(id=course.id).update(fields={"level_detail": "flash"})
    assert "1 or 2 parts, with diagrams." in fragment(html(people, course.id), "chapter-1/lesson")
    Run.objects.filter(id=run.id).update(again=[])
    assert "1 or 2 parts" not in html(people, course.id), "what is written says it itself"


def asks(run: Run, step: str, model: str, **facts: Any) -> None:
    shared = {"run": run, "workspace": run.workspace, "user": run.user, "epoch": 1, "agent": "writer"}
    Call.objects.create(**shared, step=step, attempt=1, provider="mistral", model=model, **facts)


def test_a_model_that_failed_is_tried_again_or_another_takes_its_place(people: People, course: Document) -> None:
    run = running(course, people.owner)
    writes(run, "chapter-1/lesson", "so far")
    asks(run, "chapter-1/lesson", "large", reason="first", state="failed", error=FAULT)
    lesson = fragment(html(people, course.id), "chapter-1/lesson")
    assert "Tried again" in lesson
    assert "attempt 2 of 3" in lesson
    asks(run, "chapter-1/lesson", "small", reason="next_model", state="sent")
    lesson = fragment(html(people, course.id), "chapter-1/lesson")
    assert "Tried again" not in lesson
    assert "in place of large" in lesson


def test_what_it_cost_is_in_the_margin_and_an_unknown_price_is_not_nothing(people: People, course: Document) -> None:
    run = running(course, people.owner)
    Step.objects.create(run=run, key="chapter-1/lesson", state="done", finished_at=now())
    asks(run, "chapter-1/lesson", "large", reason="first", state="done", cost_usd="0.034")
    assert "$0.03" in fragment(html(people, course.id), "chapter-1/lesson")
    asks(run, "chapter-1/lesson", "large", reason="repair", state="done", cost_usd=None)
    assert "$" not in fragment(html(people, course.id), "chapter-1/lesson")


def test_what_rests_on_something_that_changed_is_to_be_read_again(people: People, course: Document) -> None:
    chapter, lesson = Section.whole().get(key="chapter-1"), Section.whole().get(key="chapter-1/lesson")
    set_field("chapter-1/lesson", status="ready")
    bases.rest(lesson, [(chapter, "title", "Something else")])
    seen = fragment(html(people, course.id), "chapter-1/lesson")
    assert "To read again" in seen
    assert "Changed since this was written: the title of “Why repeat”." in seen


def test_a_diagram_older_than_its_text_is_to_be_drawn_again(people: People, course: Document) -> None:
    part = Section.whole().get(key="chapter-1/lesson/part-1")
    set_field(part.key, status="ready")
    bases.rest(part, [(part, "content", "Something else")], path="diagram")
    Step.objects.create(run=running(course, people.owner), key=f"{part.key}/diagram", state="done", finished_at=now())
    Claim.objects.update(state=RunState.DONE)
    seen = fragment(html(people, course.id), part.key)
    assert "Its diagram shows what stood here before." in seen
    assert "Draw this diagram again" in seen
    assert f'name="step" value="{part.key}/diagram"' in seen
    assert "Changed since this was written" not in seen
    bases.rest(part, [(Section.whole().get(key="chapter-1"), "title", "Something else")])
    assert "Changed since this was written" in fragment(html(people, course.id), part.key)
    answer = people.client(people.owner).post(f"/sections/{part.id}/retry/", {"step": f"{part.key}/diagram"})
    assert answer.status_code == 302
    assert Run.objects.filter(again__contains=f"{part.key}/diagram").exists()


async def test_who_wrote_it_and_in_what_time_is_in_the_margin(carrier: Carrier, start: Start, house: People) -> None:
    run = await start(kind="note")
    await ended(run)
    document = await in_database(lambda: Document.objects.get(runs=run))
    page = await in_database(html, house, document.id)
    first = fragment(page, "section-1")
    assert "demo model" in first
    assert re.search(r"\d+ words", first)
    assert re.search(r"\d+ s", first)


async def test_a_model_that_is_asked_again_is_shown_to_be(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    demo.set(rules=[{"contains": "loops", "fault": "server_error"}])
    run = await start(kind="note")
    await ended(run)
    document = await in_database(lambda: Document.objects.get(runs=run))
    page = await in_database(html, house, document.id)
    assert "The writing broke off." in page
    assert "The provider has a fault." in page


# --- questions and actions


OUTLINE = {
    "title": "Loops",
    "description": "Loops in Python.",
    "difficulty": "beginners",
    "level_detail": "flash",
    "exercises_per_chapter": 0,
    "evaluation_questions": 0,
    "evaluation_minutes": None,
    "chapters": [{"title": f"Chapter {n}", "description": f"It teaches {n}."} for n in (1, 2, 3)],
}


async def test_an_outline_is_edited_by_a_plain_form(carrier: Carrier, start: Start, house: People, demo: Demo) -> None:
    demo.set(rules=[{"contains": "Plan the course.", "content": json.dumps(OUTLINE)}])
    run = await start(kind="course", options={"review_outline": True})
    await reached(run, RunState.WAITING)
    document = await in_database(lambda: Document.objects.get(runs=run))
    page = await in_database(html, house, document.id)
    assert "Is this the outline you want?" in page
    form = dict(re.findall(r'name="([\w-]+)"[^>]*? value="([^"]*)"', page))
    form |= dict(re.findall(r'<textarea[^>]* name="([\w-]+)"[^>]*>([^<]*)', page))
    form |= {"step": "review_outline", "level_detail": "flash", "chapters-1-order": "2.5", "chapters-2-remove": "on"}
    form |= {"chapters-4-title": "A fourth", "chapters-4-description": "New.", "title": "Mine"}

    def post(user: User) -> Any:
        return house.client(user).post(f"/runs/{run.id}/answer/", form)

    assert (await in_database(post, house.viewer)).status_code == 403
    assert (await in_database(post, house.owner))["Location"] == f"/documents/{document.id}/"
    assert (await ended(run)).state == RunState.DONE
    there = await in_database(lambda: documents.sections_of(Document.whole().get(id=document.id)))
    titles = [each.fields["title"] for each in there if each.type == "chapter"]
    assert titles == ["Chapter 1", "Chapter 3", "A fourth"]
    assert (await in_database(post, house.owner)).status_code == 409  # answered already


def test_a_chapter_is_ordered_by_the_form_of_its_action_once(people: People, course: Document) -> None:
    page = html(people, course.id)
    assert "Add a chapter" in page
    client = people.client(people.teammate)
    for _ in range(2):
        answer = client.post(f"/documents/{course.id}/actions/add_chapter/", {"instruction": "While.", "key": "once"})
        assert answer["Location"] == f"/documents/{course.id}/"
    run = Run.objects.get(document=course)
    assert (run.action, run.options) == ("add_chapter", {"instruction": "While."})
    assert "Add a chapter" not in html(people, course.id, "viewer")


# --- limits and attacks


@pytest.fixture
def large(people: People, course: Document) -> Document:
    """Two hundred parts of 3 kB."""
    lesson = Section.objects.get(key="chapter-1/lesson")
    Section.objects.bulk_create(
        Section(document=course, parent=lesson, type="part", key=f"part-{n}", rank=f"z{rank}",
                fields={"title": f"Part {n}", "content": f"{n}. " + "A word. " * 370})
        for n, rank in enumerate(spread(200))
    )  # fmt: skip
    return course


def test_a_large_document_comes_in_parts_in_few_queries(people: People, large: Document) -> None:
    client = people.client(people.owner)
    with CaptureQueriesContext(connection) as asked:
        first = client.get(f"/documents/{large.id}/").content.decode()
    assert len(first) <= 200_000
    assert sum(each["sql"] not in ("BEGIN", "COMMIT") for each in asked.captured_queries) <= 12
    parts, more = re.compile(r"<h3[^>]*>Part (\d+)</h3>"), re.compile(r'hx-get="/documents/[\w-]+/(\?from=[\w-]+)"')
    read, page = parts.findall(first), first
    while following := more.search(page):
        page = html(people, large.id, path=following[1], HX_Request="true")
        read += parts.findall(page)
    assert read == [str(n) for n in range(200)]  # none missing, none twice


def test_nothing_that_is_written_runs(people: People, course: Document) -> None:
    """The text in every place that holds one."""
    Document.objects.filter(id=course.id).update(title=ALL[:190], fields={"description": ALL[:1_900]})
    set_field("chapter-1", fields={"title": ALL[:100], "description": ALL[:900]})
    set_field("chapter-1/lesson/part-1", fields={"title": ALL[:200], "content": ALL, "diagram_type": "mermaid",
                                               "schema_description": ALL[:300], "diagram_code": ALL})  # fmt: skip
    run = running(course, people.owner)
    writes(run, "chapter-1/lesson", ALL + "\n\n", ALL)
    Step.objects.filter(run=run).update(label={"code": "lesson", "title": ALL})
    page = html(people, course.id)
    mine = page[page.index("<main") :]
    assert not re.search(
        r"<(iframe|object|embed|base|link|meta(?! http-equiv=.refresh)|math(?! display=.(inline|block).>)|animate)",
        mine,
        re.IGNORECASE,
    )
    assert not re.search(r"<script(?![^>]* src=)", page, re.IGNORECASE)
    assert not re.search(r"<[^>]*\son\w+\s*=", re.sub(r'"[^"]*"', '""', mine))
    assert not re.search(r'(href|src)="\s*(javascript|data|file):', mine, re.IGNORECASE)
    assert not re.search(r'src="(https?:)?//', page)


def test_a_document_that_is_not_there_is_not_found(people: People) -> None:
    assert people.client(people.owner).get(f"/documents/{uuid4()}/").status_code == 404
    assert people.client(people.owner).get(f"/documents/{uuid4()}/pieces/").status_code == 404
