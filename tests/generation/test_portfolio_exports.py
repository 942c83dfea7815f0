"""A portfolio, its cases and its summary as files: the table that the page shows, as a sheet; fields as they are."""

import csv
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest
from django.http import HttpResponse

from generation import documents, exports
from generation.models import Document
from tests.generation.exports.readers import words
from tests.generation.portfolios import Portfolio
from tests.people import People
from tests.rest import Rest, told


def file_of(portfolio: Portfolio, document: Document, kind: str) -> HttpResponse:
    answer = Rest(portfolio.people.viewer).get(f"documents/{document.id}/export", format=kind)
    assert answer.status_code == 200, answer.content
    return answer


def sheet(answer: HttpResponse) -> list[list[str]]:
    return list(csv.reader(StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_a_sheet_holds_where_every_case_stands_and_how_it_is_rated(portfolio: Portfolio) -> None:
    portfolio.edit(portfolio.summary, value_threshold=34, complexity_threshold=21)
    portfolio.edit(portfolio.cases[0], domain="Logistics", value_scores__business_value__rating=100)
    portfolio.edit(portfolio.document, cases=[str(portfolio.cases[1].id), str(portfolio.cases[0].id)])
    answer = file_of(portfolio, portfolio.document, "csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="Harbour 2028.csv"' in answer["Content-Disposition"]
    head, *rows = sheet(answer)
    assert head[:9] == [
        "No.", "Use case", "Value", "Complexity", "Ease", "Stars", "Recommended", "Domain", "Value: Business value",
    ]  # fmt: skip
    assert len(head) == 8 + 3 + 5
    assert rows[0][:9] == ["1", "Foresee the weekend", "89.0", "89.0", "11.0", "4", "", "", "89"]
    assert rows[1] == [
        "2",
        "Plan the rounds",
        "73.0",
        "13.0",
        "87.0",
        "4",
        "yes",
        "Logistics",
        "100",
        "55",
        "55",
        *["13"] * 5,
    ]
    assert rows[2] == ["3", "Unrated", *[""] * 14]


def test_a_workbook_holds_the_same_in_the_language_of_the_document(portfolio: Portfolio) -> None:
    portfolio.edit(portfolio.document, language="fr")
    book = openpyxl.load_workbook(BytesIO(file_of(portfolio, portfolio.document, "xlsx").content))
    assert book.sheetnames == ["Cas d’usage"]
    head, first, *_ = book["Cas d’usage"].values
    assert head[:7] == ("N°", "Cas d’usage", "Valeur", "Complexité", "Facilité", "Étoiles", "Recommandés")
    assert first[:6] == (1, "Plan the rounds", 55, 13, 87, 4)


def test_a_case_and_a_summary_have_tables_too(portfolio: Portfolio) -> None:
    head, *rows = sheet(file_of(portfolio, portfolio.cases[0], "csv"))
    assert head == ["Value / Complexity", "Axis", "Weight", "Rating", "Why"]
    assert rows[0] == ["Value", "Business value", "2.0", "55", "So."]
    assert len(rows) == 8
    portfolio.edit(portfolio.summary, value_threshold=0, complexity_threshold=100)
    _, *rows = sheet(file_of(portfolio, portfolio.summary, "csv"))
    assert [row[1] for row in rows] == ["Foresee the weekend", "Plan the rounds"]


@pytest.mark.parametrize("kind", [*exports.FORMATS, *exports.SHEETS])
def test_each_of_them_is_exported_in_every_format(portfolio: Portfolio, kind: str) -> None:
    for document in (portfolio.document, portfolio.cases[0], portfolio.cases[2], portfolio.summary):
        assert file_of(portfolio, document, kind).content


def test_the_page_offers_sheets_where_there_is_a_table(portfolio: Portfolio) -> None:
    offered = [f"/api/v1/documents/{portfolio.document.id}/export?format={kind}" for kind in exports.SHEETS]
    shown = portfolio.page(portfolio.document)
    assert [each for each in offered if f'href="{each}"' not in shown] == []
    company = documents.create(
        "company", "Harbour", {}, user=portfolio.people.owner, workspace=portfolio.people.workspace
    )
    assert "format=xlsx" not in portfolio.page(company)
    refused = Rest(portfolio.people.viewer).get(f"documents/{company.id}/export", format="xlsx")
    assert told(refused) == (422, "validation.export_format")
    assert refused.json()["details"]["allowed"] == list(exports.FORMATS)


def test_a_stranger_gets_no_sheet(portfolio: Portfolio) -> None:
    refused = Rest(portfolio.people.stranger).get(f"documents/{portfolio.document.id}/export", format="csv")
    assert told(refused) == (404, "not_found.document")


HARMLESS = "*No* [link](http://a.test/) and `code` | <b>bold</b>"


def test_plain_fields_are_set_as_plain_text(people_committed: People) -> None:
    people = people_committed
    home: dict[str, Any] = {"user": people.owner, "workspace": people.workspace}
    reference = {"id": "1", "title": HARMLESS, "url": "https://b.test/x"}
    fields = {"prerequisites": HARMLESS, "benefits": [HARMLESS], "solution": "A *lot*.", "references": [reference]}
    case = documents.create("use_case", "A case", fields, **home)
    answer = Rest(people.viewer).get(f"documents/{case.id}/export", format="html")
    shown = answer.content.decode()
    assert shown.count("*No* [link](http://a.test/) and `code` | &lt;b&gt;bold&lt;/b&gt;") == 3
    assert "A <em>lot</em>." in shown
    assert 'href="http://a.test/"' not in shown
    assert 'href="https://b.test/x"' in shown
    assert HARMLESS in words("pdf", Rest(people.viewer).get(f"documents/{case.id}/export", format="pdf").content)
