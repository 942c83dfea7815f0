"""The axes of a portfolio: those it keeps, or those that every portfolio begins with."""

from generation.models import Document
from generation.recipes.use_case.cases import Axes
from generation.recipes.use_case_list.schema import default_axes


def axes_of(portfolio: Document | None, language: str) -> Axes:
    fields = portfolio.fields if portfolio else {}
    if fields.get("value_axes") or fields.get("complexity_axes"):
        return Axes(value=fields.get("value_axes") or [], complexity=fields.get("complexity_axes") or [])
    value, complexity = default_axes(language)
    return Axes(value=value, complexity=complexity)
