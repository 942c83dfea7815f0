"""How a use case scores: totals by weighted axes, how easy it is, its stars. Computed where they are shown, never
stored: a rating, a weight or an axis that changes changes them all.

A total is Σ(rating × weight) / Σ weight over the axes that are rated, from 0 to 100; None (unknown) when none is, or
when their weights sum to nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean, median
from typing import Any

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from generation.fields import Item, line, plain, strings

RATINGS = (0, 1, 3, 5, 8, 13, 21, 34, 55, 89, 100)
THRESHOLDS = (0, 2, 8, 34, 100)
LEVELS = 5
MOST_WEIGHT = 1_000
MOST_AXES = 20
MOST_SCORES = 60  # those of axes that are gone stay, for who brings one back


class Axis(Item):
    """What use cases are rated by. `levels`: what each of five levels means, the lowest first."""

    name: str | None = line(100)
    weight: float = Field(1, ge=0, le=MOST_WEIGHT, allow_inf_nan=False)
    description: str | None = plain(1_000)
    levels: list[str] | None = strings()

    @field_validator("levels", mode="after")
    @classmethod
    def no_more_than_five(cls, levels: list[str] | None) -> list[str] | None:
        if levels is not None and len(levels) > LEVELS:
            raise PydanticCustomError("too_many_levels", "An axis has five levels")
        return levels


class Score(Item):
    """A rating on an axis, and why. Its `id` is the axis: one score for each."""

    axis: str | None = line(50)
    rating: int | None = Field(None, json_schema_extra={"enum": list(RATINGS)})
    justification: str | None = plain(1_000)

    @model_validator(mode="before")
    @classmethod
    def named_by_its_axis(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        axis = given.get("axis") or given.get("id") or ""
        return {**given, "id": axis, "axis": axis}

    @field_validator("rating", mode="after")
    @classmethod
    def on_the_scale(cls, rating: int | None) -> int | None:
        if rating is not None and rating not in RATINGS:
            raise PydanticCustomError("rating", "A rating is one of 0, 1, 3, 5, 8, 13, 21, 34, 55, 89 and 100")
        return rating


Axes = Sequence[Mapping[str, Any]]  # as a document keeps them
Scores = Sequence[Mapping[str, Any]]


def total(scores: Scores | None, axes: Axes | None) -> float | None:
    """Exact until the last step: whatever the weights are, it does not leave 0–100."""
    ratings = {score["id"]: score["rating"] for score in scores or () if score.get("rating") is not None}
    weighted = [(Fraction(axis.get("weight", 1)), ratings[axis["id"]]) for axis in axes or () if axis["id"] in ratings]
    weight = sum((weight for weight, _ in weighted), Fraction())
    return float(sum((each * rating for each, rating in weighted), Fraction()) / weight) if weight else None


def ease(complexity: float | None) -> float | None:
    return None if complexity is None else 100 - complexity


def stars(of: float | None) -> int | None:
    """1 to 5: how many of the thresholds it has reached."""
    return None if of is None else max(1, sum(threshold <= of for threshold in THRESHOLDS))


@dataclass(frozen=True)
class Standing:
    """Where a use case stands in its portfolio."""

    total_value: float | None
    total_complexity: float | None

    @property
    def ease(self) -> float | None:
        return ease(self.total_complexity)

    @property
    def is_known(self) -> bool:
        return self.total_value is not None and self.total_complexity is not None

    def is_top(self, least_value: float, most_complexity: float) -> bool:
        """Worth as much, and no harder; what is not known is neither."""
        value, complexity = self.total_value, self.total_complexity
        return value is not None and complexity is not None and value >= least_value and complexity <= most_complexity


def standing(fields: Mapping[str, Any], value_axes: Axes, complexity_axes: Axes) -> Standing:
    """Of the fields of a use case."""
    return Standing(
        total(fields.get("value_scores"), value_axes), total(fields.get("complexity_scores"), complexity_axes)
    )


@dataclass(frozen=True)
class Aggregates:
    """Of a portfolio: `count` of all its cases, means and medians of those that are known."""

    count: int
    mean_value: float | None
    mean_complexity: float | None
    median_value: float | None
    median_complexity: float | None


def aggregates(standings: Iterable[Standing]) -> Aggregates:
    every = list(standings)
    values = [each.total_value for each in every if each.total_value is not None]
    complexities = [each.total_complexity for each in every if each.total_complexity is not None]
    return Aggregates(
        len(every),
        fmean(values) if values else None,
        fmean(complexities) if complexities else None,
        median(values) if values else None,
        median(complexities) if complexities else None,
    )


def missing(scores: Scores | None, axes: Axes) -> list[str]:
    """The axes by which it is not rated: an open issue each, never a silent middle."""
    rated = {score["id"] for score in scores or () if score.get("rating") is not None}
    return [axis["id"] for axis in axes if axis["id"] not in rated]
