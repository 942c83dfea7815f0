"""The summary of a portfolio for those who decide: four texts, and by which thresholds cases are recommended."""

from pydantic import Field

from generation.fields import Fields, Kind, ids, markdown
from generation.references import Reference


class ExecutiveSummaryFields(Fields):
    """`portfolio`: the id of it. Without a threshold the median of the portfolio is meant, as it stands."""

    portfolio: str | None = ids()
    introduction: str | None = markdown()
    analysis: str | None = markdown()
    recommendation: str | None = markdown()
    synthesis: str | None = markdown()
    value_threshold: float | None = Field(None, ge=0, le=100, allow_inf_nan=False)
    complexity_threshold: float | None = Field(None, ge=0, le=100, allow_inf_nan=False)
    references: list[Reference] | None = Field(None, max_length=100)


TEXTS = ("introduction", "analysis", "recommendation", "synthesis")
EXECUTIVE_SUMMARY = Kind("executive_summary", ExecutiveSummaryFields, body=TEXTS)
