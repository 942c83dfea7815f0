"""Markdown being written, block by block: what HTML and Word have in common."""

from collections.abc import Sequence

DEEPEST = 6  # headings and lists alike; deeper ones look the same


class Paper:
    """A blank line between blocks, none between the items of a list. What is empty is not written."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.characters = 0
        self.ends_in_list = False

    def paragraph(self, text: str) -> None:
        self.put(text.strip())

    def heading(self, level: int, text: str) -> None:
        self.put(one_line(text), "#" * min(level, DEEPEST) + " ")

    def item(self, depth: int, mark: str, text: str) -> None:
        self.put(one_line(text), "   " * min(depth, DEEPEST) + mark + " ", is_item=True)

    def code(self, text: str) -> None:
        if text := text.strip("\n"):
            self.put(f"```\n{text}\n```")

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """The first row is its head."""
        head, *body = [row for row in rows if any(cell.strip() for cell in row)] or [[]]
        if head:
            self.put("\n".join([line_of(head), "|" + " --- |" * len(head), *map(line_of, body)]))

    def put(self, text: str, mark: str = "", *, is_item: bool = False) -> None:
        if not text:
            return
        if self.blocks:
            self.blocks.append("\n" if is_item and self.ends_in_list else "\n\n")
        self.blocks.append(mark + text)
        self.characters += len(mark) + len(text)
        self.ends_in_list = is_item

    def text(self) -> str:
        return "".join(self.blocks)


def one_line(text: str) -> str:
    return " ".join(text.split())


def line_of(row: Sequence[str]) -> str:
    return "| " + " | ".join(one_line(cell).replace("|", "\\|") for cell in row) + " |"
