"""CSV (RFC 4180): the first table, its numbers in full, as spreadsheets in its language read them. Begins with the mark
by which Excel knows UTF-8.

A spreadsheet takes text that begins like a formula for one, and a formula can send what it stands beside to anybody: an
apostrophe keeps it text (OWASP, CSV injection).
"""

import csv
import re
from io import StringIO

from generation.exports.labels import labels
from generation.exports.outline import tables
from generation.manuscripts import Cell, Manuscript

SIGNS = "=+@＝＋－＠-"
INVISIBLE = "\u00ad\u200b-\u200f\u2060\ufeff"
# At the beginning of a cell, or of what becomes one where another separator is in use.
BEGINS_FORMULA = re.compile(rf"(^[\s{INVISIBLE}]*|[;\t|][\s{INVISIBLE}]*)(?=[{SIGNS}])|^(?=[\t\r\n])")
SEPARATORS = {"fr": ";"}  # with a comma for decimals, as spreadsheets there read them


def write(manuscript: Manuscript) -> bytes:
    table = next(tables(manuscript))
    written = StringIO()
    separator = SEPARATORS.get(manuscript.language, ",")
    writer = csv.writer(written, delimiter=separator)
    writer.writerow(kept_as_text(column.name) for column in table.columns)
    decimal = labels(manuscript.language).decimal
    writer.writerows([in_place(cell, decimal) for cell in row] for row in table.rows)
    return written.getvalue().encode("utf-8-sig")


def in_place(cell: Cell, decimal: str) -> Cell:
    if isinstance(cell, str):
        return kept_as_text(cell)
    return str(cell).replace(".", decimal) if isinstance(cell, float) else cell


def kept_as_text(cell: str) -> str:
    return BEGINS_FORMULA.sub(r"\1'", cell)
