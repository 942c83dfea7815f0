"""What is computed of a portfolio, a case and a summary as tables for files, in the language of their document."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext

from generation import labels
from generation.manuscripts import Cell, Column, Table
from generation.models import Document
from generation.portfolios import Placed, Portfolio, axes_for


def of_cases(portfolio: Portfolio) -> Table:
    """Every case in order; in a sheet with its domain, and how it is rated on each axis."""
    axes = portfolio.axes
    top = {each.id for each in portfolio.recommended}
    with translation.override(portfolio.document.language):
        sides = ((gettext("Value"), axes.value), (gettext("Complexity"), axes.complexity))
        rated = [Column(f"{side}: {name_of(axis)}", is_wide=True) for side, each in sides for axis in each]
        columns = (
            *heads(),
            Column(gettext("Recommended")),
            Column(capfirst(labels.of_field("domain")), is_wide=True),
            *rated,
        )
        rows = [
            (
                *figures(each),
                gettext("yes") if each.id in top else "",
                each.document.fields.get("domain") or "",
                *ratings(each.document.fields.get("value_scores"), axes.value),
                *ratings(each.document.fields.get("complexity_scores"), axes.complexity),
            )
            for each in portfolio.cases
        ]
        return Table(gettext("Use cases"), columns, tuple(rows))


def of_top(cases: Sequence[Placed], language: str) -> Table:
    """The recommended, the most valuable first."""
    with translation.override(language):
        return Table(gettext("Recommended"), tuple(heads()), tuple(tuple(figures(each)) for each in cases))


def of_scores(case: Document) -> Table:
    """By each axis of its portfolio how a case is rated, and why."""
    axes = axes_for(case)
    with translation.override(case.language):
        names = (
            f"{gettext('Value')} / {gettext('Complexity')}",
            gettext("Axis"),
            gettext("Weight"),
            gettext("Rating"),
            gettext("Why"),
        )
        rows: list[tuple[Cell, ...]] = []
        for side, each, field in (
            (gettext("Value"), axes.value, "value_scores"),
            (gettext("Complexity"), axes.complexity, "complexity_scores"),
        ):
            scores = {score["id"]: score for score in case.fields.get(field) or ()}
            for axis in each:
                score = scores.get(axis["id"], {})
                why = score.get("justification") or ""
                rows.append((side, name_of(axis), axis.get("weight", 1), score.get("rating"), why))
        return Table(gettext("Scores"), tuple(map(Column, names)), tuple(rows))


def heads() -> Iterable[Column]:
    names = ("No.", "Use case", "Value", "Complexity", "Ease", "Stars")
    return (Column(gettext(name)) for name in names)


def figures(case: Placed) -> Iterable[Cell]:
    """A row below `heads`."""
    known = (case.standing.total_value, case.standing.total_complexity, case.standing.ease)
    return (case.number, case.title, *(None if each is None else round(each, 1) for each in known), case.stars)


def name_of(axis: Mapping[str, Any]) -> str:
    return str(axis.get("name") or axis["id"])


def ratings(scores: Iterable[Mapping[str, Any]] | None, axes: Sequence[Mapping[str, Any]]) -> Iterable[Cell]:
    known = {score["id"]: score.get("rating") for score in scores or ()}
    return (known.get(axis["id"]) for axis in axes)
