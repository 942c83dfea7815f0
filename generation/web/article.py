"""The title and the text of a page that a stranger made. Runs in a child process only (`extract` starts it)."""

import codecs
import logging
import re

import orjson
import trafilatura
from lxml.html import HTMLParser, document_fromstring

from memory.base.encodings import MARKS, decode
from memory.base.text import clean_text
from memory.parsers import html

MOST_CHARACTERS = 60_000
MOST_TITLE = 300
DECLARED = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([a-zA-Z0-9_.:-]{2,40})", re.IGNORECASE)
DECLARED_WITHIN = 2_048
GAP = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


def main(request: bytes, type: str, charset: str) -> bytes:
    """JSON of `title`, `text` and `is_cut`. Raises ValueError (`unreadable`) for what says nothing."""
    logging.disable()  # what a library says on stderr would be taken for the reason of a refusal
    try:
        content = clean_text(text_of(request, charset))
        title, text = ("", content) if type == "text/plain" else read(content)
    except MemoryError:  # a limit of ours, not a fault of the page
        raise
    except Exception as fault:  # libraries raise all they know on what somebody made up
        raise ValueError("unreadable") from fault
    text = GAP.sub("\n\n", clean_text(text)).strip()
    if not text:
        raise ValueError("unreadable")
    shown = {"title": one_line(title), "text": text[:MOST_CHARACTERS], "is_cut": len(text) > MOST_CHARACTERS}
    return orjson.dumps(shown)


def read(content: str) -> tuple[str, str]:
    """The article without menus, forms and advertisements, as Markdown; where none is found, all that a person would
    read."""
    whole = content.encode()
    # Not its own `load_html`: that takes a page without an html tag, of which there are many, for none.
    tree = document_fromstring(whole, parser=HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True))
    title = str(tree.xpath("string((//title)[1])")).strip() or str(tree.xpath("string((//h1)[1])"))
    text = trafilatura.extract(tree, output_format="markdown", include_comments=False, favor_recall=True)
    return title, text or html.read(whole).text


def text_of(content: bytes, charset: str) -> str:
    """By its mark, by what its sender or the page itself says, else by what it looks like."""
    if any(content.startswith(mark) for mark, *_ in MARKS):
        return decode(content)[0]
    declared = DECLARED.search(content[:DECLARED_WITHIN])
    for name in (charset, declared[1].decode() if declared else ""):
        if name and is_known(name):
            return content.decode(name, "replace")
    try:
        return decode(content)[0]
    except UnicodeDecodeError:
        return content.decode("utf-8", "replace")


def is_known(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except LookupError:
        return False


def one_line(text: str) -> str:
    return " ".join(clean_text(text).split())[:MOST_TITLE]
