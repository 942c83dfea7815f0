"""A portfolio of use cases: its matrix and its list at once, then every case at once, each into a document of its own,
and at the end their summary.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_noop as _
from pydantic import BaseModel, Field, create_model

from generation import citations, documents, portfolio_pictures, portfolio_tables, sources
from generation.issues import Finding
from generation.llm.structured import LINE
from generation.manuscripts import Block, Heading, Manuscript, Notice, Prose
from generation.models import Document, Severity
from generation.portfolios import Portfolio
from generation.recipes.base import Action, Options, Recipe, Speech, Work
from generation.recipes.company import reading
from generation.recipes.company.reading import Companies
from generation.recipes.executive_summary import summary
from generation.recipes.use_case import cases
from generation.recipes.use_case.cases import Axes, Case, Material
from generation.recipes.use_case_list.axes import axes_of
from generation.running import Running
from generation.scores import LEVELS
from generation.scribe import Scribe
from generation.sources import fenced
from generation.steps import StepInProgress
from generation.words import words
from memory import history
from memory.base.database import db
from memory.base.folding import fold
from memory.base.ids import new_id
from memory.models import AuthorKind, Change

MOST_CASES, USUAL_CASES = 25, 10
LIST_WEIGHT, MATRIX_WEIGHT, CASES_WEIGHT, SUMMARY_WEIGHT = 10, 5, 75, 10


class ListOptions(Options):
    companies: list[UUID] = Field(
        default_factory=list, max_length=10, title=_("Companies"), json_schema_extra={"documents": "company"}
    )
    requested_count: int = Field(USUAL_CASES, ge=1, le=MOST_CASES, title=_("How many use cases"))


class AddOptions(Options):
    count: int = Field(1, ge=1, le=MOST_CASES, description="How many more")
    instruction: str = Field("", max_length=1_000, description="What they shall be about")


class Pitch(BaseModel):
    title: str = Field(min_length=1, max_length=200, description="What the case does, in four to ten words")
    about: str = Field(min_length=1, max_length=1_000, description="For whom and with which data, in two sentences")


class Planned(BaseModel):
    """The cases that are to be written, with the documents that they are written into; `twice`: titles left out."""

    cases: list[Case]
    twice: list[str] = []


class Setting(BaseModel):
    """What stood there when the run began. `replaced`: the cases of a list that is made again; what people wrote in
    stays, and its removal is proposed. `keeps_axes`: the matrix was made by a run before."""

    companies: Companies
    axes: Axes
    keeps_axes: bool = False
    cases: list[Case] = []
    replaced: list[UUID] = []


async def write(run: Running) -> None:
    options = ListOptions.model_validate(run.run.options)
    run.plan({"list": LIST_WEIGHT, "matrix": MATRIX_WEIGHT, "cases": CASES_WEIGHT, "summary": SUMMARY_WEIGHT})
    await run.read_document()
    given = await sources.read(run)
    ids = [str(each) for each in options.companies]
    # What is copied from a run before is not made again: its cases stand, and what people have made of its axes counts.
    replaces, keeps_axes = not run.has_recorded("list"), run.has_recorded("matrix")

    def look() -> Setting:
        setting = read(run, ids).model_copy(update={"keeps_axes": keeps_axes})
        return replacing(setting) if replaces else setting

    setting = await run.step("read/setting", lambda _: db(look), returns=Setting)
    axes: asyncio.Future[Axes] = asyncio.get_running_loop().create_future()

    async def adapt() -> None:
        try:
            written = await matrix(run, setting, ids, options.requested_count)
            axes.set_result(setting.axes if setting.keeps_axes else written)
        except BaseException:
            axes.cancel()  # who waits for it ends, too
            raise

    async def list_and_write() -> None:
        planned = await find(run, setting, given, options.requested_count, "list")
        await write_cases(run, setting, given, axes, planned)

    await run.gather(adapt(), list_and_write())
    await summary.write_within(run)


async def add(run: Running) -> None:
    """More cases for a portfolio that is there."""
    options = AddOptions.model_validate(run.run.options)
    run.plan({"add": LIST_WEIGHT, "cases": CASES_WEIGHT})
    await run.read_document()
    given = await sources.read(run)
    setting = await run.step("read/setting", lambda _: db(read, run, None), returns=Setting)
    planned = await find(run, setting, given, options.count, "add", options.instruction)
    axes: asyncio.Future[Axes] = asyncio.get_running_loop().create_future()
    axes.set_result(setting.axes)
    await write_cases(run, setting, given, axes, planned)


def read(run: Running, ids: Sequence[str] | None) -> Setting:
    """`ids`: of the companies; those that the portfolio keeps without any."""
    if run.run.document is None:
        raise ValueError(f"{run.run} writes no document")
    portfolio = documents.within(run.run.workspace, run.run.document.id)
    own = portfolio.fields.get("companies") or []
    there = Portfolio.of(portfolio).cases
    return Setting(
        companies=reading.read(run.run.workspace, own if ids is None else ids),
        axes=axes_of(portfolio, run.run.language),
        cases=[Case(id=each.id, title=each.title) for each in there],
    )


def replacing(setting: Setting) -> Setting:
    """The same, for a list that takes the place of an older one: what people wrote in stays beside it."""
    changes = Change.objects.filter(root_id__in=[each.id for each in setting.cases])
    made = set(changes.filter(version=1, author=AuthorKind.RECIPE, step="list").values_list("root_id", flat=True))
    theirs = set(changes.exclude(author=AuthorKind.RECIPE).values_list("root_id", flat=True))
    staying = [each for each in setting.cases if each.id not in made - theirs]
    return setting.model_copy(update={"cases": staying, "replaced": sorted(made)})


def material_of(run: Running, setting: Setting, given: sources.Sources) -> Material:
    citable = [*setting.companies.citable]
    citable += citations.of_files(given, max((each.number for each in citable), default=0))
    addresses = citations.addresses([run.run.brief, *(each.text for each in citable)])
    known = sorted(addresses | {each.url for each in citable if each.url})
    return Material(brief=run.run.brief, companies=setting.companies.shown, citable=citable, addresses=known)


# --- the matrix


async def matrix(run: Running, setting: Setting, companies: Sequence[str], count: int) -> Axes:
    """The axes with what they mean for these companies; without a model, as every portfolio has them."""

    async def produce(step: StepInProgress) -> Axes:
        told = [*cases.told(setting.axes.value, "value"), *cases.told(setting.axes.complexity, "complexity")]
        variables = {"brief": fenced(run.run.brief), "companies": setting.companies.shown, "axes": told}
        said = await step.write_as(levels_of(setting.axes), "use_case_list/matrix", variables)
        return Axes(value=described(setting.axes.value, said), complexity=described(setting.axes.complexity, said))

    def keep(axes: Axes, scribe: Scribe) -> None:
        values: dict[str, Any] = {"value_axes": axes.value, "complexity_axes": axes.complexity}
        facts = {"companies": list(companies), "requested_count": count}
        scribe.write_document({**values, **facts})

    return await run.step(
        "matrix", produce, returns=Axes, label={"code": "matrix"}, fallback=lambda _: setting.axes, write=keep
    )


class Levels(BaseModel):
    description: str = Field(min_length=1, max_length=1_000, description="What the axis asks here, in one sentence")
    levels: list[Annotated[str, Field(min_length=1, max_length=LINE)]] = Field(
        min_length=LEVELS, max_length=LEVELS, description="The five levels, the lowest first"
    )


def levels_of(axes: Axes) -> type[BaseModel]:
    matrix: type[BaseModel] = cases.by_id("Matrix", [axis["id"] for axis in (*axes.value, *axes.complexity)], Levels)
    return matrix


def described(axes: Sequence[dict[str, Any]], said: BaseModel) -> list[dict[str, Any]]:
    told = cases.answers(said)
    return [{**axis, **told[axis["id"]].model_dump()} for axis in axes]


# --- the list


async def find(
    run: Running, setting: Setting, given: sources.Sources, count: int, key: str, instruction: str = ""
) -> Planned:
    """So many cases, each with its document, still to be written."""
    shape = create_model("UseCases", cases=(list[Pitch], Field(min_length=count, max_length=count)))

    async def produce(step: StepInProgress) -> Planned:
        variables = {
            "brief": fenced(run.run.brief),
            "sources": given.extract(run.run.brief).sources,
            "companies": setting.companies.shown,
            "count": count,
            "there": [fenced(each.title) for each in setting.cases],
            "instruction": fenced(instruction),
        }
        said = await step.write_as(shape, "use_case_list/list", variables)
        return told_apart(said.model_dump()["cases"], [each.title for each in setting.cases])

    def keep(planned: Planned, scribe: Scribe) -> None:
        history.lock_roots([scribe.document.id, *setting.replaced])  # in the order in which people's verbs lock them
        for old in Document.whole().filter(id__in=setting.replaced, present=True):
            scribe.put_away(old)
        for case in planned.cases:
            scribe.begin_document(case.id, "use_case", case.title, {})
        scribe.append("cases", [str(each.id) for each in planned.cases])
        scribe.write_document({"title": title_of(setting, scribe)})
        findings = [Finding("case_twice", {"title": title}, severity=Severity.LOW) for title in planned.twice]
        scribe.found(findings, ["case_twice"])

    return await run.step(key, produce, returns=Planned, label={"code": "cases"}, write=keep)


def title_of(setting: Setting, scribe: Scribe) -> str:
    """What a portfolio without a name is called: by its companies, or by what it was asked with."""
    named = ", ".join(setting.companies.titles)
    return scribe.document.title or (
        words("portfolio", scribe.run.language, of=named)[:200] if named else scribe.run.brief[:80]
    )


def told_apart(pitches: Sequence[dict[str, str]], there: Sequence[str]) -> Planned:
    """Each title once, whatever its accents and case."""
    known = {fold(title) for title in there}
    kept, twice = [], []
    for pitch in pitches:
        if fold(pitch["title"]) in known:
            twice.append(pitch["title"])
        else:
            known.add(fold(pitch["title"]))
            kept.append(pitch)
    found = [
        Case(id=new_id(), key=f"case-{n}", number=n, of=len(kept), title=each["title"], about=each["about"])
        for n, each in enumerate(kept, 1)
    ]
    return Planned(cases=found, twice=twice)


# --- the cases


async def write_cases(
    run: Running, setting: Setting, given: sources.Sources, axes: "asyncio.Future[Axes]", planned: Planned
) -> None:
    """All at once, their scores as soon as the axes are known; one that fails costs itself."""
    material = material_of(run, setting, given)
    steps = [each.step(name) for each in planned.cases for name in ("texts", "scores")]
    run.divide("cases", steps)
    others = list(dict.fromkeys(each.title for each in (*setting.cases, *planned.cases)))

    async def rate(case: Case) -> None:
        await cases.scores(run, case, material, await asyncio.shield(axes))

    texts = [cases.texts(run, each, material, others) for each in planned.cases]
    await run.gather(*texts, *(rate(each) for each in planned.cases))


def manuscript(document: Document) -> Manuscript:
    """All cases in one table, then what each is."""
    portfolio = Portfolio.of(document)
    table = portfolio_tables.of_cases(portfolio)
    blocks: list[Block] = [Heading(1, table.name), table]
    for case in portfolio.cases:
        described = case.document.fields.get("description")
        blocks += [
            Heading(1, case.title),
            Prose(described) if described else Notice(words("missing", document.language)),
        ]
    return Manuscript(document.title, document.language, tuple(blocks), document.fields.get("description", ""))


def work(options: Options) -> list[Work]:
    asked = options.requested_count if isinstance(options, ListOptions) else getattr(options, "count", 1)
    return [
        Work("use_case_list/list", (1, 1), (60 * asked, 140 * asked)),
        Work("use_case_list/matrix", (1, 1), (400, 1_200)),
        Work("use_case/texts", (asked, asked), (600, 1_200)),
        Work("use_case/scores", (asked, asked), (300, 600)),
        Work("executive_summary/summary", (1, 1), (500, 1_500)),
    ]


RECIPE = Recipe(
    kind="use_case_list",
    job=f"{__name__}.{write.__name__}",
    options=ListOptions,
    slots=("use_case_list/list", "use_case_list/matrix"),
    manuscript=manuscript,
    by_hand=True,
    actions=(Action("add_cases", f"{__name__}.{add.__name__}", AddOptions),),
    phases=("list", "matrix"),
    speech=Speech(
        _("Portfolio of use cases"),
        _("Portfolios of use cases"),
        _("A new portfolio of use cases"),
        _("For which company, and what are the cases to be about?"),
        (_("{n} use case"), _("{n} use cases")),
    ),
    work=work,
    has_tables=True,
    picture=portfolio_pictures.dashboard,
)
