"""Fields as a person fills them in: the pydantic schema of a kind or a section drives inputs, reading and checking.

The name of an input is the path of its value; a list of objects is sent as the ids of its items, in order, and a value
for each path below them. So a form can be shown again with all that was typed, whatever is wrong with it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from generation import labels
from generation.fields import Fields, Item
from memory.base import paths
from memory.base.ids import new_id

Values = dict[str, Any]
Choices = Mapping[str, Sequence[tuple[str, str]]]
LINE_ENDS = re.compile(r"\r\n?")

PROBLEMS: dict[str, Promise] = {
    "string_too_long": _("At most {max_length} characters."),
    "too_long": _("At most {max_length} of them."),
    "greater_than_equal": _("{ge} at least."),
    "less_than_equal": _("{le} at most."),
    "int_parsing": _("A whole number."),
    "too_few_answers": _("Two answers at least, or none for an open question."),
    "no_right_answer": _("One answer at least is right."),
}
ELSE = _("This does not fit here.")


@dataclass(frozen=True)
class ItemForm:
    """One object in a list: its inputs, and where it stands."""

    id: str
    path: str
    label: str
    number: int
    inputs: list["Input"]
    error: str
    is_first: bool
    is_last: bool


@dataclass(frozen=True)
class Input:
    """`widget`: line, text, code, markdown, lines, number, check, choice, items."""

    path: str
    name: str
    widget: str
    value: Any = None
    most: int | None = None
    least: int | None = None
    choices: Sequence[tuple[str, str]] = ()
    items: list[ItemForm] = field(default_factory=list)
    is_full: bool = False
    error: str = ""

    @property
    def label(self) -> str:
        return labels.of_field(self.name)

    @property
    def item_label(self) -> str:
        return labels.of_item(self.name)

    @property
    def rows(self) -> int:
        lines = str(self.value or "").split("\n")
        return min(30, max(3, sum(1 + len(line) // 70 for line in lines)))


@dataclass(frozen=True)
class Sheet:
    """What of an object people fill in: its schemas, without what machines make; `choices` of what only rows know."""

    schemas: tuple[type[Fields], ...]
    without: frozenset[str] = frozenset()
    choices: Choices = field(default_factory=dict)

    def fields(self) -> Iterator[tuple[str, FieldInfo]]:
        for schema in self.schemas:
            yield from ((name, info) for name, info in schema.model_fields.items() if name not in self.without)

    def inputs(self, values: Mapping[str, Any], errors: Mapping[str, str]) -> list[Input]:
        return list(inputs_of(self.fields(), values, errors, "", self.choices))

    def read(self, posted: QueryDict) -> Values:
        """What was sent; a field that was not sent at all is left out."""
        return dict(read_fields(self.fields(), posted, ""))

    def check(self, values: Mapping[str, Any]) -> tuple[Values, dict[str, str]]:
        """The values as they are kept, and by path what does not fit."""
        kept: Values = {}
        errors: dict[str, str] = {}
        for schema in self.schemas:
            own = {name: value for name, value in values.items() if name in schema.model_fields and value is not None}
            try:
                kept |= schema.model_validate(own).model_dump(mode="json", exclude_none=True)
            except ValidationError as error:
                errors |= {path_of(own, each["loc"]): sentence(each) for each in error.errors(include_url=False)}
        return kept, errors


# --- what a field is


def bare(annotation: Any) -> Any:
    """The type, without the None beside it."""
    if get_origin(annotation) in (Union, UnionType):
        return next(each for each in get_args(annotation) if each is not type(None))
    return annotation


def item_of(info: FieldInfo) -> type[Item] | None:
    kind = bare(info.annotation)
    inner = get_args(kind)[0] if get_origin(kind) is list else None
    return inner if isinstance(inner, type) and issubclass(inner, Item) else None


def widget_of(name: str, info: FieldInfo) -> str:
    """Empty for what no form can show."""
    kind, about = bare(info.annotation), info.json_schema_extra
    form = about.get("format") if isinstance(about, dict) else None
    if form == "ids":
        return ""
    if item_of(info):
        return "items"
    if form == "strings":
        return "lines"
    if isinstance(kind, type) and issubclass(kind, Enum) or isinstance(about, dict) and "enum" in about:
        return "choice"
    if form == "text" and name.endswith("_code"):
        return "code"
    return str(form or {bool: "check", int: "number", float: "number", str: "line"}.get(kind, ""))


def bound(info: FieldInfo, kind: type, name: str) -> Any:
    return next((getattr(each, name) for each in info.metadata if isinstance(each, kind)), None)


# --- out


def inputs_of(
    fields: Iterator[tuple[str, FieldInfo]],
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    prefix: str,
    choices: Choices,
) -> Iterator[Input]:
    for name, info in fields:
        widget, path = widget_of(name, info), prefix + name
        if not widget or name == "id":
            continue
        value, most = values.get(name), bound(info, MaxLen, "max_length") or bound(info, Le, "le")
        items = item_forms(info, path, value or (), errors) if widget == "items" else []
        yield Input(
            path=path,
            name=name,
            widget="choice" if name in choices else widget,
            value="\n".join(value) if widget == "lines" and isinstance(value, list) else value,
            most=most,
            least=bound(info, Ge, "ge"),
            choices=choices.get(name) or choices_of(info),
            items=items,
            is_full=bool(items) and most is not None and len(items) >= most,
            error=errors.get(path, ""),
        )


def choices_of(info: FieldInfo) -> list[tuple[str, str]]:
    kind, about = bare(info.annotation), info.json_schema_extra
    named: Any = about.get("enum") if isinstance(about, dict) else None
    if isinstance(kind, type) and issubclass(kind, Enum):
        named = [each.value for each in kind]
    return [(str(each), labels.of_choice(each)) for each in named or ()]


def item_forms(info: FieldInfo, path: str, items: Sequence[Any], errors: Mapping[str, str]) -> list[ItemForm]:
    schema = item_of(info)
    if schema is None:
        return []
    label, last = labels.of_item(path.split("/")[-1]), len(items) - 1
    return [
        ItemForm(
            id=item["id"],
            path=f"{path}/{item['id']}",
            label=label,
            number=n + 1,
            inputs=list(inputs_of(iter(schema.model_fields.items()), item, errors, f"{path}/{item['id']}/", {})),
            error=errors.get(f"{path}/{item['id']}", ""),
            is_first=n == 0,
            is_last=n == last,
        )
        for n, item in enumerate(items)
    ]


# --- in


def read_fields(fields: Iterator[tuple[str, FieldInfo]], posted: QueryDict, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, info in fields:
        path, widget = prefix + name, widget_of(name, info)
        if path in posted and widget and name != "id":
            yield name, read_one(info, widget, posted, path)


def read_one(info: FieldInfo, widget: str, posted: QueryDict, path: str) -> Any:
    schema = item_of(info)
    if schema is not None:
        sent = dict.fromkeys(each for each in posted.getlist(path) if each)
        return [
            {"id": key, **dict(read_fields(iter(schema.model_fields.items()), posted, f"{path}/{key}/"))}
            for key in sent
        ]
    text = LINE_ENDS.sub("\n", str(posted[path]))
    if widget == "check":
        return text == "1"
    if widget == "lines":
        return text.split("\n")
    if bare(info.annotation) is float:
        text = text.replace(",", ".")  # as people write in French
    return text if text.strip() else None


def arrange(values: Values, act: str) -> str:
    """Add, remove or move an item of a list, as a button of the form asks: `add:questions`, `up:questions/ID`.

    The path where to go on typing: of the new item, of the list that lost one; "-" for where one is.
    """
    verb, _, path = act.partition(":")
    way, _, key = path.rpartition("/")
    if verb == "add":
        items = items_at(values, path, make=True)
        items.append({"id": new_id().hex[-12:]})
        return f"{path}/{items[-1]['id']}"
    items = items_at(values, way) if way else []
    at = paths.index(items, key)
    if at is None:
        return ""
    item = items.pop(at)
    if verb == "remove":
        return way
    items.insert(max(0, at + {"up": -1, "down": 1}.get(verb, 0)), item)
    return "-"


def items_at(values: Values, path: str, make: bool = False) -> list[Any]:
    *way, last = path.split("/")
    holder: Any = values
    for part in way:
        holder = paths.child(holder, part)
    if make and isinstance(holder, dict) and not isinstance(holder.get(last), list):
        holder[last] = []
    items = paths.child(holder, last)
    return items if isinstance(items, list) else []


# --- what is to be saved


def changes(base: Mapping[str, Any], wanted: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """By path what makes `wanted` of `base`, as narrow as it can be told: two people may write in one list."""
    made: dict[str, Any] = {}
    for name in {**base, **wanted}:
        before, after, path = base.get(name), wanted.get(name), prefix + name
        if paths.same(before, after) or (is_nothing(before) and is_nothing(after)):
            continue
        if is_items(before) and is_items(after):
            made |= changes_of_items(before, after, path)
        else:
            made[path] = after
    return made


def is_nothing(value: Any) -> bool:
    """A box that is not ticked and one that never was look the same."""
    return value is None or value is False or value in ("", [])


def changes_of_items(before: Any, after: Any, path: str) -> dict[str, Any]:
    """Item by item; all at once when they stand in another order."""
    old = {item["id"]: item for item in before}
    new = {item["id"]: item for item in after}
    stay = [key for key in old if key in new]
    if list(new)[: len(stay)] != stay:
        return {path: list(after)}
    made: dict[str, Any] = {f"{path}/{key}": None for key in old if key not in new}
    for key in stay:
        made |= changes(old[key], new[key], f"{path}/{key}/")
    return made | {f"{path}/{key}": item for key, item in new.items() if key not in old}


def is_items(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, Mapping) and "id" in each for each in value)


# --- what does not fit


def path_of(values: Any, place: tuple[int | str, ...]) -> str:
    """The address of a problem: items by their id."""
    parts, holder = [], values
    for part in place:
        if isinstance(part, int) and isinstance(holder, list) and part < len(holder):
            holder = holder[part]
            parts.append(str(holder.get("id", part)) if isinstance(holder, Mapping) else str(part))
        else:
            holder = holder.get(part) if isinstance(holder, Mapping) else None
            parts.append(str(part))
    return "/".join(parts)


def sentence(error: Mapping[str, Any]) -> str:
    said = str(PROBLEMS.get(error["type"], ELSE))
    for name, value in (error.get("ctx") or {}).items():
        said = said.replace(f"{{{name}}}", str(value))
    return said
