"""A document as a reader meets it, from first heading to last: what every export is made of, whatever the kind.

Values only: a recipe turns rows into a Manuscript, `exports` turns a Manuscript into a file. Text is plain unless it is
called `markdown` or says so, and neither is trusted.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """`level` 1 is a chapter; the document's title is not a heading."""

    level: int
    text: str


@dataclass(frozen=True)
class Prose:
    markdown: str


@dataclass(frozen=True)
class Figure:
    """A diagram. Without `svg` it could not be drawn: `caption` and `code` stand in, labelled."""

    type: str
    code: str
    caption: str
    svg: str | None = None


@dataclass(frozen=True)
class Notice:
    """A label about what follows: a fallback, a gap. In the document's language, never left out of an export."""

    text: str


@dataclass(frozen=True)
class Choice:
    text: str
    is_correct: bool


@dataclass(frozen=True)
class Question:
    """With `choices` multiple-choice, else open. `expected` and `explanation` (Markdown) show with the answers only."""

    text: str
    choices: tuple[Choice, ...] = ()
    is_multiple: bool = False
    expected: str = ""
    explanation: str = ""


@dataclass(frozen=True)
class Exercise:
    """Questions on one topic, numbered by the export from 1 within it."""

    topic: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Column:
    """`is_wide`: a sheet has room for it, a page has not."""

    name: str
    is_wide: bool = False


Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """Plain text and numbers, None where nothing is known. Each row has a cell for each column."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def on_a_page(self) -> "Table":
        """Without what only a sheet has room for."""
        shown = [n for n, column in enumerate(self.columns) if not column.is_wide]
        rows = tuple(tuple(row[n] for n in shown) for row in self.rows)
        return Table(self.name, tuple(self.columns[n] for n in shown), rows)


Block = Heading | Prose | Figure | Notice | Exercise | Table


@dataclass(frozen=True)
class Manuscript:
    """`language` is `en` or `fr`. `data`, JSON values, is the document as its API shows it: what the JSON export holds.

    Answers lie in it under the keys of `exports.answers.KEYS` alone, or they would be exported with the questions.
    """

    title: str
    language: str
    blocks: tuple[Block, ...]
    description: str = ""
    authors: tuple[str, ...] = ()
    data: object = None
