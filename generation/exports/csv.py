"""CSV (RFC 4180): the first table, its numbers as they are. Begins with the mark by which Excel knows UTF-8.

A spreadsheet takes text that begins like a formula for one, and a formula can send what it stands beside to anybody: an
apostrophe keeps it text (OWASP, CSV injection).
"""

import csv
from io import StringIO

from generation.exports.outline import tables
from generation.manuscripts import Cell, Manuscript

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def write(manuscript: Manuscript) -> bytes:
    table = next(tables(manuscript))
    written = StringIO()
    writer = csv.writer(written)
    writer.writerow(kept_as_text(column.name) for column in table.columns)
    writer.writerows(map(kept_as_text, row) for row in table.rows)
    return written.getvalue().encode("utf-8-sig")


def kept_as_text(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip().startswith(FORMULA_BEGINS) else cell
