"""Companies as the portfolios made for them are shown them."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from pydantic import BaseModel

from generation import citations
from generation.citations import Citable
from generation.models import Document
from generation.recipes.company.schema import TEXTS
from generation.sources import fenced
from memory.models import Workspace

MOST_SHOWN = 12_000  # characters of one


class Companies(BaseModel):
    """What stood in them when the run began: each as a text, and what they rest on."""

    shown: list[str] = []
    titles: list[str] = []
    citable: list[Citable] = []


def read(workspace: Workspace, ids: Iterable[str]) -> Companies:
    """Those of the workspace that are there, in this order; what they rest on is numbered through."""
    wanted = [UUID(each) for each in ids]
    found = Document.objects.filter(workspace=workspace, kind="company", present=True).in_bulk(wanted)
    companies = [found[each] for each in wanted if each in found]
    citable: list[Citable] = []
    for company in companies:
        own = citations.kept(company.fields.get("references") or [])
        citable += [each.model_copy(update={"number": n}) for n, each in enumerate(own, len(citable) + 1)]
    return Companies(
        shown=[shown(each) for each in companies], titles=[each.title for each in companies], citable=citable
    )


def shown(company: Document) -> str:
    """Its citations are left out: a number of its own means nothing elsewhere."""
    texts: Sequence[str] = [
        f"{name}: {citations.CITATION.sub('', company.fields[name])}" for name in TEXTS if company.fields.get(name)
    ]
    return fenced("\n".join([company.title, *texts])[:MOST_SHOWN])
