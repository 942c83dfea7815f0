"""Whatever a stranger writes, and however much, it arrives as text or as a typed refusal."""

import re
from io import BytesIO

import pytest
from pypdf import PdfReader

from generation.exports import FORMATS, export
from generation.manuscripts import Block, Choice, Exercise, Figure, Heading, Manuscript, Prose, Question
from memory.base.errors import InvalidInput, ToolFailed
from tests.generation.exports.corpus import poisoned
from tests.generation.exports.readers import Page, acting_markdown, parts, words, xml


@pytest.fixture(scope="module")
def exported() -> dict[str, bytes]:
    return {name: export(poisoned(), name, answers=True).content for name in FORMATS}


def test_markdown_does_nothing_where_everything_is_allowed(exported: dict[str, bytes]) -> None:
    assert acting_markdown(exported["md"].decode()) == []


def test_html_does_nothing(exported: dict[str, bytes]) -> None:
    page = Page(exported["html"].decode())
    assert page.tags.count("img") == 1  # the harmless drawing; the other's code stands in
    assert [link for link in page.links if not link.startswith("#")] == []


def test_epub_does_nothing(exported: dict[str, bytes]) -> None:
    made = parts(exported["epub"])
    for name, part in made.items():
        if name.endswith((".xhtml", ".opf", ".ncx", ".xml", ".svg")):
            xml(part)
        if name.endswith(".xhtml"):
            Page(part.decode())
    assert not [name for name, part in made.items() if b"<script" in part]


def test_docx_points_nowhere_and_asks_word_for_nothing(exported: dict[str, bytes]) -> None:
    made = parts(exported["docx"])
    relations = b"".join(part for name, part in made.items() if name.endswith(".rels"))
    assert b'TargetMode="External"' not in relations
    fields = re.findall(r"<w:instrText[^>]*>([^<]*)", made["word/document.xml"].decode())
    assert {field.split()[0] for field in fields} == {"TOC"}
    for name, part in made.items():
        if name.endswith((".xml", ".rels")):
            xml(part)


def test_pdf_acts_not_and_reads_no_file(exported: dict[str, bytes]) -> None:
    content = exported["pdf"]
    text = words("pdf", content)
    assert '#read("/etc/passwd")' in text
    assert "\\input{/etc/passwd}" in text
    assert "root:" not in text
    annotations = [each.get_object() for page in PdfReader(BytesIO(content)).pages for each in page.get("/Annots", ())]
    assert [each["/A"] for each in annotations if "/A" in each] == []  # the others lead to a page of it
    assert not re.search(rb"/(JavaScript|JS|Launch|OpenAction|EmbeddedFile|GoToR|SubmitForm)\b", content)


@pytest.mark.parametrize("format", FORMATS)
def test_payloads_arrive_as_words(format: str, exported: dict[str, bytes]) -> None:
    text = words(format, exported[format])
    assert re.search(r"window.?\.__xss", text)


def book(*blocks: Block) -> Manuscript:
    return Manuscript("Much", "fr", blocks)


WIDE = "\n".join(["|" + "a|" * 200, "|" + "-|" * 200, *["|" + "b|" * 200] * 20])
NESTED = "\n\n".join(
    ["".join(f"{'  ' * n}- x\n" for n in range(1000)), ">" * 1000 + " x", "*" * 1000 + "x", "[" * 2000]
)
PAGE = "Une phrase assez longue pour remplir la page. " * 60 + "\n\n"
LONG = book(Prose(PAGE * 1_900))
MUCH = {
    "nothing at all": Manuscript("", "fr", ()),
    "10 000 blocks": book(*(Prose(f"paragraphe {n}") for n in range(10_000))),
    "a table of 200 columns": book(Prose(WIDE)),
    "lists and quotes 1 000 deep": book(Prose(NESTED)),
    "40 choices": book(Exercise("x", (Question("?", tuple(Choice(str(n), n % 2 == 0) for n in range(40)), True),))),
    "headings of all levels": book(*(Heading(level, f"h{level}") for level in (3, 9, -1, 0, 6, 1))),
}


@pytest.mark.parametrize("much", MUCH)
@pytest.mark.parametrize("format", FORMATS)
def test_much_of_anything_is_exported(much: str, format: str) -> None:
    assert export(MUCH[much], format, answers=True).content


@pytest.mark.parametrize("format", ["md", "html"])
def test_a_book_of_5_mb_is_made(format: str) -> None:
    assert len(export(LONG, format, answers=True).content) > 5_000_000


def test_a_book_of_5_mb_is_more_than_a_word_processor_gets() -> None:
    """Two thousand pages: pandoc is stopped where its memory ends, and only this export fails."""
    with pytest.raises(ToolFailed, match=r"tool\.export_(failed|timeout)"):
        export(LONG, "docx", answers=True)


@pytest.mark.parametrize("format", FORMATS)
def test_characters_that_no_file_takes_are_left_out(format: str) -> None:
    odd = "a\x00\x08\x0b\x1b\x7f\ud800\ufffe\uffff\u202eb\u2028c\x85d"
    blocks = (Heading(1, odd), Prose(odd), Figure(odd, odd, odd))
    content = export(Manuscript(odd, "fr", blocks, odd, (odd,), {odd: odd}), format, answers=True).content
    text = words(format, content)
    assert not set(text) & set("\x00\x08\x0b\x1b\x7f\ufffe\uffff") or format in (
        "docx",
        "epub",
    )  # pictures lie in there
    if format in ("docx", "epub"):
        assert all(
            xml(part) is not None for name, part in parts(content).items() if name.endswith(("xml", "xhtml", "opf"))
        )


def test_data_that_is_not_json_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"validation\.not_json"):
        export(Manuscript("x", "en", (), data=object()), "json", answers=False)
