"""A course full of what strangers write to make a document do something: no export of it does."""

import re
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from generation import documents, sections
from generation.exports import FORMATS
from generation.models import Document, Drawing, Section
from memory.history import By
from tests.generation.exports.corpus import ALL, EVIL_SVG, PAYLOADS
from tests.generation.exports.readers import Page, acting_markdown, parts, words, xml
from tests.people import People
from tests.rest import Rest

DIGEST = "e" * 64


@pytest.fixture
def course(people_committed: People) -> Document:
    """Every payload as a title, a text, a diagram, a question and an answer, in as many chapters as there may be."""
    people = people_committed
    facts = {"description": ALL[:2_000], "difficulty": PAYLOADS[0]}
    course = documents.create("course", "".join(PAYLOADS[:4]), facts, user=people.owner, workspace=people.workspace)
    add = Adding(course, By.person(people.owner))
    chapters = [add("chapter", title=payload, description=ALL[:1_000]) for payload in PAYLOADS[::3]]
    for n, payload in enumerate(PAYLOADS):
        chapter = chapters[n // 3]
        part = add("part", add("lesson", chapter), title=payload, content=f"{payload}\n\n{ALL}", **diagram(payload))
        Section.objects.filter(id=part.id).update(fields={**part.fields, "diagram": DIGEST})
        add("exercise_block", add("exercises", chapter), topic=payload, questions=asked(payload))
        add("evaluation", chapter, questions=asked(payload), time_limit=10)
    Drawing.objects.create(digest=DIGEST, workspace=people.workspace, type="mermaid", code="x", svg=EVIL_SVG)
    return course


class Adding:
    def __init__(self, course: Document, by: By) -> None:
        self.course = course
        self.by = by

    def __call__(self, type: str, parent: Section | None = None, **fields: Any) -> Section:
        return sections.add(self.course, type, fields, self.by, parent=parent)


def diagram(payload: str) -> dict[str, str]:
    return {"diagram_type": "mermaid", "diagram_code": payload, "schema_description": payload}


def asked(payload: str) -> list[dict[str, Any]]:
    answers = [{"text": payload, "is_correct": True}, {"text": payload}]
    return [
        {"text": payload, "answers": answers, "explanation": payload},
        {"text": payload, "expected": payload, "explanation": payload},
    ]


def does_nothing_md(content: bytes) -> None:
    assert acting_markdown(content.decode()) == []


def does_nothing_html(content: bytes) -> None:
    page = Page(content.decode())
    assert "img" not in page.tags
    assert [link for link in page.links if not link.startswith("#")] == []


def does_nothing_json(content: bytes) -> None:
    """It is no page, whoever sniffs at it."""
    assert content.startswith(b"{")


def does_nothing_docx(content: bytes) -> None:
    made = parts(content)
    assert not [name for name, part in made.items() if name.endswith(".rels") and b'TargetMode="External"' in part]
    fields = re.findall(r"<w:instrText[^>]*>([^<]*)", made["word/document.xml"].decode())
    assert {field.split()[0] for field in fields} == {"TOC"}
    for name, part in made.items():
        if name.endswith((".xml", ".rels")):
            xml(part)


def does_nothing_epub(content: bytes) -> None:
    made = parts(content)
    assert not [name for name, part in made.items() if b"<script" in part]
    for name, part in made.items():
        if name.endswith((".xhtml", ".opf", ".ncx", ".xml", ".svg")):
            xml(part)
        if name.endswith(".xhtml"):
            Page(part.decode())


def does_nothing_pdf(content: bytes) -> None:
    assert "root:" not in words("pdf", content)
    annotations = [each.get_object() for page in PdfReader(BytesIO(content)).pages for each in page.get("/Annots", ())]
    assert [each["/A"] for each in annotations if "/A" in each] == []
    assert not re.search(rb"/(JavaScript|JS|Launch|OpenAction|EmbeddedFile|GoToR|SubmitForm)\b", content)


DOES_NOTHING = {
    "md": does_nothing_md,
    "html": does_nothing_html,
    "json": does_nothing_json,
    "docx": does_nothing_docx,
    "epub": does_nothing_epub,
    "pdf": does_nothing_pdf,
}


@pytest.mark.uncounted
def test_what_strangers_write_does_nothing_in_any_export(course: Document, people_committed: People) -> None:
    rest = Rest(people_committed.viewer)
    assert DOES_NOTHING.keys() == FORMATS.keys()
    for kind, does_nothing in DOES_NOTHING.items():
        answer = rest.get(f"documents/{course.id}/export", format=kind, answers=True)
        assert answer.status_code == 200, (kind, answer.content)
        assert answer["Content-Disposition"].startswith("attachment; ")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Type"] == FORMATS[kind]
        does_nothing(answer.content)
        assert re.search(r"window.?\.__xss", words(kind, answer.content)), kind
