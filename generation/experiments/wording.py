"""Figures of experiments in the reader's words."""

import re

from django.utils.formats import number_format
from django.utils.translation import gettext

from generation.experiments.intervals import Difference
from generation.experiments.metrics import EDIT_DAYS, Metric
from generation.experiments.outcomes import Verdict

MINUS = "−"


def title(metric: Metric) -> str:
    return str(metric.title).format(days=EDIT_DAYS)


def value(metric: Metric, amount: float) -> str:
    if metric.form == "share":
        return gettext("{n}%").format(n=figure(amount * 100))
    if metric.form == "usd":
        return gettext("${amount}").format(amount=figure(amount))
    if metric.form == "ms":
        return gettext("{n} ms").format(n=figure(amount)) if abs(amount) < 1_000 else seconds(amount)
    return figure(amount)


def seconds(amount: float) -> str:
    return gettext("{n} s").format(n=figure(amount / 1_000))


def figure(amount: float) -> str:
    """Three digits that count, and no more places than they need."""
    size = abs(amount)
    places = 0 if size >= 100 or not size else 1 if size >= 10 else 2 if size >= 1 else 4
    return number_format(round(amount, places), places, force_grouping=True).replace("-", MINUS)


def tick(metric: Metric, amount: float) -> str:
    """A round value, without the places that say nothing."""
    said, point = value(metric, amount), number_format(0.1, 1)[1]
    digits = re.search(rf"\d*{re.escape(point)}\d+", said)
    return said.replace(digits[0], digits[0].rstrip("0").rstrip(point)) if digits else said


def change(metric: Metric, amount: float) -> str:
    """With its sign; shares in points of a hundred."""
    sign = "+" if amount > 0 else ""
    if metric.form == "share":
        return gettext("{n} points").format(n=f"{sign}{figure(amount * 100)}")
    said = value(metric, abs(amount))
    return f"{'+' if amount > 0 else MINUS if amount < 0 else ''}{said}"


def difference(metric: Metric, found: Difference) -> str:
    """With the interval in which it lies, in the same measure."""
    scale = 100 if metric.form == "share" else 0.001 if metric.form == "ms" and abs(found.value) >= 1_000 else 1
    low, high = (("+" if end > 0 else "") + figure(end * scale) for end in (found.low, found.high))
    return gettext("{change} (from {low} to {high})").format(change=change(metric, found.value), low=low, high=high)


def verdict(found: Verdict | None) -> str:
    return {
        None: gettext("control"),
        Verdict.NOT_ENOUGH: gettext("not enough data yet"),
        Verdict.BETTER: gettext("better"),
        Verdict.WORSE: gettext("worse"),
        Verdict.NO_DIFFERENCE: gettext("no difference found"),
    }[found]
