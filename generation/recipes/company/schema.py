"""A company: eight fields of text, and what they rest on."""

from pydantic import Field

from generation.fields import Fields, Kind, markdown
from generation.references import Reference


class CompanyFields(Fields):
    """Its name is the document's title."""

    industry: str | None = markdown()
    size: str | None = markdown()
    products: str | None = markdown()
    processes: str | None = markdown()
    kpis: str | None = markdown()
    challenges: str | None = markdown()
    objectives: str | None = markdown()
    technologies: str | None = markdown()
    references: list[Reference] | None = Field(None, max_length=100)


TEXTS = tuple(name for name in CompanyFields.model_fields if name != "references")
COMPANY = Kind("company", CompanyFields, body=TEXTS)
