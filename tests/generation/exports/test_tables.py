"""Tables in every format: what a page has room for in texts, all of it in sheets, and nothing in them that acts."""

import csv
from io import BytesIO, StringIO

import openpyxl
import orjson
import pytest

from generation.exports import FORMATS, SHEETS, export, press, wire
from generation.manuscripts import Column, Heading, Manuscript, Table
from memory.base.errors import InvalidInput
from tests.generation.exports.readers import Page, acting_markdown, words

CASES = Table(
    "Cas d’usage",
    (Column("N°"), Column("Cas"), Column("Valeur"), Column("Données", is_wide=True)),
    (
        (1, "Trier | les *courriers*", 66.6666, 13),
        (2, "Prévoir\nles pannes", None, None),
    ),
)
# What another separator would make a cell of its own is kept from it, too.
HIDDEN = {"a;=1": "a;'=1", "a\t+1": "a\t'+1", "\ufeff=1": "\ufeff'=1", "a, -1": "a, -1"}
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =HYPERLINK(0)", "＝1", "'=1", "http://a.test/?q=1")
HOSTILE = Table(
    "[x]:*?/\\" * 9,
    (Column("=cmd()"), Column("<b>n</b>")),
    tuple((each, n) for n, each in enumerate((*FORMULAS, *HIDDEN, "<script>window.__xss=1</script>", "x" * 40_000))),
)


def of(*tables: Table) -> Manuscript:
    blocks = [each for table in tables for each in (Heading(1, table.name), table)]
    return Manuscript("Portefeuille", "fr", tuple(blocks))


def rows_of_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


@pytest.mark.parametrize("format", sorted(FORMATS.keys() - {"json"}))
def test_a_page_shows_what_it_has_room_for_in_the_language_of_its_document(format: str) -> None:
    text = words(format, export(of(CASES), format, answers=False).content).replace("\\", "")
    assert [each for each in ("N°", "Cas", "Valeur", "Trier", "courriers", "66,7", "—") if each not in text] == []
    assert "Données" not in text


def test_markdown_and_html_draw_it_as_a_table() -> None:
    page = Page(export(of(CASES), "html", answers=False).content.decode())
    assert (page.tags.count("table"), page.tags.count("th"), page.tags.count("td")) == (1, 3, 6)
    written = export(of(CASES), "md", answers=False).content.decode()
    assert "| N° | Cas | Valeur |\n| ---: | --- | ---: |\n| 1 | Trier \\| les \\*courriers\\* | 66,7 |" in written
    assert "| 2 | Prévoir les pannes | — |" in written


def test_csv_holds_all_of_it_as_it_is() -> None:
    made = export(of(CASES), "csv", answers=False)
    assert (made.name, made.content_type) == ("Portefeuille.csv", "text/csv; charset=utf-8")
    assert made.content.startswith(b"\xef\xbb\xbf")
    assert rows_of_csv(made.content) == [
        ["N°", "Cas", "Valeur", "Données"],
        ["1", "Trier | les *courriers*", "66,6666", "13"],
        ["2", "Prévoir\nles pannes", "", ""],
    ]


def test_a_workbook_holds_each_table_on_a_sheet_of_its_own() -> None:
    made = export(of(CASES, CASES), "xlsx", answers=False)
    book = openpyxl.load_workbook(BytesIO(made.content))
    assert (made.name, book.sheetnames) == ("Portefeuille.xlsx", ["Cas d’usage", "Cas d’usage 2"])
    sheet = book["Cas d’usage"]
    assert list(sheet.values) == [
        ("N°", "Cas", "Valeur", "Données"),
        (1, "Trier | les *courriers*", 66.6666, 13),
        (2, "Prévoir\nles pannes", None, None),
    ]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:D3")
    assert book.properties.title == "Portefeuille"


def test_nothing_in_a_csv_is_taken_for_a_formula() -> None:
    head, *rows = rows_of_csv(export(of(HOSTILE), "csv", answers=False).content)
    texts = [row[0] for row in rows]
    assert head[0] == "'=cmd()"
    assert texts[:7] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "\t'=1", " '=HYPERLINK(0)", "'＝1"]
    assert texts[7:9] == [*FORMULAS[7:]]
    assert texts[9:13] == [*HIDDEN.values()]


def test_nothing_in_a_workbook_acts() -> None:
    book = openpyxl.load_workbook(BytesIO(export(of(HOSTILE, HOSTILE), "xlsx", answers=False).content))
    assert all(0 < len(name) <= 31 for name in book.sheetnames)
    assert len(set(book.sheetnames)) == 2
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s", "n"}
    assert [cell.hyperlink for cell in cells if cell.hyperlink] == []
    assert book.worksheets[0]["A2"].value == "=1+1"


def test_a_hostile_table_does_nothing_in_a_text() -> None:
    Page(export(of(HOSTILE), "html", answers=False).content.decode())
    assert acting_markdown(export(of(HOSTILE), "md", answers=False).content.decode()) == []


@pytest.mark.parametrize("format", [*FORMATS, *SHEETS])
@pytest.mark.parametrize("table", [Table("", (), ()), Table("x", (Column("a"),), ())], ids=["nothing", "a head alone"])
def test_an_empty_table_is_exported(format: str, table: Table) -> None:
    assert export(of(table), format, answers=False).content


@pytest.mark.parametrize("format", SHEETS)
def test_the_same_tables_give_the_same_bytes(format: str) -> None:
    assert export(of(CASES), format, answers=False).content == export(of(CASES), format, answers=False).content


@pytest.mark.parametrize("format", SHEETS)
def test_a_document_without_a_table_is_no_sheet(format: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        export(Manuscript("x", "en", (Heading(1, "x"),)), format, answers=False)
    assert refused.value.params["allowed"] == list(FORMATS)


@pytest.mark.parametrize("format", [*FORMATS, *SHEETS])
def test_a_child_makes_what_the_house_itself_would(format: str) -> None:
    made = press.main(orjson.dumps(wire.as_data(of(CASES, HOSTILE))), format)
    assert made == export(of(CASES, HOSTILE), format, answers=True).content
