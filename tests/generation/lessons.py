"""A course to learn from, made by hand: a chapter with exercises and an evaluation whose answers the tests know."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from generation import documents, sections
from generation.models import Attempt, Section
from memory.history import By
from tests.people import People

ROWS = {
    "id": "rows",
    "text": "How many rows change when a reader moves house?",
    "answers": [
        {"id": "none", "text": "None"},
        {"id": "one", "text": "One, in the table of readers", "is_correct": True},
        {"id": "three", "text": "Three, in the table of loans"},
    ],
    "explanation": "SECRET-EXPLANATION: loans hold a number.",
}
KEYS = {
    "id": "keys",
    "text": "What may a key be?",
    "answers": [
        {"id": "number", "text": "A number", "is_correct": True},
        {"id": "pair", "text": "A pair of numbers", "is_correct": True},
        {"id": "empty", "text": "Empty"},
    ],
    "explanation": "SECRET-KEYS",
}
COPY = {
    "id": "copy",
    "text": "Why does a loan point to a copy?",
    "expected": "SECRET-EXPECTED: a book has several copies.",
    "explanation": "SECRET-SHELF",
}
DESK = {"id": "desk", "text": "Who lends at the desk?", "expected": "SECRET-DESK", "explanation": "SECRET-LENDER"}
SECRETS = ("SECRET", "is_correct")
RIGHT = {"rows": ["one"], "keys": ["number", "pair"]}


def make(people: People, **evaluation: Any) -> dict[str, Section]:
    """By type: chapter, exercises, exercise_block, evaluation (ten minutes, four questions)."""
    by = By.person(people.owner)
    course = documents.create("course", "Databases", {}, user=people.owner, workspace=people.workspace)
    chapter = sections.add(course, "chapter", {"title": "Tidy without repeating"}, by)
    exercises = sections.add(course, "exercises", {}, by, parent=chapter)
    block = {"topic": "Rows", "questions": [ROWS, COPY]}
    asked = {"questions": [ROWS, KEYS, COPY, DESK], "multi_answers": True, "time_limit": 10, **evaluation}
    return {
        "chapter": chapter,
        "exercises": exercises,
        "exercise_block": sections.add(course, "exercise_block", block, by, parent=exercises),
        "evaluation": sections.add(course, "evaluation", asked, by, parent=chapter, after=exercises),
    }


def run_out(attempt: Attempt) -> None:
    """As if its time had been up a minute ago."""
    past = timezone.now() - timedelta(minutes=1)
    Attempt.objects.filter(id=attempt.id).update(started_at=past - timedelta(minutes=10), due_at=past)
