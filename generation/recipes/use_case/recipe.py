"""A use case by itself, or one of a portfolio written again: whole, some of its fields, or its scores."""

from collections.abc import Sequence
from typing import Annotated

from django.utils.translation import gettext_noop as _
from pydantic import BaseModel, Field

from generation import citations, documents, portfolio_pictures, portfolio_tables, sources
from generation.manuscripts import Manuscript
from generation.models import Document
from generation.recipes.base import Action, Options, Recipe, Speech, Work
from generation.recipes.company import reading
from generation.recipes.use_case import cases
from generation.recipes.use_case.cases import Axes, Case, Material, Texts
from generation.recipes.use_case.schema import TEXTS, UseCaseFields
from generation.recipes.use_case_list.axes import axes_of
from generation.running import Running
from generation.set_fields import set_fields
from memory.base.database import db

FieldName = Annotated[str, Field(pattern=f"^({'|'.join(Texts.model_fields)})$")]


class RewriteOptions(Options):
    fields: list[FieldName] = Field(
        default_factory=list,
        max_length=len(Texts.model_fields),
        description="Those to be written anew; all, with the scores, without any",
        json_schema_extra={"input": "hidden"},
    )


class Setting(BaseModel):
    """What stands around the case when the run begins."""

    case: Case
    material: Material
    axes: Axes
    others: list[str] = []


async def write(run: Running) -> None:
    await work_on(run, ())


async def rewrite(run: Running) -> None:
    chosen = RewriteOptions.model_validate(run.run.options).fields
    await work_on(run, [name for name in Texts.model_fields if name in chosen])


async def rate(run: Running) -> None:
    run.plan({"scores": 1})
    setting = await begin(run)
    await cases.scores(run, setting.case, setting.material, setting.axes)


async def work_on(run: Running, wanted: Sequence[str]) -> None:
    run.plan({"texts": 2, "scores": 1})
    setting = await begin(run)
    if wanted:
        await cases.texts(run, setting.case, setting.material, setting.others, wanted)
    else:
        await cases.write(run, setting.case, setting.material, setting.axes, setting.others)


async def begin(run: Running) -> Setting:
    await run.read_document()
    given = await sources.read(run)

    def read() -> Setting:
        found = setting_of(run)
        return found.model_copy(update={"material": with_files(found.material, given)})

    return await run.step("read/setting", lambda _: db(read), returns=Setting)


def setting_of(run: Running) -> Setting:
    """The case with its portfolio, as they stand now."""
    if run.run.document is None:
        raise ValueError(f"{run.run} writes no document")
    document = documents.within(run.run.workspace, run.run.document.id)
    portfolio = document.parent if document.parent and document.parent.kind == "use_case_list" else None
    own = citations.kept(document.fields.get("references") or [])
    companies = reading.read(run.run.workspace, (portfolio.fields.get("companies") or []) if portfolio else [])
    brief = "\n\n".join(filter(None, (portfolio.brief if portfolio else "", run.run.brief)))
    about = document.fields.get("description", "") or run.run.brief
    others = portfolio.children.filter(kind="use_case", present=True) if portfolio else Document.objects.none()
    return Setting(
        case=Case(
            id=document.id,
            title=document.title or run.run.brief[:200],
            about=about,
            is_unnamed=not document.title,
        ),
        material=Material(
            brief=brief,
            companies=companies.shown,
            citable=citations.numbered(own, companies.citable),
            addresses=sorted(
                citations.addresses([brief, *(document.fields.get(name, "") for name in TEXTS)])
                | {each.url for each in (*own, *companies.citable) if each.url}
            ),
        ),
        axes=axes_of(portfolio, document.language),
        others=[each.title for each in others.order_by("id")],
    )


def with_files(material: Material, given: sources.Sources) -> Material:
    """Files can be cited, and what they lead to may be led to."""
    more = citations.of_files(given, 0)
    addresses = {*material.addresses, *citations.addresses(each.text for each in more)}
    citable = citations.numbered(material.citable, more)
    return material.model_copy(update={"citable": citable, "addresses": sorted(addresses)})


def manuscript(document: Document) -> Manuscript:
    """Its texts, how it is rated, what it rests on."""
    names = [name for name in UseCaseFields.model_fields if name != "references" and not name.endswith("_scores")]
    return set_fields(document, names, portfolio_tables.of_scores(document))


def work(_options: Options) -> list[Work]:
    return [Work("use_case/texts", (1, 1), (600, 1_200)), Work("use_case/scores", (1, 1), (300, 600))]


RECIPE = Recipe(
    kind="use_case",
    job=f"{__name__}.{write.__name__}",
    slots=("use_case/texts", "use_case/scores"),
    manuscript=manuscript,
    by_hand=True,
    actions=(
        Action("rewrite", f"{__name__}.{rewrite.__name__}", RewriteOptions),
        Action("rate", f"{__name__}.{rate.__name__}"),
    ),
    speech=Speech(
        _("Use case"),
        _("Use cases"),
        _("A new use case"),
        _("What is it for, and for which company?"),
        (_("{n} field"), _("{n} fields")),
    ),
    work=work,
    remakes="rewrite",
    has_tables=True,
    picture=portfolio_pictures.case,
)
