"""What all formats agree on: how figures and exercises are numbered, how deep a block stands, which drawings pass."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from string import ascii_uppercase

from generation.exports import drawings
from generation.manuscripts import Block, Figure, Heading, Manuscript, Question, Table

CHAPTER = 1


@dataclass(frozen=True)
class Placed:
    """A block in its place: `n` counts its kind from 1; `level`, of the heading above it, is a chapter's at least."""

    block: Block
    n: int
    level: int


def outline(manuscript: Manuscript) -> Iterator[Placed]:
    counts: Counter[type[Block]] = Counter()
    level = CHAPTER
    for block in manuscript.blocks:
        if isinstance(block, Table) and not block.on_a_page().columns:
            continue  # no format has a table without columns
        if isinstance(block, Heading):
            level = max(CHAPTER, block.level)
        counts[type(block)] += 1
        yield Placed(without_harm(block), counts[type(block)], level)


def without_harm(block: Block) -> Block:
    """A drawing that is more than a drawing counts as one that could not be made."""
    if isinstance(block, Figure) and block.svg and not drawings.is_harmless(block.svg):
        return replace(block, svg=None)
    return block


def tables(manuscript: Manuscript) -> Iterator[Table]:
    return (block for block in manuscript.blocks if isinstance(block, Table))


def is_of_numbers(table: Table, n: int) -> bool:
    """Whether a column holds no words."""
    return not any(isinstance(row[n], str) for row in table.rows)


def right_letters(question: Question) -> str:
    return ", ".join(letter(n) for n, choice in enumerate(question.choices) if choice.is_correct)


def letter(n: int) -> str:
    return ascii_uppercase[n] if n < len(ascii_uppercase) else str(n + 1)
