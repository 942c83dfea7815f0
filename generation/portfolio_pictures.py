"""A portfolio, one of its cases, and its summary as pages and programs see them, computed where they are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from django.utils.formats import number_format
from django.utils.html import strip_tags
from django.utils.translation import gettext

from generation import conditions, telling
from generation.citations import CITATION
from generation.models import Document
from generation.portfolios import Placed, Portfolio, home_of, summed_up
from generation.recipes.base import Places
from generation.recipes.use_case.cases import Axes
from generation.scatter import Point, Scatter, across, down, scatter
from memory.base import rendered
from memory.base.text import excerpt

UNKNOWN = "—"
MOST_ABOUT = 240  # characters of what a case is, on its card


def figure(amount: float | None) -> str:
    """As a page says it; a dash for what is not known."""
    return UNKNOWN if amount is None else number_format(round(amount, 1), 1 if amount % 1 else 0)


@dataclass(frozen=True)
class Dashboard:
    """A portfolio with its scatter: the cases in order, the recommended among them, and what is summed up."""

    portfolio: Portfolio
    rows: Sequence[Mapping[str, Any]]
    drawn: Scatter
    summary: Document | None
    least_value: float | None
    most_complexity: float | None
    above = "use_case_list/dashboard.html"
    below = "use_case_list/matrix.html"

    @property
    def figures(self) -> dict[str, str]:
        found = self.portfolio.aggregates
        return {
            "mean_value": figure(found.mean_value),
            "median_value": figure(found.median_value),
            "mean_ease": figure(None if found.mean_complexity is None else 100 - found.mean_complexity),
            "median_ease": figure(None if found.median_complexity is None else 100 - found.median_complexity),
        }

    @property
    def ticks(self) -> list[dict[str, Any]]:
        return [{"said": tick, "x": across(tick), "y": down(tick)} for tick in self.drawn.ticks]

    @property
    def median(self) -> dict[str, float] | None:
        """Where the lines of the medians cross."""
        found = self.portfolio.aggregates
        if found.median_value is None or found.median_complexity is None:
            return None
        return {"x": round(across(100 - found.median_complexity), 1), "y": round(down(found.median_value), 1)}

    @property
    def least(self) -> str:
        return figure(self.least_value)

    @property
    def most(self) -> str:
        return figure(self.most_complexity)

    @property
    def leading(self) -> Places:
        shown = [("board", gettext("Value and ease"))] if self.drawn.marks else []
        return [*shown, ("cases", gettext("Use cases")), ("ratings", gettext("Ratings"))] if self.rows else []

    @property
    def trailing(self) -> Places:
        return [("field-value_axes", gettext("Axes"))]

    @property
    def has_top(self) -> bool:
        return any(row["is_top"] for row in self.rows)

    @property
    def axes(self) -> dict[str, list[dict[str, Any]]]:
        """The two sides of the matrix."""
        sides = {"value": self.portfolio.axes.value, "complexity": self.portfolio.axes.complexity}
        return {
            name: [{**axis, "weight_said": figure(axis.get("weight", 1))} for axis in each]
            for name, each in sides.items()
        }

    @property
    def all_axes(self) -> list[dict[str, Any]]:
        return [*self.axes["value"], *self.axes["complexity"]]

    @property
    def matrix(self) -> list[tuple[str, list[dict[str, Any]]]]:
        """The axes by what they are of."""
        return [(gettext("Value"), self.axes["value"]), (gettext("Complexity"), self.axes["complexity"])]

    @property
    def watched(self) -> str:
        """The topics that tell of a change in it, beside its own."""
        return " ".join(
            f"document.{key}" for key in (*(row["id"] for row in self.rows), *(each.id for each in self.removed))
        )

    @property
    def removed(self) -> Sequence[Document]:
        return self.portfolio.removed


def dashboard(document: Document) -> Dashboard:
    portfolio = Portfolio.of(document)
    summary = portfolio.summary
    least, most = portfolio.thresholds(summary.fields if summary else {})
    states = conditions.of_documents([each.document for each in portfolio.cases])
    top = {each.id for each in portfolio.recommended}
    rendered.warm(uncited(each.document) for each in portfolio.cases)
    rows = [
        {
            **row(each, states[each.id], is_top=each.id in top),
            "about": about(each.document),
            "ratings": ratings(each, portfolio.axes),
        }
        for each in portfolio.cases
    ]
    points = [
        Point(
            str(each.id),
            each.number,
            each.title,
            each.standing.ease or 0,
            each.standing.total_value or 0,
            each.id in top,
        )
        for each in portfolio.cases
        if each.standing.is_known
    ]
    return Dashboard(portfolio, rows, scatter(points), summary, least, most)


def row(case: Placed, state: str, *, is_top: bool) -> dict[str, Any]:
    value, complexity, ease = case.standing.total_value, case.standing.total_complexity, case.standing.ease
    return {
        "id": case.id,
        "number": case.number,
        "title": case.title,
        "domain": case.document.fields.get("domain", ""),
        "state": state,
        "state_said": telling.condition(state),
        "is_written": case.is_written,
        "is_top": is_top,
        "stars": case.stars,
        "lit": "★" * (case.stars or 0) + "☆" * (5 - (case.stars or 0)) if case.stars else "",
        "value": figure(value),
        "complexity": figure(complexity),
        "ease": figure(ease),
        "total_value": value,
        "total_complexity": complexity,
        "total_ease": ease,
    }


def ratings(case: Placed, axes: Axes) -> list[dict[str, Any]]:
    """What stands in a row of the matrix: the axes of value, then those of complexity."""
    fields = case.document.fields
    value = [rated(axis, fields.get("value_scores") or ()) for axis in axes.value]
    return value + [rated(axis, fields.get("complexity_scores") or ()) for axis in axes.complexity]


def uncited(case: Document) -> str:
    return CITATION.sub("", case.fields.get("description") or "")


def about(case: Document) -> str:
    """How its description begins, without its marks."""
    return excerpt(unescape(strip_tags(rendered.of(uncited(case)))), MOST_ABOUT)


@dataclass(frozen=True)
class CasePicture:
    """A use case with its scores, by the axes of its portfolio."""

    placed: Mapping[str, Any]
    portfolio: Document | None
    axes: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
    above = "use_case/standing.html"
    below = "use_case/scores.html"
    leading = ()

    @property
    def watched(self) -> str:
        """Its portfolio: the axes are its, and the work on it may be."""
        return f"document.{self.portfolio.id}" if self.portfolio else ""

    @property
    def trailing(self) -> Places:
        return [("field-value_scores", gettext("Scores"))]


def case(document: Document) -> CasePicture:
    parent = home_of(document)
    portfolio = Portfolio.alone(document) if parent is None else Portfolio.of(parent)
    placed = next(each for each in (*portfolio.cases, *Portfolio.alone(document).cases) if each.id == document.id)
    axes = [
        (name, [rated(axis, document.fields.get(name) or ()) for axis in asked])
        for name, asked in (("value_scores", portfolio.axes.value), ("complexity_scores", portfolio.axes.complexity))
    ]
    return CasePicture(row(placed, "", is_top=False), parent, axes)


def rated(axis: Mapping[str, Any], scores: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    score = next((each for each in scores if each["id"] == axis["id"]), {})
    return {
        "axis": axis.get("name") or axis["id"],
        "weight": figure(axis.get("weight", 1)),
        "rating": score.get("rating"),
        "justification": score.get("justification", ""),
        "level": axis.get("description", ""),
    }


@dataclass(frozen=True)
class SummaryPicture:
    """What a summary recommends, as the portfolio stands now."""

    portfolio: Document
    top: Sequence[Mapping[str, Any]]
    least_value: str
    most_complexity: str
    is_own: bool
    above = "executive_summary/top.html"
    below = watched = ""
    trailing = ()

    @property
    def leading(self) -> Places:
        return [("recommended", gettext("Recommended"))]


def summary(document: Document) -> SummaryPicture | None:
    """None when its portfolio is gone."""
    portfolio = summed_up(document)
    if portfolio is None:
        return None
    least, most = portfolio.thresholds(document.fields)
    top = [row(each, "", is_top=True) for each in portfolio.top(least, most)]
    is_own = any(document.fields.get(name) is not None for name in ("value_threshold", "complexity_threshold"))
    return SummaryPicture(portfolio.document, top, figure(least), figure(most), is_own)


def told(document: Document) -> dict[str, Any]:
    """What REST says of a portfolio."""
    found = dashboard(document)
    names = (
        "id", "number", "title", "domain", "state", "is_top", "stars", "total_value", "total_complexity", "total_ease",
    )  # fmt: skip
    counted = found.portfolio.aggregates
    return {
        "cases": [{name: each[name] for name in names} for each in found.rows],
        "count": counted.count,
        "mean_value": counted.mean_value,
        "mean_complexity": counted.mean_complexity,
        "median_value": counted.median_value,
        "median_complexity": counted.median_complexity,
        "value_threshold": found.least_value,
        "complexity_threshold": found.most_complexity,
        "summary": found.summary.id if found.summary else None,
    }
