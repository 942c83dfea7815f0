"""The verbs on an attempt: begin, answer, finish, grade again. A viewer may learn; an attempt is one person's own.

Answers are kept as they are given. When the time is up what was kept by then is corrected: by whoever looks next, or by
the sweep. Choices are graded here, open answers by a private run.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from generation import grades, runs
from generation.calls import error_data
from generation.models import GRACE, Attempt, AttemptQuerySet, AttemptState, Document, Section
from generation.orders import Order
from generation.recipes.course.grading import RECIPE as GRADING
from memory import workspaces
from memory.base.errors import Conflict, InvalidInput, LimitReached, NotFound
from memory.base.text import clean_text
from memory.models import Role, User

TYPES = ("exercise_block", "evaluation")  # the sections that ask questions
TIMED = "evaluation"
MOST_CHARACTERS = 10_000
AT_ONCE = 200

Given = Mapping[str, str | list[str]]


def visible(user: User, attempt_id: UUID) -> Attempt:
    """The attempt, if it is this user's; `not_found.attempt` otherwise, whether it exists or not."""
    attempt = Attempt.objects.visible(user).whole().filter(id=attempt_id).first()
    if attempt is None:
        raise NotFound("attempt")
    return attempt


def current(user: User, attempt_id: UUID) -> Attempt:
    """The attempt as it stands now: one whose time is up has ended."""
    attempt = visible(user, attempt_id)
    if attempt.ended_at is None and attempt.is_over():
        end_due_one(attempt.id)
        return visible(user, attempt_id)
    return attempt


def of_section(user: User, section: Section) -> AttemptQuerySet:
    """Newest first."""
    return Attempt.objects.visible(user).filter(section=section).order_by("-number")


def begin(section: Section, by: User, number: int | None = None, version: int | None = None) -> Attempt:
    """The attempt that is open, or a new one. The same `number` twice makes one.

    `version`: of the section, as whoever answers saw it. Raises `not_found.workspace`, `conflict.binned`,
    `conflict.no_questions`, `conflict.questions_changed`.
    """
    workspaces.require(by, section.home, Role.VIEWER)
    with transaction.atomic():
        lock_place(section, by)
        newest = of_section(by, section).first()
        if newest and newest.ended_at is None and newest.is_over():
            end(newest)
        if newest and newest.ended_at is None:
            check_version(newest.version, version)
            return newest
        if newest and number is not None and number <= newest.number:
            return newest
        check_asks(section)
        check_version(section.version, version)
        return create(section, by, newest.number + 1 if newest else 1)


def check_version(asked: int, seen: int | None) -> None:
    if seen is not None and seen != asked:
        raise Conflict("questions_changed", version=asked)


def lock_place(section: Section, user: User) -> None:
    """One person's beginnings of one section, one after the other."""
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [f"attempts-{user.pk}-{section.pk}"])


def check_asks(section: Section) -> None:
    if not section.document.present:
        raise Conflict("binned")
    if section.type not in TYPES or not section.shows or not section.fields.get("questions"):
        raise Conflict("no_questions")


def create(section: Section, by: User, number: int) -> Attempt:
    now = timezone.now()
    minutes = section.fields.get("time_limit") if section.type == TIMED else None
    return Attempt.objects.create(
        user=by,
        section=section,
        number=number,
        version=section.version,
        questions=section.fields["questions"],
        multi_answers=bool(section.fields.get("multi_answers")),
        started_at=now,
        due_at=now + timedelta(minutes=minutes) if minutes else None,
    )


def answer(attempt: Attempt, by: User, given: Given) -> Attempt:
    """Keep these answers; the others stay as they were. The same twice is the same, also after the end.

    Raises `conflict.time_up`, `conflict.attempt_ended`, `not_found.question`, `validation.given`,
    `validation.answer_too_long`.
    """
    with transaction.atomic():
        attempt = locked(attempt.id, by)
        if joined(attempt, given) != attempt.answers:
            if attempt.is_over():
                raise Conflict("time_up")
            if attempt.ended_at is not None:
                raise Conflict("attempt_ended")
            keep(attempt, given)
    return attempt


def locked(attempt_id: UUID, by: User) -> Attempt:
    attempt = Attempt.objects.visible(by).whole().select_for_update(of=("self",)).filter(id=attempt_id).first()
    if attempt is None:
        raise NotFound("attempt")
    return attempt


def keep(attempt: Attempt, given: Given) -> None:
    attempt.answers = joined(attempt, given)
    attempt.save(update_fields=["answers"])


def joined(attempt: Attempt, given: Given) -> dict[str, str | list[str]]:
    """What is kept with these answers in it; one taken back is none."""
    fitted = {name: fit(attempt, name, value) for name, value in given.items()}
    return {name: value for name, value in {**attempt.answers, **fitted}.items() if value}


def fit(attempt: Attempt, name: str, value: str | list[str]) -> str | list[str]:
    """The answer as it is kept: ids of the question's answers in their order, or a text."""
    question = attempt.question(name)
    if question is None:
        raise NotFound("question")
    if choices := [answer["id"] for answer in question.get("answers") or ()]:
        chosen = [value] if isinstance(value, str) else value
        if not set(chosen) <= set(choices) or (len(chosen) > 1 and not attempt.multi_answers):
            raise InvalidInput("given")
        return [each for each in choices if each in chosen]
    text = clean_text(value if isinstance(value, str) else "\n".join(value)).strip()
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput("answer_too_long", limit=MOST_CHARACTERS)
    return text


def finish(attempt: Attempt, by: User, given: Given | None = None) -> Attempt:
    """End it with what is kept and these answers, if they come in time, and correct it. Once more changes nothing."""
    with transaction.atomic():
        attempt = locked(attempt.id, by)
        if attempt.ended_at is None:
            if given and not attempt.is_over():
                keep(attempt, given)
            end(attempt)
    return attempt


def end(attempt: Attempt) -> None:
    """Correct what can be, and have the rest graded. The attempt is locked by the caller."""
    now = timezone.now()
    attempt.ended_at = min(now, attempt.due_at) if attempt.due_at else now
    attempt.results = grades.first(attempt)
    if attempt.ungraded:
        try:
            start_grading(attempt)
        except LimitReached as error:  # it has ended all the same; grading it again is one click
            label_ungraded(attempt, error_data(error))
    attempt.score = grades.score(attempt.results.values())
    attempt.save(update_fields=["ended_at", "results", "score", "run"])


def start_grading(attempt: Attempt) -> None:
    """A private run without a document: the course is not being written, and its teammates see nothing of it."""
    document = attempt.section.document
    options = {"attempt": str(attempt.id)}
    order = Order("", document.title, options, language=document.language, is_private=True)
    attempt.run = runs.create(GRADING, order, user=attempt.user, workspace=document.workspace)


def label_ungraded(attempt: Attempt, error: Mapping[str, Any] | None) -> None:
    attempt.results |= {name: grades.result(None, error=error) for name in attempt.ungraded}


def grade_again(attempt: Attempt, by: User) -> Attempt:
    """Ask the examiner for what could not be graded. While it is being graded, and when all is, nothing changes.

    Raises `conflict.attempt_open`, `limit.runs_open`.
    """
    with transaction.atomic():
        attempt = locked(attempt.id, by)
        if attempt.ended_at is None:
            raise Conflict("attempt_open")
        if attempt.ungraded and attempt.state != AttemptState.GRADING:
            label_ungraded(attempt, None)
            start_grading(attempt)
            attempt.save(update_fields=["results", "run"])
    return attempt


def end_due(now: datetime | None = None) -> int:
    """End those whose time is up though nobody looks; how many. For the sweep."""
    before = (now or timezone.now()) - GRACE
    due = Attempt.objects.filter(ended_at=None, due_at__lt=before).order_by("due_at")
    return sum(end_due_one(attempt_id) for attempt_id in list(due.values_list("id", flat=True)[:AT_ONCE]))


@transaction.atomic
def end_due_one(attempt_id: UUID) -> bool:
    """False when somebody else has ended it, or is just doing so."""
    found = Attempt.objects.whole().select_related("user").select_for_update(of=("self",), skip_locked=True)
    attempt = found.filter(id=attempt_id, ended_at=None).first()
    if attempt is None or not attempt.is_over():
        return False
    end(attempt)
    return True


def scores(user: User, documents: Iterable[Document]) -> dict[UUID, int]:
    """What the user reached in the evaluations of each document: the mean of their newest scores, in one query."""
    ended = Attempt.objects.visible(user).filter(section__document__in=list(documents), section__type=TIMED)
    newest = ended.exclude(score=None).order_by("section", "-number").distinct("section")
    reached: dict[UUID, list[int]] = {}
    for document, score in newest.values_list("section__document", "score"):
        reached.setdefault(document, []).append(score or 0)
    return {document: round(sum(each) / len(each)) for document, each in reached.items()}
