"""A portfolio as it stands: its cases in order, where each stands by value and ease, which are recommended.

Nothing of it is stored: a rating, a weight or an axis that changes changes all of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from generation import scores
from generation.citations import CITATION
from generation.models import Document
from generation.recipes.use_case.cases import Axes
from generation.recipes.use_case.schema import TEXTS
from generation.recipes.use_case_list.axes import axes_of
from generation.scores import Aggregates, Standing


@dataclass(frozen=True)
class Placed:
    """A case and where it stands."""

    document: Document
    number: int
    standing: Standing

    @property
    def id(self) -> UUID:
        return self.document.id

    @property
    def title(self) -> str:
        return self.document.title

    @property
    def is_written(self) -> bool:
        return any(self.document.fields.get(name) for name in TEXTS)

    @property
    def stars(self) -> int | None:
        return scores.stars(self.standing.total_value)

    @property
    def told(self) -> str:
        """In a few lines, as a model is shown it."""
        fields = self.document.fields
        value, complexity = self.standing.total_value, self.standing.total_complexity
        figures = [
            f"value {value:.0f}" if value is not None else "",
            f"complexity {complexity:.0f}" if complexity is not None else "",
        ]
        head = f"{self.title} ({', '.join(filter(None, figures)) or 'not rated'})"
        texts = [CITATION.sub("", fields[name]) for name in (*TEXTS, "prerequisites") if fields.get(name)]
        return "\n".join([head, *texts])


@dataclass(frozen=True)
class Portfolio:
    document: Document
    axes: Axes
    cases: Sequence[Placed]
    summary: Document | None = None
    removed: Sequence[Document] = ()

    @classmethod
    def of(cls, document: Document) -> "Portfolio":
        """In one query, however many cases there are."""
        axes = axes_of(document, document.language)
        below = list(document.children.filter(kind__in=("use_case", "executive_summary")).order_by("id"))
        found = {str(each.id): each for each in below if each.kind == "use_case" and each.present}
        removed = [each for each in below if each.kind == "use_case" and not each.present]
        summary = next((each for each in below if each.kind == "executive_summary" and each.present), None)
        ordered = [found.pop(key) for key in document.fields.get("cases") or () if key in found]
        placed = [
            Placed(each, n, scores.standing(each.fields, axes.value, axes.complexity))
            for n, each in enumerate((*ordered, *found.values()), 1)
        ]
        return cls(document, axes, placed, summary, removed)

    @classmethod
    def alone(cls, case: Document) -> "Portfolio":
        """Of one case that stands in no portfolio, by the axes that every portfolio begins with."""
        axes = axes_of(None, case.language)
        return cls(case, axes, [Placed(case, 1, scores.standing(case.fields, axes.value, axes.complexity))])

    @cached_property
    def aggregates(self) -> Aggregates:
        return scores.aggregates(each.standing for each in self.cases)

    def thresholds(self, fields: Mapping[str, Any]) -> tuple[float | None, float | None]:
        """From which value on and up to which complexity a case is recommended: the summary's own, or the medians."""
        least, most = fields.get("value_threshold"), fields.get("complexity_threshold")
        return (
            self.aggregates.median_value if least is None else least,
            self.aggregates.median_complexity if most is None else most,
        )

    @cached_property
    def recommended(self) -> list[Placed]:
        """By the thresholds of its summary, or the medians."""
        return self.top(*self.thresholds(self.summary.fields if self.summary else {}))

    def top(self, least_value: float | None, most_complexity: float | None) -> list[Placed]:
        """The recommended, the most valuable first."""
        if least_value is None or most_complexity is None:
            return []
        found = [each for each in self.cases if each.standing.is_top(least_value, most_complexity)]
        return sorted(found, key=lambda each: (-(each.standing.total_value or 0), each.standing.total_complexity or 0))


def home_of(case: Document) -> Document | None:
    """The portfolio a case stands in."""
    return case.parent if case.parent and case.parent.kind == "use_case_list" else None


def axes_for(case: Document) -> Axes:
    """The axes of its portfolio, or those that every portfolio begins with."""
    return axes_of(home_of(case), case.language)


def summed_up(summary: Document) -> Portfolio | None:
    """The portfolio a summary is of; None when that is gone, or is none of its workspace."""
    kept = summary.fields.get("portfolio")
    found = Document.whole().filter(id=kept, workspace=summary.workspace_id, kind="use_case_list", present=True).first()
    return Portfolio.of(found) if kept and found else None


def computed(document: Document) -> dict[str, Any]:
    """What is computed of a case, a portfolio or a summary, as a model is told it; nothing of other kinds."""
    if document.kind == "use_case":
        axes = axes_for(document)
        return {"computed": figures(Placed(document, 1, scores.standing(document.fields, axes.value, axes.complexity)))}
    if document.kind == "use_case_list":
        cases = Portfolio.of(document).cases
        return {
            "cases": [
                {"id": str(each.id), "number": each.number, "title": each.title, **figures(each)} for each in cases
            ]
        }
    return {}


def figures(case: Placed) -> dict[str, float | int | None]:
    standing = case.standing
    known = {"total_value": standing.total_value, "total_complexity": standing.total_complexity, "ease": standing.ease}
    rounded = {name: None if amount is None else round(amount, 1) for name, amount in known.items()}
    return {**rounded, "stars": case.stars}
