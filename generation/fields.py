"""The types that fields of documents have. What a kind declares with them drives checks, forms, API, tools and pages.

Every field may be absent; an empty one is absent. Lists hold plain strings, or objects with an `id`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from memory.base.errors import InvalidInput
from memory.base.ids import new_id

MARKDOWN_MAX = 200_000
BULLET = re.compile(r"^\s*(?:(?:[-*•–]|\d+[.)])\s+)+")
LINE_END = re.compile(r"\s*[\r\n\x85\u2028\u2029]+\s*")


class Fields(BaseModel):
    """Fields of one kind of document or type of section. Unknown names are refused."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def tidy(cls, value: Any, info: ValidationInfo) -> Any:
        """Brought into the form of its field, as far as that loses nothing."""
        about = cls.model_fields[str(info.field_name)].json_schema_extra
        form = about.get("format") if isinstance(about, dict) else None
        return TIDY[str(form)](value) if form in TIDY else value

    @model_validator(mode="after")
    def items_told_apart(self) -> "Fields":
        """Of two items of one list with the same id, the later one gets its own."""
        for value in vars(self).values():
            known: set[str] = set()
            for item in value if isinstance(value, list) else ():
                if isinstance(item, Item):
                    item.id = new_id().hex[-12:] if item.id in known else item.id
                    known.add(item.id)
        return self


def line(most: int) -> Any:
    """`str≤n` of DOMAIN: one line."""
    return Field(None, max_length=most, json_schema_extra={"format": "line"})


def plain(most: int) -> Any:
    """Plain text of several lines."""
    return Field(None, max_length=most, json_schema_extra={"format": "text"})


def markdown() -> Any:
    return Field(None, max_length=MARKDOWN_MAX, json_schema_extra={"format": "markdown"})


def strings() -> Any:
    """A list of plain strings, whatever a model makes of it."""
    return Field(None, json_schema_extra={"format": "strings"})


def ids() -> Any:
    """Ids of other documents: no form asks for them, no page shows them."""
    return Field(None, json_schema_extra={"format": "ids"})


class Item(Fields):
    """An object in a list, addressed by its `id`, which is given when it has none."""

    id: str = Field("", max_length=50, pattern=r"^[^/]*$")

    @model_validator(mode="after")
    def identified(self) -> "Item":
        self.id = self.id or new_id().hex[-12:]
        return self


def absent_when_empty(value: Any) -> Any:
    return (value.strip() or None) if isinstance(value, str) else value


def one_line(value: Any) -> Any:
    return absent_when_empty(LINE_END.sub(" ", value)) if isinstance(value, str) else value


def flat(value: Any) -> Any:
    """A list of plain strings from what models give: bullets, one text with lines, objects with a text in them."""
    if isinstance(value, str):
        value = value.splitlines()
    if not isinstance(value, list):
        return value
    texts = [BULLET.sub("", in_words(each)).strip() for each in value]
    return [each for each in texts if each] or None


def in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ": ".join(words for each in value.values() if (words := in_words(each)))
    if isinstance(value, list):
        return ", ".join(words for each in value if (words := in_words(each)))
    return "" if value is None else str(value)


def as_ids(value: Any) -> Any:
    """In the one way in which ids are written; what is none is refused."""
    try:
        return (
            [str(UUID(str(each))) for each in value] or None
            if isinstance(value, list)
            else value and str(UUID(str(value)))
        )
    except ValueError:
        raise PydanticCustomError("uuid_parsing", "This is no id") from None


TIDY: dict[str, Callable[[Any], Any]] = {
    "line": one_line,
    "text": absent_when_empty,
    "markdown": absent_when_empty,
    "strings": flat,
    "ids": as_ids,
}


@dataclass(frozen=True)
class SectionType:
    """`within`: the types that may hold it; empty for one that stands directly in the document.

    `body`: the field without which it is not written yet; empty for one that only holds others.
    `most`: how many of them people may put into a document; None for as many as they like.
    `made_from`: fields that machines make and nobody edits, each with the fields it is made from.
    """

    fields: type[Fields]
    within: tuple[str, ...] = ()
    body: str = ""
    most: int | None = None
    made_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def only_holds(self) -> bool:
        """It has nothing of its own to say: it is written when something stands in it."""
        return not self.fields.model_fields


@dataclass(frozen=True)
class Kind:
    """One kind of document: its fields, and the sections it is made of.

    `body`: of one that is made of fields, those without which it is not written yet. `is_indexed`: the documents of a
    kind that stand in it are told apart by their titles.
    """

    name: str
    fields: type[Fields]
    sections: Mapping[str, SectionType] = field(default_factory=dict)
    body: tuple[str, ...] = ()
    is_indexed: bool = False


def into_list(there: object, name: str, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """By path what puts these items into the list of that name: each for itself beside others, or all of a new list."""
    if not items:
        return {}
    return {f"{name}/{item['id']}": dict(item) for item in items} if there else {name: [dict(item) for item in items]}


def cleaned(schema: type[Fields], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are kept. Raises `validation.fields` with each problem's path."""
    try:
        return schema.model_validate(values).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        raise InvalidInput("fields", problems=problems(error)) from None


def problems(error: ValidationError) -> list[dict[str, str]]:
    """What does not fit, by path; at most twenty."""
    return [
        {"path": "/".join(str(part) for part in item["loc"]), "problem": item["type"], "message": item["msg"]}
        for item in error.errors(include_url=False, include_context=False)
    ][:20]
