"""Each format as its own readers see it."""

import re
from io import BytesIO
from pathlib import Path

import docx
import orjson
import pypdfium2
import pytest
from docx.document import Document
from ebooklib import ITEM_DOCUMENT, ITEM_IMAGE, epub
from pypdf import PdfReader

from generation import exports
from generation.exports import FORMATS, export, labels, press, wire
from generation.manuscripts import Figure, Heading, Manuscript
from memory.base.errors import InvalidInput, ToolFailed
from tests.generation.exports.course import COURSE, TABLES_SVG
from tests.generation.exports.readers import Page, course, parts, words, xml

HEADINGS = [block.text for block in COURSE.blocks if isinstance(block, Heading)]
CAPTIONS = ["deux tables liées par une clé", "une dépendance", "un index est un arbre"]
LABELS = ["Version de secours", "pas pu être dessiné"]


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_manuscript_gives_the_same_bytes(format: str) -> None:
    assert export(COURSE, format, answers=True).content == course(format)


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_of_the_document_is_left_out(format: str) -> None:
    text = " ".join(re.sub("<[^>]*>", " ", words(format, course(format))).split())
    expected = [COURSE.title, COURSE.description, *COURSE.authors, *HEADINGS, *CAPTIONS, "Version de secours"]
    assert [each for each in expected if each not in text] == []
    assert "troisième forme normale" in text
    assert [
        each for each in ("Noël", "Łukasz", "中文", "🎉", "Ελληνικά", "Кириллица", "한국어") if each not in text
    ] == []


@pytest.mark.parametrize("format", sorted(FORMATS.keys() - {"json"}))
def test_what_is_missing_and_what_stands_in_is_labelled(format: str) -> None:
    text = words(format, course(format))
    assert [label for label in LABELS if label not in text] == []
    assert re.search(r"Figure\s3\s: un index", text.replace("&nbsp;", " "))
    assert re.search(r"Exercice\s2\s: Pourquoi", text)


@pytest.mark.parametrize("format", FORMATS)
def test_a_child_makes_what_the_house_itself_would(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert press.main(orjson.dumps(wire.as_data(COURSE)), format) == course(format)


def test_an_export_is_named_after_its_document() -> None:
    made = export(COURSE, "md", answers=False)
    assert (made.name, made.content_type) == ("Les bases de données relationnelles.md", "text/markdown; charset=utf-8")


def test_a_format_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"validation\.export_format"):
        export(COURSE, "exe", answers=True)


def test_an_export_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "SECONDS", 0.05)
    with pytest.raises(ToolFailed, match=r"tool\.export_timeout"):
        export(COURSE, "pdf", answers=True)


def test_an_export_that_needs_too_much_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MEGABYTES", 30)
    with pytest.raises(ToolFailed, match=r"tool\.export_failed"):
        export(COURSE, "pdf", answers=True)


def test_every_label_is_said_in_both_languages() -> None:
    english, french = vars(labels.labels("en")), vars(labels.labels("fr"))
    assert english.keys() == french.keys()
    assert {name for name in english if english[name] == french[name]} == {"figure"}
    assert labels.labels("xx") is labels.labels("en")


# --- one by one


def test_markdown_keeps_the_code_of_figures_where_github_draws_them() -> None:
    text = course("md").decode()
    assert "```mermaid\nerDiagram\n  ELEVE ||--o{ NOTE : reçoit\n```\n\n*Figure\xa01\xa0: deux tables" in text
    assert "\n> ⚠ **Version de secours" in text
    assert "   - [ ] **C.** N’importe quoi" in text
    assert "| Zoé | Maths | 17,5 |" in text
    assert "$\\bar{x} = \\frac{1}{n}\\sum_{i=1}^{n} x_i$" in text
    assert [line for line in text.splitlines() if line.startswith("# ")] == ["# Les bases de données relationnelles"]


def test_html_is_one_inert_page_in_the_language_of_the_document() -> None:
    text = course("html").decode()
    page = Page(text)
    assert '<html lang="fr">' in text
    assert "default-src 'none'" in text
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert page.tags.count("img") == 2
    assert "Sommaire" in text
    assert '<td align="right">17,5</td>' in text
    assert '<span class="k">SELECT</span>' in text


def test_html_of_one_chapter_needs_no_table_of_contents() -> None:
    made = export(Manuscript("One", "en", (Heading(1, "A"), Heading(2, "B"))), "html", answers=True)
    assert "nav" not in Page(made.content.decode()).tags


def test_json_is_the_data_of_the_api_and_the_blocks() -> None:
    made = orjson.loads(course("json"))
    assert list(made) == ["title", "description", "language", "authors", "data", "blocks"]
    assert made["data"] == COURSE.data
    assert [block["block"] for block in made["blocks"]].count("figure") == 3


def opened() -> Document:
    return docx.Document(BytesIO(course("docx")))


def test_docx_can_be_navigated() -> None:
    made = opened()
    by_style: dict[str, list[str]] = {}
    for paragraph in made.paragraphs:
        assert paragraph.style
        by_style.setdefault(str(paragraph.style.name), []).append(paragraph.text)
    assert by_style["Heading 1"] == ["Les tables", "Les formes normales"]
    assert by_style["Heading 2"] == ["Ranger des faits", "Les clés", "La troisième forme"]
    assert by_style["Title"] == [COURSE.title]
    assert any("Version de secours" in text for text in by_style["Notice"])
    entries = re.findall(
        r'<w:hyperlink w:anchor="(section-\d)">.*?<w:t[^>]*>([^<]*)', parts(course("docx"))[TEXT].decode()
    )
    assert [text for _, text in entries] == HEADINGS
    assert made.core_properties.language == "fr"
    assert made.core_properties.author == "Ada Lovelace; Modèle de démonstration"
    assert len(made.tables) == 1


TEXT = "word/document.xml"


def test_docx_holds_each_drawing_in_pixels_and_as_it_was_drawn() -> None:
    made = parts(course("docx"))
    document = made[TEXT].decode()
    relations = {each.get("Id"): each.get("Target") for each in xml(made["word/_rels/document.xml.rels"])}
    pairs = re.findall(r'r:embed="(\w+)"><a:extLst>.*?svgBlip[^>]*r:embed="(\w+)"', document)
    assert len(pairs) == len(opened().inline_shapes) == 2
    pixels, drawing = pairs[0]
    assert made[f"word/{relations[pixels]}"].startswith(b"\x89PNG")
    assert made[f"word/{relations[drawing]}"].decode() == TABLES_SVG
    assert 'Extension="svg"' in made["[Content_Types].xml"].decode()
    assert "data:image" not in document


def test_epub_is_what_readers_ask_for() -> None:
    made = parts(course("epub"))
    assert next(iter(made.items())) == ("mimetype", b"application/epub+zip")
    assert course("epub")[30:58] == b"mimetypeapplication/epub+zip"  # uncompressed, at its fixed place
    for name, part in made.items():
        if name.endswith((".xhtml", ".opf", ".ncx", ".xml", ".svg")):
            xml(part)
        if name.endswith(".xhtml"):
            Page(part.decode())


def test_epub_has_its_chapters_figures_and_contents() -> None:
    book = epub.read_epub(BytesIO(course("epub")), {"ignore_ncx": True})
    assert book.get_metadata("DC", "title")[0][0] == COURSE.title
    assert book.get_metadata("DC", "language")[0][0] == "fr"
    assert [name for name, _ in book.get_metadata("DC", "creator")] == list(COURSE.authors)
    assert len(list(book.get_items_of_type(ITEM_IMAGE))) == 2
    assert len(list(book.get_items_of_type(ITEM_DOCUMENT))) >= 3
    contents = next(item for item in book.get_items() if item.get_name().endswith("nav.xhtml")).get_content().decode()
    assert [heading for heading in HEADINGS if heading not in contents] == []


def test_epub_of_other_words_is_another_book() -> None:
    one, other = (
        re.search(r"urn:uuid:[\w-]+", parts(made)["EPUB/content.opf"].decode())
        for made in (course("epub"), course("epub", answers=False))
    )
    assert one
    assert other
    assert one[0] != other[0]


def test_pdf_has_bookmarks_language_and_numbered_pages() -> None:
    reader = PdfReader(BytesIO(course("pdf")))
    assert [entry.title for entry in reader.outline if not isinstance(entry, list)] == [
        "Les tables",
        "Les formes normales",
    ]
    assert reader.metadata
    assert reader.metadata.title == COURSE.title
    assert str(reader.root_object["/Lang"]) == "fr"
    last = reader.pages[-1].extract_text().split()
    assert str(len(reader.pages) - 1) in (last[0], last[-1])  # the title page has no number


def test_pdf_has_letters_for_all_words() -> None:
    """No character fell back to the box of a font that does not have it."""
    reader = PdfReader(BytesIO(course("pdf")))
    fonts = {str(font["/BaseFont"]) for page in reader.pages for font in page_fonts(page)}
    assert {name.partition("+")[2].partition("-")[0] for name in fonts} >= {
        "LibertinusSerif",
        "NotoEmoji",
        "DejaVuSansMono",
    }
    assert any("CJK" in name for name in fonts)


def page_fonts(page: object) -> list[dict[str, object]]:
    resources = page["/Resources"]  # type: ignore[index]
    return [font.get_object() for font in resources.get("/Font", {}).values()]


def test_pdf_draws_its_figures() -> None:
    document = pypdfium2.PdfDocument(course("pdf"))
    filled = [page for page in document if OCHRE_WASH in bytes(page.render(scale=0.5).buffer)]
    assert len(filled) == 1  # the nodes of the tree


OCHRE_WASH = bytes.fromhex("daf0f9")  # blue, green, red


def test_a_figure_that_cannot_be_drawn_costs_only_itself() -> None:
    strange = '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"/>'
    blocks = (Figure("mermaid", "graph TD", "nothing to see", strange), *COURSE.blocks)
    made = export(Manuscript("Strange", "fr", blocks), "pdf", answers=True)
    text = words("pdf", made.content)
    assert text.count("pas pu être dessiné") == 2
    assert "graph TD" in text
