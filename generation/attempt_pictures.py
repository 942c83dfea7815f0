"""Attempts as their learner sees them. Before the end nothing in a picture tells which answer is right."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from generation import attempts, completions, sections
from generation.models import Attempt, AttemptState, Section
from memory import sentences
from memory.models import User

MOST_LISTED = 50


def dress(user: User, sections: Sequence[dict[str, Any]]) -> None:
    """The pictures of sections that ask, each with `learn`: what it asks this user now. One query for all of them."""
    asking = [each for each in sections if each["type"] in attempts.TYPES]
    newest = newest_of(user, [each["id"] for each in asking]) if asking else {}
    for each in asking:
        each["learn"] = learn(each["fields"], each["version"], newest.get(each["id"]))


def newest_of(user: User, section_ids: Iterable[UUID]) -> dict[UUID, Attempt]:
    """Of each section its newest attempt, with the score of the newest that has one."""
    scored = Attempt.objects.filter(section=OuterRef("section"), user=user).exclude(score=None).order_by("-number")
    own = Attempt.objects.visible(user).filter(section__in=list(section_ids))
    newest = own.order_by("section", F("number").desc()).distinct("section").select_related("run__claim")
    known = newest.annotate(
        last_score=Subquery(scored.values("score")[:1]), last_at=Subquery(scored.values("ended_at")[:1])
    )
    return {attempt.section_id: attempt for attempt in known}


def learn(fields: Mapping[str, Any], version: int, newest: Any) -> dict[str, Any]:
    """What a section asks this user now: the attempt that is open or was the last, else its questions."""
    is_open = newest is not None and newest.ended_at is None
    questions = newest.questions if is_open else fields.get("questions") or []
    is_multiple = newest.multi_answers if is_open else bool(fields.get("multi_answers"))
    answers = newest.answers if is_open else {}
    return {
        "attempt": draw(newest) if newest is not None and not is_open else None,
        "is_open": is_open,
        "is_over": is_open and newest.is_over(),
        "number": newest.number + (not is_open) if newest is not None else 1,
        "version": newest.version if is_open else version,
        "has_changed": newest is not None and newest.version != version,
        "minutes": fields.get("time_limit"),
        "questions": asked(questions, answers, is_multiple),
        "answered": len(answers),
        "last_score": newest.last_score if newest is not None else None,
        "last_at": newest.last_at if newest is not None else None,
    }


def asked(
    questions: Iterable[Mapping[str, Any]], answers: Mapping[str, Any], is_multiple: bool
) -> list[dict[str, Any]]:
    """Questions to be answered, with what was answered so far."""
    return [
        {
            "n": n,
            "text": each.get("text", ""),
            "given": answers.get(each["id"]),
            "is_multiple": is_multiple,
            "choices": choices(each, answers.get(each["id"]) or ()),
        }
        for n, each in enumerate(questions, 1)
    ]


def choices(question: Mapping[str, Any], chosen: Iterable[str]) -> list[dict[str, Any]]:
    of = question.get("answers") or ()
    return [{"id": each["id"], "text": each.get("text", ""), "is_chosen": each["id"] in chosen} for each in of]


def corrected(attempt: Attempt) -> list[dict[str, Any]]:
    """Questions with what was right and what the examiner said."""
    drawn = []
    for each, question in zip(
        asked(attempt.questions, attempt.answers, attempt.multi_answers), attempt.questions, strict=True
    ):
        said = attempt.results.get(question["id"], {"is_right": None, "feedback": "", "error": None})
        right = {answer["id"] for answer in question.get("answers") or () if answer.get("is_correct")}
        for choice in each["choices"]:
            choice["is_correct"] = choice["id"] in right
        drawn.append(
            {
                **each,
                "is_right": said["is_right"],
                "is_waiting": said["is_right"] is None and attempt.state == AttemptState.GRADING,
                "feedback": said["feedback"],
                "because": why_not(said["error"]),
                "expected": question.get("expected", ""),
                "explanation": question.get("explanation", ""),
            }
        )
    return drawn


def why_not(error: Mapping[str, Any] | None) -> str:
    return sentences.say(error["error_code"], error.get("params") or {}) if error else ""


def why_stopped(attempt: Attempt) -> str:
    return why_not(attempt.run.error) if attempt.run else ""


def draw(attempt: Attempt) -> dict[str, Any]:
    """An attempt that has ended."""
    results = attempt.results.values()
    questions = corrected(attempt)
    return {
        **line(attempt),
        "right": sum(each["is_right"] is True for each in results),
        "graded": sum(each["is_right"] is not None for each in results),
        "total": len(questions),
        "ungraded": len(attempt.ungraded),
        "waiting": [each["n"] for each in questions if each["is_waiting"]],
        "because": next((each["because"] for each in questions if each["because"]), "") or why_stopped(attempt),
        "questions": questions,
    }


def line(attempt: Attempt) -> dict[str, Any]:
    """The attempt in a list."""
    return {
        "id": attempt.id,
        "number": attempt.number,
        "state": attempt.state,
        "score": attempt.score,
        "section": attempt.section_id,
        "started_at": attempt.started_at,
        "due_at": attempt.due_at,
        "ended_at": attempt.ended_at,
        "is_timed_out": attempt.due_at is not None and attempt.ended_at == attempt.due_at,
        "minutes": minutes(attempt),
    }


def minutes(attempt: Attempt) -> int | None:
    """How long it took, one minute at least."""
    if attempt.ended_at is None:
        return None
    return max(1, round((attempt.ended_at - attempt.started_at).total_seconds() / 60))


def result(user: User, attempt_id: UUID) -> dict[str, Any]:
    """What an attempt has come to, and where it belongs. Its time may have run out just now."""
    attempt = attempts.current(user, attempt_id)
    newest = attempts.of_section(user, attempt.section).values_list("number", flat=True)
    return {
        "attempt": draw(attempt) if attempt.ended_at else line(attempt),
        "is_open": attempt.ended_at is None,
        "following": newest[0] + 1,
        **place(attempt.section),
    }


def evaluation(user: User, section_id: UUID) -> dict[str, Any]:
    """What is asked now, and what was reached before."""
    section = sections.visible(user, section_id)
    found = attempts.of_section(user, section)
    open_one = found.filter(ended_at=None).first()
    if open_one and open_one.is_over():
        attempts.end_due_one(open_one.id)
        open_one = None
    if open_one is None:
        attempts.check_asks(section)
    earlier = list(
        found.exclude(ended_at=None).select_related("run__claim").defer("questions", "answers")[:MOST_LISTED]
    )
    number = earlier[0].number + 1 if earlier else 1
    return {
        **place(section),
        "count": len(section.fields.get("questions") or ()),
        "limit": section.fields.get("time_limit"),
        "earlier": [line(each) for each in earlier],
        "number": number,
        "paper": paper(open_one) if open_one else None,
    }


def paper(attempt: Attempt) -> dict[str, Any]:
    """An attempt that is open, with the house's clock beside its end: the reader's may be wrong."""
    return {
        "id": attempt.id,
        "due_at": attempt.due_at,
        "now": timezone.now(),
        "questions": asked(attempt.questions, attempt.answers, attempt.multi_answers),
        "answered": len(attempt.answers),
    }


def place(section: Section) -> dict[str, Any]:
    above = section.parent
    while above is not None and above.type != completions.TYPE:
        above = above.parent
    return {
        "section": {"id": section.id, "type": section.type, "topic": section.fields.get("topic", "")},
        "chapter": above.fields.get("title", "") if above else "",
        "document": {"id": section.document_id, "title": section.document.title},
    }
