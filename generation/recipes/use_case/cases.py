"""One use case being written: its texts and its scores, both at once, each alone when it fails.

A portfolio writes many of them in its own run, each into a document of its own; a case by itself is one of them.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.json_schema import SkipJsonSchema

from generation import citations
from generation.citations import Citable
from generation.fields import into_list
from generation.issues import Finding
from generation.models import Document, Severity
from generation.recipes.use_case.schema import TEXTS
from generation.running import Running
from generation.scores import missing
from generation.scribe import Scribe
from generation.sources import fenced
from generation.steps import StepInProgress
from memory.base.errors import ScriptoriumError

Sentence = Annotated[str, Field(min_length=1, max_length=500)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Material(BaseModel):
    """What all cases of a portfolio are made from, as it stood when the run began."""

    brief: str
    companies: list[str] = []
    citable: list[Citable] = []
    addresses: list[str] = []


class Case(BaseModel):
    """`key` is where its steps stand in the run: `case-3`, or nothing for a case by itself.

    One that `is_unnamed` is given its name by the model; until then its brief stands for it.
    """

    id: UUID
    title: str
    about: str = ""
    key: str = ""
    number: int = 1
    of: int = 1
    is_unnamed: bool = False

    def step(self, name: str) -> str:
        return f"{self.key}/{name}" if self.key else name

    def label(self, code: str) -> dict[str, Any]:
        return {"code": code, "title": self.title, "number": self.number, "of": self.of}


class Texts(BaseModel):
    """A case without its scores, as the writer is asked for it."""

    description: str = Field(min_length=1, max_length=4_000, description="60 to 100 words")
    problem: str = Field(min_length=1, max_length=4_000, description="40 to 80 words: what it costs today")
    solution: str = Field(min_length=1, max_length=4_000, description="40 to 80 words: how it works")
    domain: Name = Field(description="The part of the company")
    process: Name = Field(description="The process it changes")
    lead_time: Name = Field(description="How long until it is in use")
    contact: Name = Field(description="The role that owns it")
    prerequisites: str = Field(min_length=1, max_length=2_000, description="What has to be there first")
    benefits: list[Sentence] = Field(min_length=1, max_length=5, description="Five benefits")
    constraints: list[Sentence] = Field(min_length=1, max_length=5, description="What it must respect, one at least")
    metrics: list[Sentence] = Field(min_length=1, max_length=3, description="Three measures of its success")
    risks: list[Sentence] = Field(min_length=1, max_length=3, description="Three risks")
    next_steps: list[Sentence] = Field(min_length=1, max_length=4, description="Four next steps, the first one first")
    technologies: list[Name] = Field(min_length=1, max_length=6, description="What it is built with")
    data_sources: list[Name] = Field(min_length=1, max_length=6, description="Where its data come from")
    data_objects: list[Name] = Field(min_length=1, max_length=6, description="Which things its data are about")


class Rating(BaseModel):
    rating: Literal[0, 1, 3, 5, 8, 13, 21, 34, 55, 89, 100]
    justification: str = Field(min_length=1, max_length=1_000, description="20 to 30 words")


class Scores(BaseModel):
    """What came of the rating: by axis, and the axes that nobody asked for."""

    value: dict[str, Rating] = {}
    complexity: dict[str, Rating] = {}
    unknown: list[str] = []


class Axes(BaseModel):
    """Of value and of complexity, as a document keeps them."""

    value: list[dict[str, Any]]
    complexity: list[dict[str, Any]]


async def write(run: Running, case: Case, material: Material, axes: Axes, others: Sequence[str] = ()) -> None:
    await run.gather(texts(run, case, material, others), scores(run, case, material, axes))


# --- texts


async def texts(
    run: Running, case: Case, material: Material, others: Sequence[str] = (), wanted: Sequence[str] = ()
) -> None:
    """`wanted`: these fields alone, anew; all without any."""
    asked = shape_of(wanted, case)

    async def produce(step: StepInProgress) -> dict[str, Any]:
        variables = {
            "brief": fenced(material.brief),
            "companies": material.companies,
            "citable": citations.shown(material.citable),
            "title": fenced(case.title),
            "about": fenced(case.about),
            "others": [fenced(title) for title in others if title != case.title],
            "wanted": list(wanted),
        }
        return (await step.write_as(asked, "use_case/texts", variables)).model_dump()

    def keep(said: dict[str, Any] | None, scribe: Scribe) -> None:
        put_down(said, case, material, scribe)

    name = f"texts/{wanted[0]}" if len(wanted) == 1 else "texts"
    await run.step(
        case.step(name),
        produce,
        returns=dict[str, Any] | None,
        label=case.label("case"),
        fallback=nothing,
        write=keep,
    )


def nothing(_: ScriptoriumError) -> None:
    return None


def shape_of(wanted: Sequence[str], case: Case) -> type[BaseModel]:
    """What the writer is asked for: all of it, or these fields."""
    if not wanted and case.is_unnamed:
        return create_model("Texts", __base__=Texts, title=(Name, Field(description="What the case is called")))
    if not wanted:
        return Texts
    fields: dict[str, Any] = {
        name: (info.annotation, info) for name, info in Texts.model_fields.items() if name in wanted
    }
    return create_model("Texts", **fields)


def put_down(said: dict[str, Any] | None, case: Case, material: Material, scribe: Scribe) -> None:
    """The texts with those of the references that they cite; or, in the case, that it could not be written."""
    paper = on_paper(case, scribe)
    if paper is None:
        return
    if said is None:
        paper.found([Finding("case_not_written", {"title": case.title}, severity=Severity.HIGH)], ["case_not_written"])
        return
    numbers, known = {each.number for each in material.citable}, set(material.addresses)
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, value in said.items():
        values[name] = value
        if name in TEXTS:
            values[name], found = citations.checked(value, name, numbers, known)
            findings += found
    cited = citations.cited(values[name] for name in TEXTS if name in values)
    there = paper.standing().fields.get("references") or []
    paper.write_document({**values, **into_list(there, "references", citations.new(material.citable, cited, there))})
    paper.found(findings, citations.TYPES, tuple(values))
    paper.found([], ["case_not_written"])


def on_paper(case: Case, scribe: Scribe) -> Scribe | None:
    """The hand on the document of the case, in whichever run; None when somebody has thrown it away for good."""
    if case.id == scribe.document.id:
        return scribe
    document = Document.whole().filter(id=case.id).first()
    return scribe.beside(document) if document else None


# --- scores


async def scores(run: Running, case: Case, material: Material, axes: Axes) -> None:
    async def produce(step: StepInProgress) -> Scores:
        variables = {
            "brief": fenced(material.brief),
            "companies": material.companies,
            "title": fenced(case.title),
            "about": fenced(case.about),
            "axes": [*told(axes.value, "value"), *told(axes.complexity, "complexity")],
        }
        return sorted_out(await step.write_as(matrix_of(axes), "use_case/scores", variables), axes)

    def keep(said: Scores | None, scribe: Scribe) -> None:
        put_down_scores(said, case, axes, scribe)

    await run.step(
        case.step("scores"),
        produce,
        returns=Scores | None,
        label=case.label("scores"),
        fallback=nothing,
        write=keep,
    )


def told(axes: Sequence[dict[str, Any]], of: str) -> list[str]:
    """An axis as a prompt shows it, with what its levels mean."""
    lines = []
    for axis in axes:
        levels = " ".join(f"({n}) {level}" for n, level in enumerate(axis.get("levels") or (), 1))
        parts = [f"{axis['id']} ({of}): {axis.get('name', axis['id'])}.", axis.get("description", ""), levels]
        lines.append(fenced(" ".join(part for part in parts if part)))
    return lines


def matrix_of(axes: Axes) -> type[BaseModel]:
    """Every axis is asked for; one that is not answered, and one that nobody asked for, is no malformed answer."""
    asked = [axis["id"] for axis in (*axes.value, *axes.complexity)]
    extra: dict[str, Any] = {"required": list(dict.fromkeys(asked)), "additionalProperties": False}
    config = ConfigDict(extra="allow", json_schema_extra=extra)
    return by_id("Scores", list(dict.fromkeys(asked)), Rating | SkipJsonSchema[None], None, config)  # type: ignore[misc]


def by_id(name: str, ids: Sequence[str], answer: Any, default: Any = ..., config: ConfigDict | None = None) -> Any:
    """The model of an object that answers under each of these ids, whatever they look like to Python."""
    fields: dict[str, Any] = {f"answer_{n}": (answer, Field(default, alias=key)) for n, key in enumerate(ids)}
    return create_model(name, __config__=config, **fields)


def answers(said: BaseModel) -> dict[str, Any]:
    """By id what such an object says."""
    return {str(info.alias): getattr(said, name) for name, info in type(said).model_fields.items()}


def sorted_out(said: BaseModel, axes: Axes) -> Scores:
    given = {key: value for key, value in answers(said).items() if isinstance(value, Rating)}
    return Scores(
        value={axis["id"]: given[axis["id"]] for axis in axes.value if axis["id"] in given},
        complexity={axis["id"]: given[axis["id"]] for axis in axes.complexity if axis["id"] in given},
        unknown=sorted(said.model_extra or {})[:20],
    )


def put_down_scores(said: Scores | None, case: Case, axes: Axes, scribe: Scribe) -> None:
    """By path, one axis beside the other; each axis that is not rated then is a finding."""
    paper = on_paper(case, scribe)
    if paper is None:
        return
    rated = said or Scores()
    values: dict[str, Any] = {}
    for field, given in (("value_scores", rated.value), ("complexity_scores", rated.complexity)):
        items = [{"id": key, "axis": key, **rating.model_dump()} for key, rating in given.items()]
        values |= into_list(paper.standing().fields.get(field), field, items)
    paper.write_document(values)
    standing = paper.standing().fields
    findings = [Finding("axis_unknown", {"axis": name[:100]}) for name in rated.unknown]
    for field, asked in (("value_scores", axes.value), ("complexity_scores", axes.complexity)):
        unrated = set(missing(standing.get(field), asked))
        names = [axis.get("name", axis["id"]) for axis in asked if axis["id"] in unrated]
        findings += [Finding("axis_missing", {"axis": name}, field, Severity.MEDIUM) for name in names]
    paper.found(findings, ["axis_missing", "axis_unknown"])
