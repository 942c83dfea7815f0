"""A company: what is known of it, written from its brief, its files and what was found, all fields in one answer.

One field can be written again alone. What a person wrote stays: what a machine would write there is proposed.
"""

from collections.abc import Collection, Sequence
from typing import Annotated, Any

from django.utils.translation import gettext_noop as _
from pydantic import BaseModel, Field, create_model

from generation import citations, documents, research, sources
from generation.citations import Citable
from generation.fields import into_list
from generation.issues import Finding
from generation.manuscripts import Manuscript
from generation.models import Document
from generation.recipes.base import Action, Options, Recipe, Speech, Work
from generation.recipes.company.schema import TEXTS
from generation.running import Running
from generation.scribe import Scribe
from generation.set_fields import set_fields
from generation.sources import fenced
from generation.steps import StepInProgress
from memory.base.database import db
from memory.base.errors import ScriptoriumError

ABOUT = {
    "industry": "What it does, for whom, in which market",
    "size": "People, places, turnover, as far as they are known",
    "products": "What it makes or sells",
    "processes": "How its work goes, from order to delivery",
    "kpis": "What it measures itself by, with the figures that are known",
    "challenges": "What costs it time, money or customers",
    "objectives": "What it wants to reach, by when",
    "technologies": "Its tools, systems and data",
}


FieldName = Annotated[str, Field(pattern=f"^({'|'.join(TEXTS)})$")]


class EnrichOptions(Options):
    fields: list[FieldName] = Field(
        default_factory=list,
        max_length=len(TEXTS),
        description="Those to be written anew; all without any",
        json_schema_extra={"input": "hidden"},
    )


class Known(BaseModel):
    """What stood there when the run began."""

    title: str = ""
    fields: dict[str, str] = {}
    references: list[dict[str, Any]] = []


class Profile(BaseModel):
    """The fields that were asked for, by name; `name` only of a company that has none yet."""

    name: str = ""
    texts: dict[str, str] = {}


async def write(run: Running) -> None:
    await profile(run, TEXTS)


async def enrich(run: Running) -> None:
    chosen = EnrichOptions.model_validate(run.run.options).fields
    await profile(run, [name for name in TEXTS if name in chosen] or TEXTS)


async def profile(run: Running, names: Sequence[str]) -> None:
    run.plan({"enrich": 1})
    await run.read_document()
    given = await sources.read(run)
    known = await run.step("read/known", lambda _: db(read, run), returns=Known)
    wanted = list(names) if len(names) < len(TEXTS) else []
    key = f"enrich/{names[0]}" if len(names) == 1 else "enrich"
    run.plan({"research-1": 1, key: 3})
    texts = [run.run.brief, *known.fields.values(), *(file.text for file in given.files)]
    found: list[Citable] = []
    if research.is_possible(texts):
        facts = {"brief": fenced(run.run.brief), "name": known.title, "known": told(known), "wanted": wanted}
        found = await research.look_up(run, "company/research", facts, texts)
    citable = citations.numbered(citations.kept(known.references), found, citations.of_files(given, 0))

    async def produce(step: StepInProgress) -> Profile:
        variables = {
            "brief": fenced(run.run.brief),
            "name": known.title,
            "known": told(known),
            "citable": citations.shown(citable),
            "wanted": wanted,
        }
        answer = await step.write_as(shape_of(names, has_name=bool(known.title)), "company/profile", variables)
        said = answer.model_dump()
        return Profile(name=said.pop("name", ""), texts=said)

    def keep(said: Profile | None, scribe: Scribe) -> None:
        if said is not None:
            put_down(said, known, citable, addresses_of([*texts], citable), scribe)

    def fallback(_: ScriptoriumError) -> None:
        return None

    label = {"code": "enrich", "fields": wanted}
    await run.step(key, produce, returns=Profile | None, label=label, fallback=fallback, write=keep)


def told(known: Known) -> list[str]:
    return [f"{name}: {fenced(text)}" for name, text in known.fields.items()]


def read(run: Running) -> Known:
    document = run.run.document
    if document is None:
        raise ValueError(f"{run.run} writes no document")
    standing = documents.within(document.workspace, document.id)
    texts = {name: standing.fields[name] for name in TEXTS if standing.fields.get(name)}
    return Known(title=standing.title, fields=texts, references=standing.fields.get("references") or [])


def shape_of(names: Sequence[str], *, has_name: bool) -> type[BaseModel]:
    """What the model is asked for: these fields alone."""
    fields: dict[str, Any] = {
        name: (str, Field(min_length=1, max_length=20_000, description=ABOUT[name])) for name in names
    }
    if not has_name:
        fields = {"name": (str, Field(min_length=1, max_length=200, description="What it is called")), **fields}
    return create_model("Profile", **fields)


def addresses_of(given: Sequence[str], citable: Sequence[Citable]) -> set[str]:
    """Where the texts may lead: what was given, what stood there, and what was found."""
    return citations.addresses(given) | {each.url for each in citable if each.url}


def put_down(
    said: Profile, known: Known, citable: Sequence[Citable], addresses: Collection[str], scribe: Scribe
) -> None:
    """The texts, and those of the references that they cite and that do not stand there yet."""
    numbers = {each.number for each in citable}
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, text in said.texts.items():
        values[name], found = citations.checked(text, name, numbers, addresses)
        findings += found
    cited = citations.cited(values.values())
    there = scribe.standing().fields.get("references") or []
    values |= into_list(there, "references", citations.new(citable, cited, there))
    if said.name and not known.title:
        values["title"] = said.name
    scribe.write_document(values)
    scribe.found(findings, citations.TYPES, tuple(said.texts))


def manuscript(document: Document) -> Manuscript:
    return set_fields(document, TEXTS)


def work(options: Options) -> list[Work]:
    asked = len(options.fields) if isinstance(options, EnrichOptions) and options.fields else len(TEXTS)
    return [Work("company/research", (0, 4), (100, 400)), Work("company/profile", (1, 1), (80 * asked, 250 * asked))]


RECIPE = Recipe(
    kind="company",
    job=f"{__name__}.{write.__name__}",
    options=Options,
    slots=("company/research", "company/profile"),
    manuscript=manuscript,
    by_hand=True,
    actions=(Action("enrich", f"{__name__}.{enrich.__name__}", EnrichOptions),),
    speech=Speech(
        _("Company"),
        _("Companies"),
        _("A new company"),
        _("Which company, and what is known of it?"),
        (_("{n} field"), _("{n} fields")),
    ),
    work=work,
    remakes="enrich",
    searches=True,
)
