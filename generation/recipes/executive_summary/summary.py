"""The summary of a portfolio being written: for those who decide, from the cases as they stand."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

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

MOST_SHOWN = 2_500  # characters of one case


class Said(BaseModel):
    """Four texts, as the writer is asked for them."""

    introduction: str = Field(min_length=1, max_length=8_000, description="Why this portfolio, what it rests on")
    analysis: str = Field(min_length=1, max_length=8_000, description="The cases compared by value and complexity")
    recommendation: str = Field(min_length=1, max_length=8_000, description="What to do first, next and later")
    synthesis: str = Field(min_length=1, max_length=8_000, description="In five sentences what to decide now")


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
            "portfolio": setting.title,
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


def read(run: Running, portfolio_id: UUID) -> Setting:
    """Raises `run.nothing_to_sum_up` for a portfolio without cases."""
    portfolio = Portfolio.of(Document.whole().get(id=portfolio_id))
    if not portfolio.cases:
        raise RunError("nothing_to_sum_up")
    if run.run.document is None:
        raise ValueError(f"{run.run} writes no document")
    return setting_of(portfolio, run.run.document.id)


def setting_of(portfolio: Portfolio, document: UUID, *, is_new: bool = False) -> Setting:
    own = Document.objects.filter(id=document).first()
    least, most = portfolio.thresholds(own.fields if own else {})
    written = [each for each in portfolio.cases if each.is_written]
    return Setting(
        document=document,
        is_new=is_new,
        portfolio=portfolio.document.id,
        title=portfolio.document.title,
        cases=[fenced(each.told[:MOST_SHOWN]) for each in written],
        top=[each.title for each in portfolio.top(least, most)],
        missing=[each.title for each in portfolio.cases if not each.is_written],
        thresholds=f"value ≥ {least:g}, complexity ≤ {most:g}" if least is not None and most is not None else "—",
    )


def put_down(said: Said | None, setting: Setting, scribe: Scribe) -> None:
    """The texts; and from now on they rest on the cases as they stand, so that a case that changes makes them stale."""
    paper = scribe
    if setting.document != scribe.document.id:
        if setting.is_new and not Document.objects.filter(id=setting.document).exists():
            begun = scribe.begin_document(
                setting.document,
                "executive_summary",
                words("summary", scribe.run.language, of=setting.title)[:200],
                {"portfolio": str(setting.portfolio)},
            )
        else:
            begun = Document.whole().get(id=setting.document)
        paper = scribe.beside(begun)
    if said is None:
        return
    values: dict[str, Any] = said.model_dump()
    paper.write_document(values if paper is not scribe else {**values, "portfolio": str(setting.portfolio)})
    rest_on(paper.document, setting.portfolio)


def rest_on(document: Document, portfolio_id: UUID) -> None:
    portfolio = Portfolio.of(Document.whole().get(id=portfolio_id))
    axes = [
        (portfolio.document, name, portfolio.document.fields.get(name)) for name in ("value_axes", "complexity_axes")
    ]
    bases.rest(document, [*axes, *((each.document, "", each.document.fields) for each in portfolio.cases)])
