"""An Excel workbook: each table on a sheet of its own, its head in sight, with a filter. Text is text, whatever it
begins with, and an address in it is no link.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from generation.exports.outline import tables
from generation.manuscripts import Cell, Manuscript, Table

INERT = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC)
MOST_OF_TITLE, MOST_OF_NAME, MOST_OF_CELL = 255, 31, 32_767  # Excel's own
NOT_IN_NAME = re.compile(r"[\[\]:*?/\\]")
NARROWEST, WIDEST = 8, 60  # columns, in characters


def write(manuscript: Manuscript) -> bytes:
    written = BytesIO()
    with Workbook(written, INERT) as book:
        book.set_properties({"title": manuscript.title[:MOST_OF_TITLE], "created": LONG_AGO})
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        styles = {
            str: book.add_format({"text_wrap": True, "valign": "top"}),
            int: book.add_format({"num_format": "0", "valign": "top"}),
            float: book.add_format({"num_format": "0.0", "valign": "top"}),
        }
        for n, table in enumerate(tables(manuscript), 1):
            sheet = book.add_worksheet(sheet_name(table.name, n))
            sheet.write_row(0, 0, [column.name for column in table.columns], head)
            for row, column, cell in cells(table):
                sheet.write(row, column, cell[:MOST_OF_CELL] if isinstance(cell, str) else cell, styles[type(cell)])
            arrange(sheet, table)
    return written.getvalue()


def cells(table: Table) -> list[tuple[int, int, str | int | float]]:
    """Row and column of each cell that holds something; the head is row 0."""
    return [
        (row, column, cell)
        for row, line in enumerate(table.rows, 1)
        for column, cell in enumerate(line)
        if cell is not None and cell != ""
    ]


def arrange(sheet: Worksheet, table: Table) -> None:
    sheet.freeze_panes(1, 0)
    if table.columns:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    for n, column in enumerate(table.columns):
        sheet.set_column(n, n, width([column.name, *(row[n] for row in table.rows)]))


def width(column: Sequence[Cell]) -> int:
    longest = max((len(str(cell)) for cell in column if isinstance(cell, str)), default=0)
    return min(max(longest + 2, NARROWEST), WIDEST)


def sheet_name(name: str, n: int) -> str:
    """As Excel takes it: short, not empty, none twice."""
    end = "" if n == 1 else f" {n}"
    said = NOT_IN_NAME.sub(" ", name).strip(" '")[: MOST_OF_NAME - len(end)].strip(" '")
    return f"{said or 'Table'}{end}"
