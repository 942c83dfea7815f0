"""A document as a file: `export(manuscript, "docx", answers=False)`.

Answers are taken out before any format sees the manuscript: what a format was never given, it cannot leak. A format
is a module with `write(manuscript) -> bytes` that only a child process imports: the rendering of strangers' text, and
heavy libraries, stay outside the house. The same manuscript gives the same bytes.
"""

import re
from dataclasses import dataclass

import orjson

from generation.exports import wire
from generation.exports.answers import withhold
from generation.exports.names import file_name
from generation.manuscripts import Manuscript, Table
from memory.base import children
from memory.base.errors import InvalidInput, ToolFailed
from memory.base.text import clean_json

PRESS = "generation.exports.press"
SECONDS, MEGABYTES = 90, 1536  # a PDF of 320 pages takes 12 s and 700 MB on 2 cores
NOT_IN_XML = re.compile("\ufffe|\uffff".encode())  # the only characters that pass the gate and break a DOCX


# A format is the file of its name beside this one, and what HTTP calls it.
FORMATS = {
    "md": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "epub": "application/epub+zip",
    "pdf": "application/pdf",
}
# Of a document that has a table, its tables alone.
SHEETS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Export:
    name: str
    content_type: str
    content: bytes


def export(manuscript: Manuscript, format: str, *, answers: bool) -> Export:
    """Blocks for as long as the format takes (a 300-page PDF: seconds); call it in a thread.

    Raises `validation.export_format`, `validation.too_deep`, `validation.not_json` (both: `manuscript.data`),
    `tool.export_timeout` and `tool.export_failed`.
    """
    formats = FORMATS | SHEETS if any(isinstance(block, Table) for block in manuscript.blocks) else FORMATS
    if format not in formats:
        raise InvalidInput("export_format", format=format, allowed=list(formats))
    shown = manuscript if answers else withhold(manuscript)
    request = NOT_IN_XML.sub(b"", orjson.dumps(clean_json(wire.as_data(shown))))
    try:
        content = children.run(PRESS, request, format, seconds=SECONDS, megabytes=MEGABYTES)
    except ToolFailed as failure:
        if failure.code == "tool.child_timeout":
            raise ToolFailed("export_timeout", format=format, seconds=SECONDS) from failure
        raise ToolFailed("export_failed", format=format) from failure
    return Export(file_name(manuscript.title, format), formats[format], content)
