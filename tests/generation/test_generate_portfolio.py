"""`manage.py generate` for companies, portfolios and summaries: from a brief to the board's page, on a searched web."""

from pathlib import Path
from typing import Any

import openpyxl
import orjson

from generation.carrier import Carrier
from generation.models import Document
from generation.portfolios import Portfolio, summed_up
from memory.base.database import db as in_database
from tests.generation.conftest import Demo
from tests.generation.test_company import profile
from tests.generation.test_generate import generate
from tests.generation.web.conftest import web, web_of_tests
from tests.people import People
from tests.web import Web, article

__all__ = ["web", "web_of_tests"]
BRIEFS = Path(__file__).parents[1] / "briefs"  # as people sent them
FOUND = "http://delorme.test/histoire"


async def write(kind: str, *arguments: str) -> dict[str, Any]:
    """What the command prints of the run it has watched to its end."""
    brief = str(BRIEFS / f"{kind}.txt")
    ended = await generate(kind, "--brief", brief, "--queue", "web", "--json", *arguments)
    assert ended.code == 0, ended.err
    run: dict[str, Any] = orjson.loads(ended.out)
    assert run["state"] == "done"
    return run


async def document(run: dict[str, Any]) -> Document:
    return await in_database(lambda: Document.whole().get(id=run["document"]))


async def test_from_the_company_to_the_summary(
    carrier: Carrier, house: People, demo: Demo, web: Web, tmp_path: Path
) -> None:
    web.found = [{"title": "Fromagerie Delorme", "url": FOUND, "content": "Affineurs depuis 1954."}]
    web.pages["delorme.test/histoire"] = article("Fromagerie Delorme", "Quarante personnes affinent la tomme. " * 9)
    calls = [
        {"name": "web_search", "arguments": {"query": "Fromagerie Delorme"}},
        {"name": "web_extract", "arguments": {"url": FOUND}},
    ]
    asked = "Find out about this company"
    looks_up = [{"contains": asked, "calls": [each], "times": 1} for each in calls]
    said = profile(industry="Quarante personnes affinent la tomme [1].")
    knows = [{"contains": asked, "content": "That is it."}, {"contains": "Write its profile", "content": said}]
    demo.set(rules=[*looks_up, *knows])
    company = await document(await write("company", "--export", str(tmp_path / "company.docx")))
    assert [each["url"] for each in company.fields["references"]] == [FOUND]
    assert len(web.searches()) == 1

    sheet = tmp_path / "cases.xlsx"
    options = ("--option", f'companies=["{company.id}"]', "--option", "requested_count=8")
    portfolio_run = await write("use_case_list", *options, "--export", str(sheet))
    portfolio = await in_database(lambda: Portfolio.of(Document.whole().get(id=portfolio_run["document"])))
    assert len(portfolio.cases) == 8
    assert all(each.is_written and each.standing.is_known for each in portfolio.cases)
    table = openpyxl.load_workbook(sheet).worksheets[0]
    assert [row[1] for row in table.values][1:] == [each.title for each in portfolio.cases]

    exported = tmp_path / "summary.md"
    summary = await document(
        await write("executive_summary", "--option", f"portfolio={portfolio.document.id}", "--export", str(exported))
    )
    found = await in_database(lambda: summed_up(summary))
    assert found
    top = [each.title for each in found.top(*found.thresholds(summary.fields))]
    shown = exported.read_text(encoding="utf-8")
    assert [title for title in top if f" {title} |" not in shown.replace("\\", "")] == []
