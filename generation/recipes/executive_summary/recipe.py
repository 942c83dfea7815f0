"""An executive summary by itself, or one that is written anew."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop as _
from pydantic import Field

from generation import portfolio_pictures, portfolio_tables, portfolios
from generation.manuscripts import Manuscript
from generation.models import Document
from generation.recipes.base import Action, Options, Recipe, Speech, Work
from generation.recipes.executive_summary import summary
from generation.recipes.executive_summary.schema import TEXTS
from generation.running import Running
from generation.set_fields import set_fields
from memory.base.database import db
from memory.base.errors import RunError
from memory.models import Workspace


class SummaryOptions(Options):
    portfolio: UUID = Field(title=_("Portfolio of use cases"), json_schema_extra={"documents": "use_case_list"})


async def write(run: Running) -> None:
    await sum_up(run, SummaryOptions.model_validate(run.run.options).portfolio)


async def rewrite(run: Running) -> None:
    await sum_up(run, None)


async def sum_up(run: Running, portfolio: UUID | None) -> None:
    run.plan({"summary": 1})
    await run.read_document()
    setting = await run.step("read/summary", lambda _: db(summary.read, run, portfolio), returns=summary.Setting)
    await summary.write(run, setting)


def admit(workspace: Workspace, options: Mapping[str, Any]) -> None:
    """Raises `run.nothing_to_sum_up` for a portfolio without cases."""
    cases = Document.objects.filter(kind="use_case", present=True, parent=options["portfolio"])
    if not cases.filter(workspace=workspace).exists():
        raise RunError("nothing_to_sum_up")


def manuscript(document: Document) -> Manuscript:
    """Its texts, and what it recommends as its portfolio stands now."""
    portfolio = portfolios.summed_up(document)
    top = portfolio.top(*portfolio.thresholds(document.fields)) if portfolio else []
    return set_fields(document, TEXTS, portfolio_tables.of_top(top, document.language))


def work(_options: Options) -> list[Work]:
    return [Work("executive_summary/summary", (1, 1), (500, 1_500))]


RECIPE = Recipe(
    kind="executive_summary",
    job=f"{__name__}.{write.__name__}",
    options=SummaryOptions,
    slots=("executive_summary/summary",),
    manuscript=manuscript,
    actions=(Action("rewrite", f"{__name__}.{rewrite.__name__}"),),
    speech=Speech(
        _("Executive summary"),
        _("Executive summaries"),
        _("A new executive summary"),
        _("For whom, and what is to be stressed?"),
        (_("{n} part"), _("{n} parts")),
    ),
    work=work,
    admit=admit,
    has_tables=True,
    picture=portfolio_pictures.summary,
)
