"""A manuscript as JSON values and back. `block` names a block's class."""

from dataclasses import asdict
from typing import Any

from generation.manuscripts import (
    Block,
    Choice,
    Column,
    Exercise,
    Figure,
    Heading,
    Manuscript,
    Notice,
    Prose,
    Question,
    Table,
)

BLOCKS: dict[str, type[Heading | Prose | Figure | Notice]] = {
    "heading": Heading,
    "prose": Prose,
    "figure": Figure,
    "notice": Notice,
}


def as_data(manuscript: Manuscript) -> dict[str, Any]:
    blocks = [{"block": type(block).__name__.lower(), **asdict(block)} for block in manuscript.blocks]
    return {
        "title": manuscript.title,
        "description": manuscript.description,
        "language": manuscript.language,
        "authors": manuscript.authors,
        "data": manuscript.data,
        "blocks": blocks,
    }


def read(data: dict[str, Any]) -> Manuscript:
    authors, blocks = tuple(data["authors"]), tuple(read_block(dict(each)) for each in data["blocks"])
    return Manuscript(**{**data, "authors": authors, "blocks": blocks})


def read_block(data: dict[str, Any]) -> Block:
    kind = data.pop("block")
    if kind == "exercise":
        return Exercise(data["topic"], tuple(read_question(each) for each in data["questions"]))
    if kind == "table":
        columns = tuple(Column(**each) for each in data["columns"])
        return Table(data["name"], columns, tuple(map(tuple, data["rows"])))
    return BLOCKS[kind](**data)


def read_question(data: dict[str, Any]) -> Question:
    return Question(**{**data, "choices": tuple(Choice(**each) for each in data["choices"])})
