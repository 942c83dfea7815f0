"""Somebody works on a chapter at every moment of its writing: what they did stands, what the machine wrote is not lost.

The moments are those of each step's call: asked, streaming, answered (and, for a diagram, not drawn yet), and the end.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from itertools import product
from typing import Any

import orjson
import pytest

from generation.carrier import Carrier
from generation.llm.providers import ADAPTERS
from generation.llm.specs import ProviderSpec
from generation.llm.timers import Pause
from generation.llm.values import ContentDelta, Delta, Finish, ModelRequest, Timeouts
from generation.models import Call, Document, Run, RunState, Section
from memory import history
from memory.base.database import db as in_database
from memory.models import Change, Proposal
from tests.generation.conftest import Start, ended
from tests.people import People
from tests.plans import outline
from tests.rest import Rest

QUESTION = {"text": "Why?", "expected": "Because.", "explanation": "So."}
CHOICE = {"text": "What?", "correct_answers": ["a"], "wrong_answers": ["b", "c"], "explanation": "So."}
PART = {"content": "Text.", "schema_description": "A flow.", "diagram_type": "mermaid"}
# What every model says when it is asked for an answer of this name.
ANSWERS: dict[str | None, Any] = {
    "Outline": outline(1),
    "Lesson": {"parts": [{**PART, "title": "One"}, {**PART, "title": "Two"}]},
    "Diagram": {"code": "flowchart TD\n  a --> b"},
    "ExercisePlan": {"blocks": [{"topic": "Repeat", "kind": "open"}]},
    "OpenBlock": {"questions": [QUESTION]},
    "Evaluation": {"multiple_choice": [CHOICE], "open": [QUESTION]},
}
LESSON, DIAGRAM, BLOCK = "chapter-1/lesson", "chapter-1/lesson/part-1/diagram", "chapter-1/exercises/block-1"
# Lesson, exercises and evaluation are asked for at once.
ASKED_AT_ONCE = ("chapter-1/exercises", "chapter-1/evaluation")
Moment = tuple[str, str]
MOMENTS: list[Moment] = [
    *product((LESSON, DIAGRAM, BLOCK), ("asked", "streaming", "answered")),
    *product(ASKED_AT_ONCE, ("streaming", "answered")),
    ("", "ended"),
]
# What the machine writes for good: it stands, or stood before somebody changed it, or is proposed.
MADE = {
    "chapter-1/lesson/part-1": ("content", "diagram_code"),
    BLOCK: ("questions",),
    "chapter-1/evaluation": ("questions",),
}

people_at: dict[tuple[Any, str, str], Callable[[], Awaitable[None]]] = {}


class Models:
    """The edge of the network: every model of the house; somebody may act in the midst of each of its answers."""

    def __init__(self, spec: ProviderSpec) -> None:
        self.spec = spec

    async def stream(
        self, model: str, request: ModelRequest, *, timeouts: Timeouts, request_id: str, pause: Pause
    ) -> AsyncGenerator[Delta, None]:
        call = await in_database(lambda: Call.objects.get(id=request_id))
        text = orjson.dumps(ANSWERS[request.schema_name]).decode()
        for moment, piece in (("asked", text[:20]), ("streaming", text[20:]), ("answered", "")):
            if somebody := people_at.pop((call.run_id, call.step, moment), None):
                await somebody()
            yield ContentDelta(piece)
        yield Finish("stop")

    async def close(self) -> None:
        return


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ADAPTERS, "openai", (__name__, Models.__name__))
    people_at.clear()


Sections = dict[str, Section]
Deed = Callable[[Rest, Sections], Iterable[Any]]


def write(rest: Rest, there: Sections) -> Iterable[Any]:
    mine = {
        "chapter": {"title": "Mine", "description": "By hand."},
        "part": {"title": "Mine", "content": "By hand.", "schema_description": "Mine."},
        "exercise_block": {"topic": "Mine", "questions": [{"text": "Mine?", "expected": "Yes."}]},
        "evaluation": {"questions": [{"text": "Mine?", "expected": "Yes."}], "time_limit": 20},
    }
    for section in there.values():
        if section.type in mine:
            yield rest.patch(f"sections/{section.id}", {"fields": mine[section.type]})


def draw(rest: Rest, there: Sections) -> Iterable[Any]:
    for section in there.values():
        if section.type == "part":
            yield rest.patch(f"sections/{section.id}", {"fields": {"diagram_code": "mine", "diagram_type": "graphviz"}})


def lock(rest: Rest, there: Sections) -> Iterable[Any]:
    for section in there.values():
        if section.type in ("lesson", "exercise_block", "evaluation"):
            yield rest.post(f"sections/{section.id}/lock")


def lock_all(rest: Rest, there: Sections) -> Iterable[Any]:
    yield rest.post(f"sections/{there['chapter-1'].id}/lock")


def remove(rest: Rest, there: Sections) -> Iterable[Any]:
    for section in there.values():
        if section.type in ("part", "exercise_block", "evaluation"):
            yield rest.delete(f"sections/{section.id}")


def remove_places(rest: Rest, there: Sections) -> Iterable[Any]:
    for section in there.values():
        if section.type in ("lesson", "exercises"):
            yield rest.delete(f"sections/{section.id}")


def move(rest: Rest, there: Sections) -> Iterable[Any]:
    yield rest.patch(f"sections/{there[LESSON].id}", {"after": str(there["chapter-1/evaluation"].id)})
    if last := there.get(f"{LESSON}/part-2"):
        yield rest.patch(f"sections/{there[f'{LESSON}/part-1'].id}", {"after": str(last.id)})


DEEDS: list[Deed] = [write, draw, lock, lock_all, remove, remove_places, move]


@pytest.mark.uncounted
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
async def test_what_somebody_does_to_a_chapter_stands_at_every_moment_of_its_writing(
    carrier: Carrier, start: Start, house: People, deed: Deed
) -> None:
    written = await asyncio.gather(*(one_writing(start, house, deed, moment) for moment in MOMENTS))
    done = [is_done for _, is_done in written]
    assert sum(done) >= len(MOMENTS) / 2  # before there is a part there is no diagram of it to change
    for moment, (run, _) in zip(MOMENTS, written, strict=True):
        await in_database(check, run, house, moment)


async def one_writing(start: Start, house: People, deed: Deed, moment: Moment) -> tuple[Run, bool]:
    """A course is written, and somebody does this at that moment; whether there was anything to do it to."""
    did: list[int] = []

    def act() -> None:
        there = {each.key: each for each in Section.objects.filter(document__runs=run)}
        answers = list(deed(Rest(house.teammate), there))
        assert {answer.status_code for answer in answers} <= {200}, [answer.content for answer in answers]
        did.append(len(answers))

    run = await start(kind="course", brief="Loops.")
    step, when = moment
    if step:
        people_at[run.id, step, when] = lambda: in_database(act)
    state = (await ended(run)).state
    assert state == RunState.DONE, (moment, state)
    if not step:
        await in_database(act)
    return run, bool(did[0])


def check(run: Run, house: People, moment: Moment) -> None:
    document = Document.whole().get(runs=run)
    there = {each.key: each for each in Section.whole().filter(document=document)}
    changes = list(Change.objects.filter(root_id=document.id).order_by("version", "id"))
    proposals = list(Proposal.objects.filter(root_id=document.id))
    for section in there.values():
        own = [change for change in changes if change.object_id == section.id]
        assert history.replay(own) == section.state(), moment
        theirs = {change.path: change for change in own if change.author == "person"}
        for path, change in theirs.items():
            later = [each for each in own if each.path == path and each.version > change.version]
            assert later == [], (moment, section.key, path)
        if "diagram_code" in theirs:
            assert "diagram" not in section.fields, moment
        if section.is_locked:
            locked_at = max(each.id for each in changes if each.path == "locked")
            late = [each for each in own if each.id > locked_at and each.author == "recipe"]
            assert {each.version for each in late} <= {1}, (moment, section.key)
            assert not late or not section.present, (moment, section.key)
        said = {path for each in proposals if each.object_id == section.id for path in each.values}
        written = {each.path for each in own if each.author == "recipe"}
        for path in MADE.get(section.key, ()):
            assert path in said | written, (moment, section.key, path)
    if any(change.author == "person" and change.after == "By hand." for change in changes):
        exported = Rest(house.viewer).get(f"documents/{document.id}/export", format="md")
        assert "By hand." in exported.content.decode(), moment
