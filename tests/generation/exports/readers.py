"""Readers that are not ours, for each format: what stands in the file, and whether anything in it could act."""

import re
from functools import cache
from html.parser import HTMLParser
from io import BytesIO
from xml.etree import ElementTree
from zipfile import ZipFile

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from pypdf import PdfReader

from generation.exports import export
from tests.generation.exports.course import COURSE

SCHEMES = ("http://", "https://", "mailto:", "#")
LAYOUT = {"list-style-type: upper-alpha", "text-align: right;", "text-align: center;", "text-align: left;"}
INERT = """
html head meta title style link body header main nav section div h1 h2 h3 h4 h5 h6 p br hr ol ul li a em strong s
code pre span blockquote table thead tbody tr th td figure figcaption img
"""


@cache
def course(format: str, answers: bool = True) -> bytes:
    return export(COURSE, format, answers=answers).content


def words(format: str, content: bytes) -> str:
    """All that can be read in it, metadata and every part of a ZIP included."""
    if format == "pdf":
        reader = PdfReader(BytesIO(content))
        return " ".join([str(reader.metadata), *(page.extract_text() for page in reader.pages)])
    if format in ("docx", "epub"):
        return " ".join(part.decode(errors="replace") for part in parts(content).values())
    return content.decode()


def parts(content: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def xml(content: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(content)  # noqa: S314


class Page(HTMLParser):
    """Fails where a page could do anything but be read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in INERT.split(), tag
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name != "style" or value in LAYOUT, value
            assert name not in {"srcset", "srcdoc", "action", "formaction"}, name
            if name == "src":
                assert (value or "").startswith(("data:image/svg+xml;base64,", "../media/"))
            if name == "href" and tag == "a":
                assert (value or "").startswith((*SCHEMES, "text/", "ch0", "nav.xhtml")), value
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")


def acting_markdown(markdown: str) -> list[str]:
    """What in it a reader that allows everything would run, load or follow."""
    allows_all = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    allows_all.validateLink = lambda url: True  # type: ignore[method-assign]
    found = []
    for node in SyntaxTreeNode(allows_all.parse(markdown)).walk():
        if node.type in {"html_block", "html_inline", "image"}:
            found.append(f"{node.type}: {node.content}")
        if node.type == "link" and not re.match(r"https?://|mailto:", str(node.attrs["href"])):
            found.append(str(node.attrs["href"]))
    return found
