"""The summary of a portfolio being written: for those who decide, from the cases as they stand."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from generation import citations, documents
from generation.issues import Finding
from generation.models import Document
from generation.portfolios import Portfolio
from generation.running import Running
from generation.scribe import Scribe
from generation.sources import fenced
from generation.steps import StepInProgress
from generation.words import words
from memory import bases
from memory.base.database import db
from memory.base.errors import RunError, ScriptoriumError
from memory.base.ids import new_id

OF_PORTFOLIO = ("value_axes", "complexity_axes", "cases")
MOST_SHOWN = 2_500  # characters of one case


class Said(BaseModel):
    """Four texts, as the writer is asked for them."""

    introduction: str = Field(min_length=1, max_length=8_000, description="Why this portfolio, what it rests on")
    analysis: str = Field(min_length=1, max_length=8_000, description="The cases compared by value and complexity")
    recommendation: str = Field(min_length=1, max_length=8_000, description="What to do first, next and later")
    synthesis: str = Field(min_length=1, max_length=8_000, description="In five sentences what to decide now")


class Read(BaseModel):
    """What was read at a path of a document: the summary rests on it."""

    id: UUID
    path: str
    value: Any = None


class Setting(BaseModel):
    """The portfolio as it stood when the summary was begun, and the document that the summary is."""

    document: UUID
    is_new: bool = False
    portfolio: UUID
    title: str
    cases: list[str]
    top: list[str]
    missing: list[str]
    thresholds: str
    read: list[Read]


async def write_within(run: Running) -> None:
    """At the end of a portfolio's own run; of a portfolio without cases there is none."""
    portfolio = run.run.document
    if portfolio is None:
        raise ValueError(f"{run.run} writes no document")
    setting = await run.step("read/summary", lambda _: db(read_within, portfolio.id), returns=Setting | None)
    if setting is not None:
        await write(run, setting)


async def write(run: Running, setting: Setting) -> None:
    async def produce(step: StepInProgress) -> Said:
        variables = {
            "brief": fenced(run.run.brief),
            "portfolio": fenced(setting.title),
            "cases": setting.cases,
            "top": setting.top,
            "missing": setting.missing,
            "thresholds": setting.thresholds,
        }
        return await step.write_as(Said, "executive_summary/summary", variables)

    def keep(said: Said | None, scribe: Scribe) -> None:
        put_down(said, setting, scribe)

    def fallback(_: ScriptoriumError) -> None:
        return None

    label = {"code": "summary", "title": setting.title}
    await run.step("summary", produce, returns=Said | None, label=label, fallback=fallback, write=keep)


def read_within(portfolio_id: UUID) -> Setting | None:
    """A summary that is there is written anew."""
    portfolio = Portfolio.of(Document.whole().get(id=portfolio_id))
    if not portfolio.cases:
        return None
    own = portfolio.document.children.filter(kind="executive_summary", present=True).order_by("id").first()
    return setting_of(portfolio, own.id if own else new_id(), is_new=own is None)


def read(run: Running, portfolio_id: UUID | None) -> Setting:
    """Of this portfolio, or of the one that the summary is of. Raises `run.nothing_to_sum_up` for one without cases, or
    that is not in this workspace."""
    if run.run.document is None:
        raise ValueError(f"{run.run} writes no document")
    kept = portfolio_id or documents.within(run.run.workspace, run.run.document.id).fields.get("portfolio")
    home = Document.whole().filter(kind="use_case_list", workspace=run.run.workspace, present=True)
    found = home.filter(id=kept).first() if kept else None
    portfolio = Portfolio.of(found) if found else None
    if portfolio is None or not portfolio.cases:
        raise RunError("nothing_to_sum_up")
    return setting_of(portfolio, run.run.document.id)


def setting_of(portfolio: Portfolio, document: UUID, *, is_new: bool = False) -> Setting:
    own = Document.objects.filter(id=document).first()
    least, most = portfolio.thresholds(own.fields if own else {})
    written = [each for each in portfolio.cases if each.is_written]
    read = [
        Read(id=portfolio.document.id, path=name, value=portfolio.document.fields.get(name)) for name in OF_PORTFOLIO
    ]
    for each in portfolio.cases:
        read += [
            Read(id=each.id, path="", value=each.document.fields),
            Read(id=each.id, path="title", value=each.title),
            Read(id=each.id, path="present", value=True),
        ]
    return Setting(
        document=document,
        is_new=is_new,
        portfolio=portfolio.document.id,
        title=portfolio.document.title,
        cases=[fenced(each.told[:MOST_SHOWN]) for each in written],
        top=[fenced(each.title) for each in portfolio.top(least, most)],
        missing=[fenced(each.title) for each in portfolio.cases if not each.is_written],
        thresholds=f"value ≥ {least:g}, complexity ≤ {most:g}" if least is not None and most is not None else "—",
        read=read,
    )


def put_down(said: Said | None, setting: Setting, scribe: Scribe) -> None:
    """The texts; from now on they rest on what was read, so that a case that changes makes them stale.

    They cite nothing, and lead nowhere.
    """
    paper = paper_of(setting, scribe)
    if said is None or paper is None:
        return
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, text in said.model_dump().items():
        values[name], found = citations.checked(text, name, (), ())
        findings += found
    paper.write_document({**values, "portfolio": str(setting.portfolio)})
    paper.found(findings, citations.TYPES, tuple(values))
    rest_on(paper.document, setting)


def paper_of(setting: Setting, scribe: Scribe) -> Scribe | None:
    """The hand on the summary, in whichever run; None when somebody has thrown it away for good."""
    if setting.document == scribe.document.id:
        return scribe
    known = Document.whole().filter(id=setting.document).first()
    if known is None and setting.is_new:
        title = words("summary", scribe.run.language, of=setting.title)[:200]
        known = scribe.begin_document(
            setting.document, "executive_summary", title, {"portfolio": str(setting.portfolio)}
        )
    return scribe.beside(known) if known else None


def rest_on(document: Document, setting: Setting) -> None:
    there = Document.whole().filter(workspace=document.workspace_id).in_bulk({each.id for each in setting.read})
    bases.rest(document, [(there[each.id], each.path, each.value) for each in setting.read if each.id in there])
