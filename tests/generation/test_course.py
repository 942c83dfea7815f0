"""A course from its brief to its last question: everything at once, each part alone when it fails."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from generation import actions, documents, exports, runs, sections
from generation.carrier import Carrier
from generation.diagrams import rendering
from generation.documents import sections_of
from generation.manuscripts import Figure, Notice
from generation.models import Call, Claim, Document, Drawing, Run, RunState, Section, Step
from memory import bases, files, history
from memory.base.database import db as in_database
from memory.base.errors import Conflict, RunError
from memory.history import By
from memory.models import Change, Proposal, User
from tests.counting import counted
from tests.generation.conftest import Demo, Start, blocks_of, count, ended, reached, recorded_text, wake
from tests.generation.diagrams.test_renderers import SLOW
from tests.generation.exports import readers
from tests.patience import PATIENCE_SECONDS
from tests.people import People
from tests.plans import outline, planned
from tests.rest import Rest

BRIEFS = Path(__file__).parents[1] / "briefs"  # as people sent them
SMALL = "A short course on loops in Python: why repeat, the for loop. Flash level, 1 exercise, 2 questions."


Course = Callable[..., Awaitable[Run]]


@pytest.fixture
def course(carrier: Carrier, start: Start, demo: Demo) -> Course:
    """Have a course of so many chapters written to its end, which is this one; `rules` are what else models do."""

    async def write(chapters: int = 1, *rules: dict[str, Any], state: RunState = RunState.DONE, **facts: Any) -> Run:
        demo.set(rules=[planned(chapters, **facts), *rules])
        run = await start(kind="course", brief=SMALL)
        assert (await ended(run)).state == state
        return run

    return write


async def done(run: Run) -> None:
    assert (await ended(run)).state == RunState.DONE


async def failed_with(run: Run) -> str:
    assert (await ended(run)).state == RunState.FAILED
    return str(await in_database(lambda: Run.objects.values_list("error__error_code", flat=True).get(id=run.id)))


async def document_of(run: Run) -> Document:
    return await in_database(lambda: Document.whole().get(runs=run))


async def tree(run: Run) -> dict[str, Section]:
    document = await document_of(run)
    return {section.key: section for section in await in_database(sections_of, document)}


async def once_there(run: Run, key: str) -> dict[str, Section]:
    """The sections as soon as this one is among them."""
    until = time.monotonic() + PATIENCE_SECONDS
    while key not in (written := await tree(run)):
        assert time.monotonic() < until, f"no {key}"
        await asyncio.sleep(0.02)
    return written


def steps_paid(run: Run) -> set[str]:
    return set(Call.objects.filter(run=run).values_list("step", flat=True))


async def unwell(run: Run) -> dict[str, Any]:
    """Steps that fell back or failed, and why."""
    return await in_database(lambda: dict(Step.objects.filter(run=run).exclude(error=None).values_list("key", "error")))


@pytest.mark.parametrize("brief", ["course-short.txt", pytest.param("course-deep.txt", marks=pytest.mark.uncounted)])
async def test_a_brief_becomes_a_whole_course_in_every_format(
    carrier: Carrier, house: People, demo: Demo, brief: str
) -> None:
    """Sent and read over REST: every part with its text and its drawing, every question, no field without a value."""
    rest = await in_database(Rest, house.teammate)
    text = (BRIEFS / brief).read_text()
    asked = (await in_database(rest.post, "runs", {"kind": "course", "brief": text})).json()
    run = await in_database(lambda: Run.objects.get(id=asked["id"]))
    claim = await ended(run)
    assert await unwell(run) == {}
    assert claim.state == RunState.DONE
    shown = (await in_database(rest.get, f"documents/{asked['document']}")).json()
    assert (shown["language"], shown["state"]) == ("fr", "draft")
    assert shown["title"]
    assert shown["fields"]["description"]
    outline = (await in_database(lambda: Step.objects.get(run=run, key="outline"))).result
    assert outline
    assert len(shown["sections"]) == len(outline["chapters"])
    types = {check_chapter(chapter, shown["fields"]) for chapter in shown["sections"]}
    assert set().union(*types) >= {"mermaid", "vegalite"}
    blocks = await blocks_of(run)
    assert count(blocks, Notice) == 0
    assert all(block.svg and block.svg.startswith("<svg") for block in blocks if isinstance(block, Figure))
    calls = await in_database(lambda: Call.objects.filter(run=run).exclude(state="done").count())
    assert calls == 0
    assert demo.stats()["requests"] == await in_database(lambda: Call.objects.filter(run=run).count())
    for kind in exports.FORMATS:
        ask = partial(rest.get, f"documents/{shown['id']}/export", format=kind, answers=True)
        file = await in_database(ask)
        assert file.status_code == 200, file.content
        said = " ".join(readers.words(kind, file.content).split())
        assert all(" ".join(chapter["fields"]["title"].split()) in said for chapter in shown["sections"])


def check_chapter(chapter: dict[str, Any], course: dict[str, Any]) -> frozenset[str]:
    """It holds all that a chapter has, and no field of it is empty; which kinds of diagrams its parts have."""
    lesson, exercises, evaluation = chapter["sections"]
    parts, blocks = lesson["sections"], exercises["sections"]
    assert parts
    assert len(blocks) == course["exercises_per_chapter"]
    assert len(evaluation["fields"]["questions"]) == course["evaluation_questions"]
    for part in parts:
        wanted = {"title", "content", "schema_description", "diagram_type", "diagram_code", "diagram"}
        assert part["fields"].keys() == wanted
    for section in (chapter, *parts, *blocks, evaluation):
        assert all(value not in (None, "", [], {}) for value in section["fields"].values()), section["key"]
    for section in (lesson, exercises, evaluation, *parts, *blocks):
        assert (section["state"], section["fallback"], section["proposals"]) == ("ready", None, [])
    for question in [each for section in (*blocks, evaluation) for each in section["fields"]["questions"]]:
        assert question["text"]
        assert question.get("expected") or any(answer["is_correct"] for answer in question["answers"])
    return frozenset(part["fields"]["diagram_type"] for part in parts)


async def test_questions_of_a_course_have_what_correcting_needs(course: Course) -> None:
    run = await course(1, exercises_per_chapter=4, evaluation_questions=5)
    written = await tree(run)
    questions = [question for section in written.values() for question in section.fields.get("questions", ())]
    choices = [question for question in questions if "answers" in question]
    opens = [question for question in questions if "answers" not in question]
    assert choices
    assert opens
    assert all(any(answer["is_correct"] for answer in question["answers"]) for question in choices)
    assert all(2 <= len(question["answers"]) <= 5 for question in choices)
    assert all(question["expected"] for question in opens)
    assert len({question["id"] for question in questions}) == len(questions)


async def test_a_person_may_edit_the_outline_before_anything_is_written(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    demo.set(rules=[planned(3)])
    run = await start(kind="course", brief=SMALL, options={"review_outline": True})
    claim = await reached(run, RunState.WAITING)
    assert claim.reason == "person"
    question = (await in_database(lambda: Run.objects.get(id=run.id))).question
    assert question is not None
    assert [chapter["title"] for chapter in question["shown"]["chapters"]] == [f"Chapter no. {n}" for n in (1, 2, 3)]
    assert [key for key, section in (await tree(run)).items() if section.type == "chapter"] == [
        "chapter-1",
        "chapter-2",
        "chapter-3",
    ]
    edited = outline(2, title="My loops")
    edited["chapters"][1]["title"] = "Mine"
    await in_database(runs.answer, run, house.owner, "review_outline", edited)
    await done(run)
    written = await tree(run)
    assert [each.fields["title"] for each in written.values() if each.type == "chapter"] == ["Chapter no. 1", "Mine"]
    assert (await document_of(run)).title == "My loops"
    assert written["chapter-2/lesson"].status == "ready"


async def test_progress_counts_diagrams_and_exercises_and_never_falls(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    """As a follower is told it, also when a person let the outline go on, and a chapter is added later."""
    demo.set(rules=[planned(2, exercises_per_chapter=2)])
    run = await start(kind="course", brief=SMALL, options={"review_outline": True})
    await reached(run, RunState.WAITING)
    question = (await in_database(lambda: Run.objects.get(id=run.id))).question or {}
    await in_database(runs.answer, run, house.owner, "review_outline", question["shown"])
    await ended(run)
    document = await document_of(run)
    added, _ = await in_database(lambda: actions.act(document, "add_chapter", {}, user=house.owner))
    await ended(added)
    rest = await in_database(Rest, house.viewer)
    for each in (run, added):
        told = (await in_database(rest.get, f"runs/{each.id}/events")).json()["events"]
        steps = [event["data"] for event in told if event["type"] == "step" and "progress" in event["data"]]
        seen = [step["progress"] for step in steps]
        assert seen == sorted(seen)
        ends = {step["key"]: step["progress"] for step in steps}
        assert {ends[key] for key in ("outline", "chapters", "chapter") if key in ends} == {8}
        drawn = [n for n, key in enumerate(ends) if key.endswith("/diagram") or "/block-" in key]
        rises = {key: round(seen[n] - seen[n - 1], 1) for n, key in enumerate(ends) if n in drawn[:-1]}
        assert [key for key, rise in rises.items() if rise <= 1] == [], rises
        assert seen[-2] < 97
        assert seen[-1] == 99


async def test_a_model_that_says_too_much_is_not_asked_again(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    """The first of what it planned and wrote is kept, long titles are shortened; what was left out stays to be read."""
    words = "words " * 20
    question = {"text": "Why?", "expected": "Because.", "explanation": "So."}
    choice = {"text": "What?", "correct_answers": ["a"], "wrong_answers": ["b", "c"], "explanation": "So."}
    part = {"title": "t", "content": "Text.", "schema_description": "A flow.", "diagram_type": "mermaid"}
    titles = ["Chapter " + words, "Chapter two", "Chapter three"]
    answers = {
        "Plan the course.": {**outline(0), "chapters": [{"title": title, "description": "d"} for title in titles]},
        "Write the lesson": {"parts": [{**part, "title": f"Part {n}"} for n in range(3)]},
        "Plan 1 exercises": {"blocks": [{"topic": f"{n} {words * 2}", "kind": "open"} for n in range(2)]},
        "Write the exercise on": {"questions": [{**question, "text": f"{n}?"} for n in range(4)]},
        "questions of the evaluation": {"multiple_choice": [choice] * 3, "open": [question] * 2},
    }
    demo.set(rules=[{"contains": asked, "content": json.dumps(said)} for asked, said in answers.items()])
    rest = await in_database(Rest, house.teammate)
    order = {"kind": "course", "brief": SMALL, "options": {"chapters": 2}}
    asked = (await in_database(rest.post, "runs", order)).json()
    run = await in_database(lambda: Run.objects.get(id=asked["id"]))
    await done(run)
    assert not await in_database(Call.objects.filter(run=run, reason="repair").exclude(step__endswith="diagram").exists)
    shown = (await in_database(rest.get, f"documents/{asked['document']}")).json()
    first, second = shown["sections"]
    assert first["fields"]["title"] == "Chapter " + ("words " * 15).strip() + "…"
    assert second["fields"]["title"] == "Chapter two"
    lesson, exercises, evaluation = first["sections"]
    assert [each["fields"]["title"] for each in lesson["sections"]] == ["Part 0", "Part 1"]
    assert [len(each["fields"]["questions"]) for each in exercises["sections"]] == [3]
    assert [question["text"] for question in evaluation["fields"]["questions"]] == ["What?", "Why?"]
    told = (await in_database(rest.get, f"runs/{run.id}/events")).json()["events"]
    trimmed = {event["data"]["key"]: event["data"].get("trimmed") for event in told if event["type"] == "step"}
    assert trimmed["outline"] == [
        {"path": "chapters", "kept": 2, "of": 3},
        {"path": "chapters.0.title", "kept": 98, "of": 128},
    ]
    assert trimmed["chapter-1/lesson"] == [{"path": "parts", "kept": 2, "of": 3}]
    assert trimmed["chapter-2/evaluation"] == [
        {"path": "multiple_choice", "kept": 1, "of": 3},
        {"path": "open", "kept": 1, "of": 2},
    ]
    assert "Chapter three" in (await recorded_text(run))["outline"]
    assert "Part 2" in (await recorded_text(run))["chapter-1/lesson"]


THIRD_FAILS = [{"contains": "This chapter: Chapter no. 3", "fault": "server_error"}]


async def test_a_chapter_that_fails_is_labelled_and_made_again_alone(course: Course, house: People, demo: Demo) -> None:
    run = await course(5, *THIRD_FAILS, state=RunState.PARTIAL)
    written = await tree(run)
    own = {key for key, section in written.items() if section.fallback}
    assert own == {"chapter-3/lesson", "chapter-3/lesson/part-1", "chapter-3/exercises", "chapter-3/evaluation"}
    stand_in = written["chapter-3/lesson/part-1"]
    assert stand_in.fields == {"title": "Chapter no. 3", "content": "It teaches 3."}
    assert stand_in.fallback is not None
    assert stand_in.fallback["error_code"].startswith("model.")
    before = {key: (section.version, section.fields) for key, section in written.items() if "chapter-3" not in key}
    assert {written[f"chapter-{n}/lesson"].status for n in (1, 2, 4, 5)} == {"ready"}
    tries = await in_database(lambda: Call.objects.filter(run=run, step="chapter-3/lesson").count())
    assert tries == 3

    demo.set(rules=[])
    wake()
    asked = demo.stats()["requests"]
    again, _ = await in_database(actions.retry_section, written["chapter-3"], house.teammate)
    await done(again)
    mended = await tree(again)
    assert not any(section.fallback for section in mended.values())
    after = {key: (section.version, section.fields) for key, section in mended.items() if "chapter-3" not in key}
    assert after == before
    paid = await in_database(lambda: set(Call.objects.filter(run=again).values_list("step", flat=True)))
    assert {step.split("/")[0] for step in paid} == {"chapter-3"}
    assert demo.stats()["requests"] - asked == await in_database(lambda: Call.objects.filter(run=again).count())
    assert (await document_of(again)).run_id == again.id
    assert await in_database(lambda: Change.objects.filter(run_id=again.id).exclude(author="recipe").exists()) is False


async def test_one_diagram_is_made_again_alone(course: Course, house: People, demo: Demo) -> None:
    run = await course(1, {"contains": "<text>", "fault": "server_error"}, state=RunState.PARTIAL)
    part = (await tree(run))["chapter-1/lesson/part-1"]
    assert part.fallback is None
    assert part.fields["content"]
    assert part.fields["diagram_error"]["error_code"].startswith("model.")
    notices = [block for block in await blocks_of(run) if isinstance(block, Figure) and block.svg is None]
    assert notices
    demo.set(rules=[])
    wake()
    again, _ = await in_database(actions.retry_section, part, house.owner, ["chapter-1/lesson/part-1/diagram"])
    await ended(again)
    mended = (await tree(again))["chapter-1/lesson/part-1"]
    assert "diagram_error" not in mended.fields
    assert mended.fields["diagram"]
    assert mended.fields["content"] == part.fields["content"]


@pytest.mark.parametrize(("tries", "state"), [(2, RunState.DONE), (3, RunState.PARTIAL)])
async def test_a_diagram_that_cannot_be_drawn_goes_back_twice(
    carrier: Carrier, start: Start, demo: Demo, tries: int, state: RunState
) -> None:
    lesson = (
        '{"parts": [{"title": "One", "content": "Text.", "schema_description": "A flow.", "diagram_type": "mermaid"}]}'
    )
    wrong = '{"code": "flowchart TD\\n  a --> --> b ["}'
    demo.set(
        rules=[
            planned(1, exercises_per_chapter=0, evaluation_questions=0),
            {"contains": "Kinds of diagrams", "content": lesson},
            {"contains": "diagram", "content": wrong, "times": tries},
        ]
    )
    run = await start(kind="course", brief=SMALL)
    assert (await ended(run)).state == state
    part = (await tree(run))["chapter-1/lesson/part-1"]
    calls = await in_database(lambda: Call.objects.filter(run=run, step__endswith="diagram").count())
    assert calls == 3
    assert ("diagram" in part.fields) == (state == RunState.DONE)
    assert ("diagram_error" in part.fields) == (state == RunState.PARTIAL)
    assert part.fields["content"] == "Text."


async def test_a_drawing_that_computes_without_end_costs_itself_alone(
    carrier: Carrier, start: Start, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tried three times, killed three times; what is drawn and written beside it does not notice."""
    monkeypatch.setattr(rendering, "SECONDS", 2)
    part = {"content": "Text.", "schema_description": "A flow."}
    parts = [{**part, "title": name, "diagram_type": name} for name in ("vegalite", "mermaid")]
    demo.set(
        rules=[
            planned(1, exercises_per_chapter=0, evaluation_questions=0),
            {"contains": "Kinds of diagrams", "content": json.dumps({"parts": parts})},
            {"contains": "Vega-Lite", "content": json.dumps({"code": json.dumps(SLOW)})},
            {"contains": "vegalite diagram could not be drawn", "content": json.dumps({"code": json.dumps(SLOW)})},
            {"contains": "Mermaid", "content": json.dumps({"code": "flowchart TD\n  a --> b"})},
        ]
    )
    run = await start(kind="course", brief=SMALL)
    assert (await ended(run)).state == RunState.PARTIAL
    written = await tree(run)
    endless, beside = written["chapter-1/lesson/part-1"], written["chapter-1/lesson/part-2"]
    assert endless.fields["content"] == "Text."
    assert endless.fields["diagram_error"]["error_code"] == "tool.diagram_timeout"
    assert "diagram_error" not in beside.fields
    assert beside.fields["diagram"]
    assert {key for key, section in written.items() if section.fallback} == set()
    calls = await in_database(lambda: Call.objects.filter(run=run, step=f"{endless.key}/diagram").count())
    assert calls == 3


async def test_a_chapter_can_be_added_later(course: Course, house: People) -> None:
    run = await course(2)
    before = await tree(run)
    document = await document_of(run)
    added, is_new = await in_database(
        lambda: actions.act(document, "add_chapter", {"instruction": "On recursion."}, user=house.teammate, key="k")
    )
    assert is_new
    await done(added)
    after = await tree(added)
    first, second, third = [key for key, section in after.items() if section.type == "chapter"]
    assert (first, second) == ("chapter-1", "chapter-2")
    assert after[f"{third}/lesson"].status == "ready"
    assert all(after[key].version == section.version for key, section in before.items())
    same, is_new = await in_database(
        lambda: actions.act(document, "add_chapter", {"instruction": "On recursion."}, user=house.teammate, key="k")
    )
    assert (same, is_new) == (added, False)


async def test_what_a_person_writes_stands_whenever_they_write_it(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    """Before its lesson is written, while it is, and after: the machine's text waits as a proposal, or came first."""
    demo.set(rules=[planned(3, exercises_per_chapter=0, evaluation_questions=0)], tokens_per_second=150)
    run = await start(kind="course", brief=SMALL)
    by = By.person(house.teammate)
    chapters = await once_there(run, "chapter-2")
    await in_database(lambda: sections.edit(chapters["chapter-2"], {"description": "By hand."}, by))
    written = await once_there(run, "chapter-1/lesson/part-1")
    part = written["chapter-1/lesson/part-1"]
    await in_database(lambda: sections.edit(part, {"content": "By hand.", "diagram_code": "mine"}, by))
    assert (await ended(run)).state == RunState.DONE
    stands = await tree(run)
    assert stands["chapter-2"].fields["description"] == "By hand."
    assert stands["chapter-1/lesson/part-1"].fields["content"] == "By hand."
    assert stands["chapter-1/lesson/part-1"].fields["diagram_code"] == "mine"
    proposal = await in_database(lambda: Proposal.objects.get(object_id=part.id))
    assert "diagram_code" in proposal.values
    assert "content" not in proposal.values


@pytest.mark.parametrize("fields", [{"diagram_code": "mine --> yours"}, {"diagram_type": "graphviz"}])
async def test_a_diagram_that_a_person_changes_while_it_is_drawn_is_theirs(
    carrier: Carrier, start: Start, house: People, demo: Demo, fields: dict[str, str]
) -> None:
    """What was drawn waits as a whole: never its drawing beside their code, nor its code under their type."""
    demo.set(rules=[planned(1, exercises_per_chapter=0, evaluation_questions=0)], tokens_per_second=100)
    run = await start(kind="course", brief=SMALL)
    key = "chapter-1/lesson/part-1"
    part = (await once_there(run, key))[key]
    until = time.monotonic() + PATIENCE_SECONDS
    while not await in_database(Call.objects.filter(run=run, step=f"{key}/diagram", state="sent").exists):
        assert time.monotonic() < until
        await asyncio.sleep(0.01)
    rest = await in_database(Rest, house.teammate)
    assert (await in_database(rest.patch, f"sections/{part.id}", {"fields": fields})).status_code == 200
    await done(run)
    shown = (await in_database(rest.get, f"sections/{part.id}")).json()
    assert {name: shown["fields"].get(name, "") for name in fields} == fields
    assert "diagram" not in shown["fields"]
    assert shown["fields"].get("diagram_code") in (None, fields.get("diagram_code"))
    (proposal,) = shown["proposals"]
    assert proposal["values"].keys() >= {"diagram_code", "diagram"}
    accepted = await in_database(rest.post, f"proposals/{proposal['id']}/accept")
    assert accepted.status_code == 200, accepted.content
    stands = (await in_database(rest.get, f"sections/{part.id}")).json()["fields"]
    drawing = await in_database(lambda: Drawing.objects.get(digest=stands["diagram"]))
    assert (drawing.type, drawing.code) == (stands["diagram_type"], stands["diagram_code"])


async def test_what_rests_on_a_changed_text_is_stale_until_it_is_undone(course: Course, house: People) -> None:
    run = await course()
    written = await tree(run)
    document = await document_of(run)
    assert await in_database(lambda: bases.stale(document.id)) == {}
    chapter = written["chapter-1"]
    (change,) = await in_database(lambda: sections.edit(chapter, {"title": "Other"}, By.person(house.owner)))
    fresh = {section.id: section for section in (await tree(run)).values()}
    stale = await in_database(lambda: bases.stale(document.id))
    assert {fresh[each].key for each in stale} == {
        "chapter-1/lesson",
        "chapter-1/exercises",
        "chapter-1/evaluation",
    }
    await in_database(lambda: history.undo(change, by=house.owner))
    assert await in_database(lambda: bases.stale(document.id)) == {}


async def test_what_a_course_wrote_is_undone_as_a_whole(course: Course, house: People) -> None:
    run = await course()
    undone = await in_database(lambda: history.undo_group(run.id, by=house.owner))
    assert await tree(run) == {}
    await in_database(lambda: history.undo_group(undone[0].group, by=house.owner))
    assert "chapter-1/lesson/part-1" in await tree(run)


async def test_a_stranger_starts_nothing_on_a_course(course: Course, house: People) -> None:
    run = await course()
    document, chapter = await document_of(run), (await tree(run))["chapter-1"]
    for attempt in (
        lambda: actions.act(document, "add_chapter", {}, user=house.stranger),
        lambda: actions.retry_section(chapter, house.stranger),
        lambda: actions.act(document, "add_chapter", {}, user=house.viewer),
    ):
        with pytest.raises(Exception, match="not_found.workspace|permission.role"):
            await in_database(attempt)
    assert await in_database(Claim.objects.count) == 1


async def test_a_course_over_rest_opens_in_every_format(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    """Asked for, followed, read and exported by a program; each file checked by a reader that is not ours."""
    demo.set(rules=[planned(1, exercises_per_chapter=2)])
    rest = await in_database(Rest, house.teammate)
    asked = await in_database(rest.post, "runs", {"kind": "course", "brief": SMALL, "title": "Œufs & boucles 😀"})
    assert asked.status_code == 202, asked.content
    run = await in_database(lambda: Run.objects.get(id=asked.json()["id"]))
    await ended(run)
    assert await unwell(run) == {}
    shown = (await in_database(rest.get, f"documents/{asked.json()['document']}")).json()
    assert (shown["title"], shown["state"]) == ("Œufs & boucles 😀", "draft")
    part = shown["sections"][0]["sections"][0]["sections"][0]
    assert (part["type"], part["state"]) == ("part", "ready")
    expected = next(
        question["expected"]
        for block in shown["sections"][0]["sections"][1]["sections"]
        for question in block["fields"]["questions"]
        if "expected" in question
    )
    for kind, answers in product(exports.FORMATS, (True, False)):
        ask = partial(rest.get, f"documents/{shown['id']}/export", format=kind, answers=answers)
        file = await in_database(ask)
        assert file.status_code == 200, file.content
        said = " ".join(readers.words(kind, file.content).split())
        assert part["fields"]["title"] in said
        assert "boucles" in said
        if kind in ("md", "json"):
            assert (" ".join(expected.split()) in said) == answers
    stranger = await in_database(Rest, house.stranger)
    refused = await in_database(stranger.get, f"documents/{shown['id']}/export")
    assert refused.status_code == 404


async def test_every_part_of_a_chapter_can_be_made_again_alone(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    demo.set(rules=[planned(1, exercises_per_chapter=2)])
    timed = counted("chapter_generation_time_seconds_count")
    run = await start(kind="course", brief=SMALL)
    await ended(run)
    demo.set(rules=[])
    assert counted("chapter_generation_time_seconds_count") == timed + 1
    for key in (
        "chapter-1/lesson",
        "chapter-1/lesson/part-1",
        "chapter-1/exercises",
        "chapter-1/exercises/block-2",
        "chapter-1/evaluation",
    ):
        section = (await tree(run))[key]
        again, _ = await in_database(actions.retry_section, section, house.owner)
        await done(again)
        paid = await in_database(steps_paid, again)
        assert paid
        assert all(step == key or step.startswith(f"{key}/") for step in paid)
    assert counted("chapter_generation_time_seconds_count") == timed + 1, "a part counts as a whole chapter"
    assert {section.status for section in (await tree(run)).values() if section.type != "chapter"} == {"ready"}


async def test_files_given_with_the_brief_reach_every_writer_of_a_course(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    demo.set(rules=[planned(1)])
    content = "# Notes\n\nThe canary sings of loops, à voix basse.".encode()
    given = await in_database(files.store, house.owner, house.workspace, "notes.md", content)
    run = await start(kind="course", brief=SMALL, files=(given.id,))
    await done(run)
    calls = await in_database(lambda: list(Call.objects.filter(run=run)))
    told = {call.step for call in calls if "The canary sings of loops, à voix basse." in str(call.messages)}
    assert told == {call.step for call in calls if not call.step.endswith("/diagram")}


async def test_a_retry_that_fails_leaves_the_text_that_was_there(course: Course, house: People, demo: Demo) -> None:
    run = await course()
    before = await tree(run)
    demo.set(rules=[{"contains": "", "fault": "unauthorised"}])
    again, _ = await in_database(actions.retry_section, before["chapter-1"], house.owner)
    assert (await ended(again)).state == RunState.PARTIAL
    after = await tree(again)
    assert {key: section.fields for key, section in after.items()} == {key: one.fields for key, one in before.items()}
    assert not any(section.fallback for section in after.values())


async def test_what_people_added_is_not_taken_away_by_a_writing(course: Course, house: People) -> None:
    run = await course()
    document, lesson = await document_of(run), (await tree(run))["chapter-1/lesson"]
    mine = await in_database(
        lambda: sections.add(document, "part", {"content": "By hand."}, By.person(house.teammate), parent=lesson)
    )
    again, _ = await in_database(actions.retry_section, lesson, house.owner)
    await ended(again)
    assert (await tree(again))[mine.key].fields == {"content": "By hand."}


async def test_into_a_locked_chapter_machines_only_propose(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    demo.set(rules=[planned(2)], tokens_per_second=200)
    run = await start(kind="course", brief=SMALL)
    chapter = (await once_there(run, "chapter-2"))["chapter-2"]
    await in_database(lambda: sections.lock(chapter, By.person(house.owner)))
    await ended(run)
    written = await tree(run)
    assert not any(key.startswith("chapter-2/lesson/") for key in written)
    assert "chapter-1/lesson/part-1" in written
    proposals = await in_database(lambda: list(Proposal.objects.filter(values__present=True)))
    assert proposals
    for proposal in proposals:
        await in_database(history.accept, proposal, house.owner)
    assert (await tree(run))["chapter-2/lesson/part-1"].fields["content"]


async def test_chapters_added_at_once_are_two_chapters(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    demo.set(rules=[planned(1)])
    run = await start(kind="course", brief=SMALL)
    document = await document_of(run)
    with pytest.raises(Conflict, match="conflict.being_written"):
        await in_database(lambda: actions.act(document, "add_chapter", {}, user=house.owner))
    await ended(run)
    added = [
        (await in_database(lambda: actions.act(document, "add_chapter", {}, user=house.owner)))[0] for _ in range(2)
    ]
    for one in added:
        await done(one)
    assert count_chapters(await tree(run)) == 3


async def test_what_is_made_again_is_made_from_what_stands_now(course: Course, house: People) -> None:
    run = await course()
    written = await tree(run)
    by = By.person(house.owner)
    await in_database(lambda: sections.edit(written["chapter-1"], {"description": "All about the zebra."}, by))
    part = written["chapter-1/lesson/part-1"]
    await in_database(lambda: sections.edit(part, {"content": "Only the canary sings."}, by))
    again, _ = await in_database(actions.retry_section, written["chapter-1/evaluation"], house.owner)
    await ended(again)
    drawn, _ = await in_database(actions.retry_section, part, house.owner, [f"{part.key}/diagram"])
    await ended(drawn)
    calls = Call.objects.filter(run__in=[again, drawn]).order_by("run_id")
    told = await in_database(lambda: [str(call.messages) for call in calls])
    assert "All about the zebra." in told[0]
    assert "Only the canary sings." in told[1]
    fresh = {section.id: section for section in (await tree(run)).values()}
    stale = await in_database(lambda: bases.stale(part.document_id))
    assert {fresh[each].key for each in stale} == {"chapter-1/lesson", "chapter-1/exercises"}


async def test_an_outline_made_again_makes_everything_again(course: Course, house: People, demo: Demo) -> None:
    run = await course()
    demo.set(rules=[planned(2, title="Other")])
    again, _ = await in_database(actions.retry, run, house.owner, ["outline"])
    await done(again)
    after = await tree(again)
    assert after["chapter-2/lesson"].status == "ready"
    assert "outline" in await in_database(steps_paid, again)
    assert "chapter-1/lesson" in await in_database(steps_paid, again)


async def chapters_by_hand(document: Document, user: User, count: int) -> None:
    by = By.person(user)

    def add() -> None:
        for n in range(count):
            sections.add(document, "chapter", {"title": f"By hand {n}"}, by)

    await in_database(add)


async def test_an_outline_made_again_leaves_room_for_what_people_added(
    course: Course, house: People, demo: Demo
) -> None:
    run = await course()
    await chapters_by_hand(await document_of(run), house.teammate, 15)
    demo.set(rules=[planned(3)])
    again, _ = await in_database(actions.retry, run, house.owner, ["outline"])
    await done(again)
    assert count_chapters(await tree(again)) == 16


async def test_a_course_that_people_filled_gets_no_outline(course: Course, house: People) -> None:
    run = await course()
    first = (await tree(run))["chapter-1"]
    await in_database(lambda: sections.remove(first, By.person(house.owner)))
    await chapters_by_hand(await document_of(run), house.teammate, 16)
    again, _ = await in_database(actions.retry, run, house.owner, ["outline"])
    assert await failed_with(again) == "limit.chapters"
    assert await in_database(steps_paid, again) == set()


async def test_a_course_that_people_fill_while_its_outline_is_made_stays_theirs(
    course: Course, house: People, demo: Demo
) -> None:
    run = await course()
    document = await document_of(run)
    await chapters_by_hand(document, house.teammate, 14)
    demo.set(rules=[planned(2)], tokens_per_second=100)
    again, _ = await in_database(actions.retry, run, house.owner, ["outline"])
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await in_database(steps_paid, again):
            await asyncio.sleep(0.02)
    await chapters_by_hand(document, house.teammate, 1)
    assert await failed_with(again) == "limit.chapters"
    assert count_chapters(await tree(again)) == 16


def count_chapters(there: dict[str, Section]) -> int:
    return sum(section.type == "chapter" for section in there.values())


async def test_a_section_is_made_again_by_one_run_at_a_time_and_nothing_else_is_paid(
    course: Course, house: People, demo: Demo
) -> None:
    run = await course(
        3, {"contains": "This chapter: Chapter no. 2", "fault": "unauthorised"}, *THIRD_FAILS, state=RunState.PARTIAL
    )
    written = await tree(run)
    demo.set(rules=[], tokens_per_second=2_000)
    wake()
    again, _ = await in_database(lambda: actions.retry_section(written["chapter-3"], house.owner, key="once"))
    with pytest.raises(RunError, match="run.still_open"):
        await in_database(actions.retry_section, written["chapter-3"], house.teammate)
    same, is_new = await in_database(lambda: actions.retry_section(written["chapter-3"], house.owner, key="once"))
    assert (same, is_new) == (again, False)
    assert (await ended(again)).state == RunState.PARTIAL  # chapter 2 is as it was
    assert {step.split("/")[0] for step in await in_database(steps_paid, again)} == {"chapter-3"}
    after = await tree(again)
    assert after["chapter-2/lesson"].fallback
    assert not after["chapter-3/lesson"].fallback


async def test_nothing_is_begun_on_what_lies_in_the_bin(course: Course, house: People) -> None:
    run = await course()
    document, chapter = await document_of(run), (await tree(run))["chapter-1"]
    await in_database(documents.bin, document, house.owner)
    document = await document_of(run)
    for attempt in (
        lambda: actions.act(document, "add_chapter", {}, user=house.owner),
        lambda: actions.retry_section(chapter, house.owner),
    ):
        with pytest.raises(Conflict, match="conflict.binned"):
            await in_database(attempt)


async def test_a_course_is_called_as_it_was_asked_to_be(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    demo.set(rules=[planned(1)])
    run = await start(kind="course", brief=SMALL, title="As asked", options={"review_outline": True})
    await reached(run, RunState.WAITING)
    question = (await in_database(lambda: Run.objects.get(id=run.id))).question
    assert question
    assert question["shown"]["title"] == "As asked"
    await in_database(runs.answer, run, house.owner, "review_outline", question["shown"])
    await ended(run)
    assert (await document_of(run)).title == "As asked"
