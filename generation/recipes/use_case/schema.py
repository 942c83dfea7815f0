"""A use case: what it is for, what it takes, how it is rated, and what that rests on."""

from pydantic import Field

from generation.fields import Fields, Kind, line, markdown, plain, strings
from generation.references import Reference
from generation.scores import MOST_SCORES, Score


class UseCaseFields(Fields):
    """Its name is the document's title."""

    description: str | None = markdown()
    problem: str | None = markdown()
    solution: str | None = markdown()
    domain: str | None = line(200)
    process: str | None = line(200)
    lead_time: str | None = line(200)
    contact: str | None = line(200)
    prerequisites: str | None = plain(4_000)
    benefits: list[str] | None = strings()
    constraints: list[str] | None = strings()
    metrics: list[str] | None = strings()
    risks: list[str] | None = strings()
    next_steps: list[str] | None = strings()
    technologies: list[str] | None = strings()
    data_sources: list[str] | None = strings()
    data_objects: list[str] | None = strings()
    value_scores: list[Score] | None = Field(None, max_length=MOST_SCORES)
    complexity_scores: list[Score] | None = Field(None, max_length=MOST_SCORES)
    references: list[Reference] | None = Field(None, max_length=100)


TEXTS = ("description", "problem", "solution")
USE_CASE = Kind("use_case", UseCaseFields, body=TEXTS)
