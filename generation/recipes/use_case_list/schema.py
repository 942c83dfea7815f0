"""A portfolio of use cases: by which axes they are rated. The cases are documents in it."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from generation.fields import Fields, Kind, ids, markdown
from generation.scores import MOST_AXES, Axis


class UseCaseListFields(Fields):
    """`companies`: ids of the documents it is about; `cases`: ids of its use cases, in order."""

    description: str | None = markdown()
    companies: list[str] | None = ids()
    cases: list[str] | None = ids()
    requested_count: int | None = Field(None, ge=1, le=25)
    value_axes: list[Axis] | None = Field(None, max_length=MOST_AXES)
    complexity_axes: list[Axis] | None = Field(None, max_length=MOST_AXES)


USE_CASE_LIST = Kind("use_case_list", UseCaseListFields, body=("value_axes", "complexity_axes"), is_indexed=True)

# What every portfolio begins with: id, weight, and its name by language.
DEFAULT_AXES: Mapping[str, tuple[tuple[str, float, Mapping[str, str]], ...]] = {
    "value_axes": (
        ("business_value", 2, {"en": "Business value", "fr": "Valeur métier"}),
        ("time_criticality", 1.5, {"en": "Time criticality", "fr": "Urgence"}),
        (
            "risk_reduction",
            1.5,
            {"en": "Risk reduction and opportunity", "fr": "Réduction des risques et opportunités"},
        ),
    ),
    "complexity_axes": (
        ("ai_maturity", 1, {"en": "AI maturity", "fr": "Maturité en IA"}),
        ("implementation_effort", 1.5, {"en": "Implementation effort", "fr": "Effort de mise en œuvre"}),
        ("data_compliance", 1, {"en": "Data compliance", "fr": "Conformité des données"}),
        ("data_availability", 1, {"en": "Data availability", "fr": "Disponibilité des données"}),
        ("change_management", 1, {"en": "Change management", "fr": "Conduite du changement"}),
    ),
}


def default_axes(language: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Those of value, and those of complexity, as a document keeps them."""
    value, complexity = (
        [{"id": key, "name": names.get(language, names["en"]), "weight": weight} for key, weight, names in axes]
        for axes in DEFAULT_AXES.values()
    )
    return value, complexity
