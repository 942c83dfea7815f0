"""Facts of runs and documents in the reader's words: how far, how long, how much, when, what is being written."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime, now
from django.utils.translation import gettext

from generation.registry import RECIPES, errand_of


def kind(name: str) -> str:
    recipe = RECIPES.get(name)
    errand = errand_of(name)
    own = recipe.speech.one if recipe and recipe.speech else errand.name if errand else ""
    return gettext(own) if own else name


def new(name: str) -> str:
    """What it is called before it has a title of its own."""
    recipe = RECIPES.get(name)
    return gettext(recipe.speech.new) if recipe and recipe.speech else name


def kinds(name: str) -> str:
    recipe = RECIPES.get(name)
    return gettext(recipe.speech.several) if recipe and recipe.speech else name


def percent(progress: float) -> str:
    return gettext("{n}%").format(n=int(progress))


def duration(span: timedelta) -> str:
    """As exactly as it can be known: in tens of seconds below ten minutes, in minutes above."""
    seconds = span.total_seconds()
    if seconds < 60:
        return gettext("{n} s").format(n=max(5, round(seconds / 5) * 5))
    if seconds < 600:
        minutes, rest = divmod(round(seconds / 10) * 10, 60)
        whole = gettext("{n} min").format(n=minutes)
        return f"{whole} {gettext('{n} s').format(n=rest)}" if rest else whole
    if seconds < 7_200:
        return gettext("{n} min").format(n=round(seconds / 60))
    return gettext("{n} h").format(n=round(seconds / 3_600))


def money(amount: Decimal | float) -> str:
    if 0 < amount < 0.01:
        return gettext("under {money}").format(money=gettext("${amount}").format(amount=number_format(0.01, 2)))
    return gettext("${amount}").format(amount=number_format(amount, 2))


def moment(at: datetime) -> str:
    """The hour today, the day before."""
    then, today = localtime(at), localtime(now()).date()
    if then.date() == today:
        return gettext("today, {time}").format(time=clock(then))
    if then.date() == today - timedelta(days=1):
        return gettext("yesterday")
    return date_format(then, "MONTH_DAY_FORMAT" if then.year == today.year else "DATE_FORMAT")


def clock(at: datetime) -> str:
    return f"{localtime(at):%H:%M}"


def doing(label: Mapping[str, Any]) -> str:
    """What a run is at, from the label of its step; nothing where there are no words for it."""
    said = {
        "outline": gettext("The outline is being planned."),
        "sources": gettext("The files are being read."),
        "section": gettext("“{title}” is being written."),
        "lesson": gettext("The lesson “{title}” is being written."),
        "exercises": gettext("The exercises of “{title}” are being planned."),
        "exercise": gettext("An exercise of “{title}” is being written."),
        "evaluation": gettext("The evaluation of “{title}” is being written."),
        "diagram": gettext("A diagram of “{title}” is being drawn."),
    }.get(str(label.get("code")), "")
    return said.format(title=label.get("title", "")) if said else ""
