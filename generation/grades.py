"""What answers are worth: choices by comparing, open answers as the examiner says. Once given, a grade stands."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from generation.models import Attempt

Result = dict[str, Any]


def result(is_right: bool | None, feedback: str = "", error: Mapping[str, Any] | None = None) -> Result:
    """`is_right` is None for what nobody has graded (yet): then `error` says why, if grading failed."""
    return {"is_right": is_right, "feedback": feedback, "error": error}


def first(attempt: Attempt) -> dict[str, Result]:
    """What can be said without asking anybody: only open answers remain to be graded."""
    return {each["id"]: of(each, attempt.answers.get(each["id"]), attempt.multi_answers) for each in attempt.questions}


def of(question: Mapping[str, Any], given: Any, multi_answers: bool) -> Result:
    """A choice is right when it is exactly the right answers, of which one is enough unless several may be chosen."""
    if not question.get("answers"):
        return result(None if given else False)
    right = {answer["id"] for answer in question["answers"] if answer.get("is_correct")}
    chosen = set(given or ())
    return result(chosen == right if multi_answers else len(chosen) == 1 and chosen <= right)


def score(results: Iterable[Result]) -> int | None:
    """Percent of what is graded; None while nothing is."""
    graded = [each["is_right"] for each in results if each["is_right"] is not None]
    return round(100 * sum(graded) / len(graded)) if graded else None


def keep(attempt_id: UUID, question: str, grade: Result) -> None:
    """Put down what the examiner said, or why nothing could be said; in the caller's transaction."""
    attempt = Attempt.objects.select_for_update().filter(id=attempt_id).first()
    if attempt is None or question not in attempt.ungraded:
        return
    attempt.results[question] = grade
    attempt.score = score(attempt.results.values())
    attempt.save(update_fields=["results", "score"])
