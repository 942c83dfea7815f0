"""The text of each kind of file, and what becomes of those that mean harm: an answer or a typed refusal, in time."""

import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from docx.document import Document as Word
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from memory.base import children
from memory.base.errors import ToolFailed
from memory.parsers import docx, html, pdf, tidy
from memory.parsers.values import MAX_CHARACTERS
from memory.window import MARK
from tests import uploads

HTML = """<!doctype html><title>Affinage</title><style>p{}</style><nav><a href=/>Accueil</a></nav>
<h2>Pertes à l’été</h2><p>Œufs &amp; lait 🧀<br>7 % de <b>perte</b></p>
<ul><li>Un<li><p>Deux</p><ol><li>premier<li>second</ol></ul>
<table><caption>Par mois</caption><tr><th>Mois<th>Perte<tr><td>Mai <i>doux</i><td>7 | 8 %
<tr><td>Juin<td><table><tr><td>dans<td>une table</table></table>
<pre>for x in y:
    pass</pre><script>steal()</script><div>Fin"""
AS_MARKDOWN = """# Affinage

## Pertes à l’été

Œufs & lait 🧀
7 % de perte

- Un
- Deux
   1. premier
   2. second

Par mois

| Mois | Perte |
| --- | --- |
| Mai doux | 7 \\| 8 % |
| Juin | dans une table |

```
for x in y:
    pass
```

Fin"""


def said(kind: str, content: bytes, seconds: float = 10) -> dict[str, object]:
    return dict(orjson.loads(children.run("memory.parsers", content, kind, seconds=seconds, megabytes=512)))


def refusal(kind: str, content: bytes, seconds: float = 10) -> str:
    with pytest.raises(ToolFailed) as failed:
        said(kind, content, seconds)
    return str(failed.value.params.get("because", failed.value.code))


# --- what honest files say


def test_html_keeps_its_headings_lists_and_tables() -> None:
    assert tidy(html.read(HTML.encode()).text) == AS_MARKDOWN


def test_word_keeps_its_headings_lists_and_tables_in_order() -> None:
    def write(word: Word) -> None:
        word.add_heading("Affinage 🧀", 0)
        word.add_heading("L’été", 2)
        word.add_paragraph("Œufs\tfrais")
        for text, style in (
            ("un", "List Bullet"),
            ("dedans", "List Bullet 2"),
            ("premier", "List Number"),
            ("second", "List Number"),
        ):
            word.add_paragraph(text, style=style)
        table = word.add_table(2, 2)
        for cell, text in zip(
            (*table.row_cells(0), *table.row_cells(1)), ("Mois", "Perte", "Mai", "7 | 8 %"), strict=True
        ):
            cell.text = text
        word.add_paragraph("Fin")

    assert tidy(docx.read(uploads.docx(write)).text) == (
        "# Affinage 🧀\n\n## L’été\n\nŒufs\tfrais\n\n- un\n- dedans\n1. premier\n2. second\n\n"
        "| Mois | Perte |\n| --- | --- |\n| Mai | 7 \\| 8 % |\n\nFin"
    )


def test_word_counts_what_its_reader_sees_counted() -> None:
    def write(word: Word) -> None:
        word.add_paragraph("un", style="List Number")
        word.add_paragraph(
            "hors liste", style="List Number"
        )._p.get_or_add_pPr().get_or_add_numPr()._add_numId().val = 0
        heading = word.add_heading("Titre numéroté", 1)._p.get_or_add_pPr().get_or_add_numPr()
        heading._add_numId().val = 1
        word.add_paragraph("deux", style="List Number")

    assert tidy(docx.read(uploads.docx(write)).text) == "1. un\n\nhors liste\n\n# Titre numéroté\n\n2. deux"


def test_word_is_read_as_it_would_be_printed() -> None:
    """With what was inserted and what stands in a form, without what was deleted, text boxes once."""
    texts = "<w:ins><w:r><w:t>new </w:t></w:r></w:ins><w:del><w:r><w:delText>old </w:delText></w:r></w:del>"
    box = "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
    twice = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    )

    def write(word: Word) -> None:
        word.element.body.insert(0, parse_xml(f"<w:p {nsdecls('w')}>{texts}<w:r>{twice}</w:r></w:p>"))
        form = f"<w:sdt {nsdecls('w')}><w:sdtContent><w:p><w:r><w:t>filled in</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        word.element.body.insert(1, parse_xml(form))

    assert tidy(docx.read(uploads.docx(write)).text) == "new \nboxed\n\nfilled in"


def test_pdf_gives_its_pages_in_order() -> None:
    pages = (uploads.line("Été à l’œuvre"), uploads.line("7 % de pertes"))
    assert pdf.read(uploads.pdf(*pages)).text == "Été à l’œuvre\n\n7 % de pertes"


def test_a_pdf_that_anybody_may_read_is_read() -> None:
    assert said("pdf", uploads.locked_pdf("owner", reads_without=True))["text"] == "secret"


def test_a_page_that_cannot_be_read_costs_that_page() -> None:
    parsed = pdf.read(uploads.heavy_pdf(uploads.line("second"), megabytes=80))
    assert (parsed.text, parsed.is_cut) == ("second", True)


def test_plain_text_says_how_it_was_encoded_and_passes_the_gate() -> None:
    assert said("txt", "Déjà vu à l’été".encode("cp1252")) == {
        "text": "Déjà vu à l’été",
        "is_cut": False,
        "encoding": "windows-1252",
    }
    assert said("md", b"\xef\xbb\xbf# A\r\nb\x01c\x7f\x00\r\n\r\n \r\n\r\nd \n")["text"] == "# A\nbc\n\nd"


def test_a_long_text_is_cut_and_says_so() -> None:
    answer = said("txt", b"x" * 10 * 1024 * 1024)
    assert answer["is_cut"] is True
    assert answer["text"] == "x" * MAX_CHARACTERS + MARK


# --- what is no text


@pytest.mark.parametrize(
    ("kind", "content", "because"),
    [
        ("pdf", uploads.locked_pdf("owner"), "encrypted"),
        ("pdf", uploads.pdf(b""), "scanned"),
        ("pdf", b"%PDF-1.7\n%%EOF", "broken"),
        ("docx", uploads.docx(lambda word: None), "blank"),
        ("docx", b"PK\x03\x04", "broken"),
        ("html", b"<html><script>alert(1)</script>", "blank"),
        ("txt", b" \r\n\t\x01", "blank"),
        ("txt", b"", "blank"),
    ],
)
def test_what_has_no_text_is_refused_by_its_reason(kind: str, content: bytes, because: str) -> None:
    assert refusal(kind, content) == because


# --- what means harm


def test_a_file_that_hangs_its_parser_is_stopped() -> None:
    assert refusal("pdf", uploads.slow_pdf(), seconds=2) == "tool.child_timeout"


def test_a_page_that_unpacks_to_200_megabytes_is_not_unpacked() -> None:
    assert refusal("pdf", uploads.heavy_pdf()) == "broken"


def test_a_word_file_that_lies_about_its_size_is_not_unpacked() -> None:
    assert refusal("docx", uploads.lying_docx()) == "broken"


def test_a_word_file_too_large_for_its_child_dies_alone() -> None:
    assert refusal("docx", uploads.repacked(uploads.one_paragraph("x"), swollen)) in {"tool.child_died", "broken"}


def swollen(xml: bytes) -> bytes:
    return xml.replace(b"<w:body>", b"<w:body>" + b"<w:p/>" * 15_000_000)


def test_bombs_within_a_word_file_stay_packed() -> None:
    assert said("docx", uploads.nested_docx())["text"] == "calm"


@pytest.mark.parametrize("doctype", [uploads.EXTERNAL, uploads.LAUGHS], ids=["external", "laughs"])
def test_entities_of_a_word_file_are_not_resolved(doctype: str) -> None:
    try:
        text = str(said("docx", uploads.with_doctype(uploads.one_paragraph("calm"), doctype))["text"])
    except ToolFailed as refused:
        text = str(refused)
    assert "root:" not in text
    assert "haha" not in text


def test_members_of_a_word_file_stay_inside_it(tmp_path: Path) -> None:
    target = tmp_path / "outside"
    content = uploads.with_traps(uploads.one_paragraph("calm"), str(target))
    assert said("docx", content)["text"] == "calm"
    assert not target.exists()


def test_100_000_nested_tags_cost_nothing() -> None:
    content = b"<html>" + b"<div>" * 100_000 + b"deep" + b"</div>" * 100_000 + b"<ul><li>" * 100_000 + b"deeper"
    text = str(said("html", content)["text"])
    assert text.startswith("deep\n\n")
    assert text.endswith("- deeper")
    assert len(text) < 100


def test_nothing_but_the_child_loads_the_libraries_of_parsers() -> None:
    code = (
        "import django, sys; django.setup();"
        "import config.asgi, config.urls, generation.jobs, generation.worker, generation.recipes.note.recipe;"
        "print(sorted({'pypdf', 'docx', 'lxml', 'memory.parsers'} & set(sys.modules)))"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"
