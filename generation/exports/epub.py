"""EPUB 3: a file for each chapter, figures as they were drawn, a table of contents that readers show."""

from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from generation.exports import zips
from generation.exports.article import Article
from generation.exports.html import embedded
from generation.exports.labels import labels
from generation.exports.pandoc import convert, document
from generation.manuscripts import Manuscript

STYLE = (Path(__file__).parent / "epub.css").read_bytes()
OPTIONS = ("--split-level=1", "--toc", "--toc-depth=2")


def write(manuscript: Manuscript) -> bytes:
    body = Article(labels(manuscript.language), embedded).body(manuscript)
    # A book is known by its identifier: the same words, the same book.
    identifier = uuid5(NAMESPACE_URL, f"{manuscript.title}\n{body}").urn
    book = zips.parts(convert(document(manuscript, body, identifier=identifier), "epub3", *OPTIONS))
    # Put in here: a sandboxed pandoc reads no style sheet.
    return zips.pack({**book, "EPUB/styles/stylesheet1.css": STYLE}, stored="mimetype")
