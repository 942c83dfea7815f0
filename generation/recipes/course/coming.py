"""What will stand in a part of a course that is not written yet, as its outline has settled it."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, ngettext

from generation.recipes.course.answers import PARTS
from generation.recipes.course.schema import LevelDetail


def of(type: str, fields: Mapping[str, Any]) -> str:
    """`fields` are the course's own. Nothing where the outline does not say."""
    sayings = {"lesson": lesson, "exercises": exercises, "evaluation": evaluation}
    return sayings[type](fields) if type in sayings else ""


def lesson(fields: Mapping[str, Any]) -> str:
    detail = fields.get("level_detail")
    if not detail:
        return ""
    least, most = PARTS[LevelDetail(detail)]
    if most - least == 1:
        return gettext("{least} or {most} parts, with diagrams.").format(least=least, most=most)
    return gettext("{least} to {most} parts, with diagrams.").format(least=least, most=most)


def exercises(fields: Mapping[str, Any]) -> str:
    n = fields.get("exercises_per_chapter")
    return ngettext("{n} exercise on this lesson.", "{n} exercises on this lesson.", n).format(n=n) if n else ""


def evaluation(fields: Mapping[str, Any]) -> str:
    n, minutes = fields.get("evaluation_questions"), fields.get("evaluation_minutes")
    if not n:
        return ""
    asked = ngettext("{n} question on this chapter", "{n} questions on this chapter", n).format(n=n)
    return gettext("{asked}, in {m} minutes.").format(asked=asked, m=minutes) if minutes else f"{asked}."
