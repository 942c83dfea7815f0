"""Tables on a terminal: columns as wide as what stands in them, figures to the right."""

from collections.abc import Sequence

GAP = "  "


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [head, ["─" * width for width in widths], *rows]
    cells = ([fitted(cell, width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join(GAP.join(line).rstrip() for line in cells)


def fitted(cell: str, width: int) -> str:
    is_figure = cell[:1].isdecimal() or cell[:1] in ("$", "–")
    return cell.rjust(width) if is_figure else cell.ljust(width)
