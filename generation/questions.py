"""Forms made from the schemas of what is asked: options of an action, the answer a run waits for.

A schema is pydantic's, as JSON: texts, numbers, choices, yes or no, and lists of objects of such. In a form a list is
rows with an order: `chapters-2-title`, `chapters-2-order`, `chapters-2-remove`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from generation import labels
from generation.models import Document
from generation.recipes.base import Action, Recipe, import_job
from generation.registry import recipe_of
from memory.base.errors import InvalidInput
from memory.base.ids import new_id

Schema = Mapping[str, Any]

LONG = 120  # characters from which a text gets several lines
SPARE = 2  # empty rows for who has no JavaScript
MOST_ROWS = 100
ACTIONS: dict[str, tuple[Promise, Promise]] = {
    "add_chapter": (_("Add a chapter"), _("Write this chapter")),
    "add_cases": (_("Add use cases"), _("Find and write them")),
    "rewrite": (_("Write it all anew"), _("Write it anew")),
    "rate": (_("Rate it anew"), _("Rate it")),
    "enrich": (_("Find out more"), _("Write the profile anew")),
}
# Labels of fields whose description would be too long for one.
LABELS: dict[str, Promise] = {
    "title": _("Title"),
    "description": _("Description"),
    "difficulty": _("Level"),
    "level_detail": _("Detail"),
    "exercises_per_chapter": _("Exercises per chapter"),
    "evaluation_questions": _("Questions per evaluation"),
    "evaluation_minutes": _("Minutes per evaluation"),
    "chapters": _("Chapters"),
    "instruction": _("What it is about"),
}


@dataclass
class Asked:
    """One field of a form. `input`: line, text, number, choice, check, json, or rows."""

    name: str
    label: str
    input: str
    value: Any = None
    least: int | None = None
    most: int | None = None
    is_required: bool = False
    choices: list[tuple[str, str]] = field(default_factory=list)
    rows: list["Row"] = field(default_factory=list)


@dataclass
class Row:
    n: int
    prefix: str
    fields: list[Asked]
    is_spare: bool = False


@dataclass
class ActionForm:
    name: str
    title: str
    button: str
    key: str
    fields: list[Asked]


def action_form(action: Action) -> ActionForm:
    title, button = ACTIONS.get(action.name, (action.name.replace("_", " ").capitalize(), _("Begin")))
    return ActionForm(action.name, str(title), str(button), str(new_id()), form(action.options.model_json_schema(), {}))


def question_form(question: Mapping[str, Any]) -> list[Asked]:
    """The form of a run's question, filled with what it showed."""
    shown = question.get("shown")
    return form(schema_of(question), shown if isinstance(shown, Mapping) else {})


def schema_of(question: Mapping[str, Any]) -> Schema:
    """Its fields in the order in which they were written: a row of JSON keeps none."""
    model: type[BaseModel] = import_job(question["schema"])
    return model.model_json_schema()


def recipe(document: Document) -> Recipe:
    return recipe_of(document.kind)


# --- from a schema to a form


def form(schema: Schema, shown: Mapping[str, Any], root: Schema | None = None, prefix: str = "") -> list[Asked]:
    root = root or schema
    required = schema.get("required", ())
    return [
        asked(f"{prefix}{name}", name, resolved(about, root), shown.get(name), name in required, root)
        for name, about in schema.get("properties", {}).items()
        if about.get("input") != "hidden"
    ]


def asked(path: str, name: str, about: Schema, shown: Any, is_required: bool, root: Schema) -> Asked:
    value = about.get("default") if shown is None else shown
    one = Asked(path, label(name, about), input_of(about, root), value, is_required=is_required)
    if one.input == "choice":
        one.choices = [(str(each), labels.of_choice(each)) for each in about["enum"]]
    elif one.input == "number":
        one.least, one.most = about.get("minimum"), about.get("maximum")
    elif one.input in ("line", "text"):
        one.most = about.get("maxLength")
    elif one.input == "rows":
        one.rows = rows(path, resolved(about["items"], root), value or [], about.get("maxItems", MOST_ROWS), root)
    elif one.input == "json":
        one.value = orjson.dumps(value).decode()
    return one


def rows(path: str, item: Schema, values: Any, most: int, root: Schema) -> list[Row]:
    spare = max(0, min(SPARE, most - len(values)))
    return [
        Row(n, f"{path}-{n}-", form(item, value, root, f"{path}-{n}-"), n > len(values))
        for n, value in enumerate([*values, *[{}] * spare], 1)
    ]


def label(name: str, about: Schema) -> str:
    return str(LABELS[name]) if name in LABELS else gettext(str(about.get("description") or name.replace("_", " ")))


def input_of(about: Schema, root: Schema) -> str:
    if "enum" in about:
        return "choice"
    if about.get("type") == "array":
        item = resolved(about.get("items", {}), root)
        return "rows" if item.get("type") == "object" else "json"
    if about.get("type") == "string":
        return "line" if about.get("maxLength", LONG + 1) <= LONG or about.get("title") == "Title" else "text"
    return {"integer": "number", "number": "number", "boolean": "check"}.get(str(about.get("type")), "json")


def resolved(about: Schema, root: Schema) -> dict[str, Any]:
    """Without references, and without the `null` of what may be left out."""
    found = dict(about)
    for options in (found.pop("anyOf", ()), found.pop("allOf", ())):
        for one in options:
            if one.get("type") != "null":
                found = {**resolved(one, root), **found}
    if reference := found.pop("$ref", ""):
        found = {**root.get("$defs", {}).get(reference.rpartition("/")[2], {}), **found}
    return found


# --- from what was posted to values


def answer(question: Mapping[str, Any] | None, posted: QueryDict) -> dict[str, Any]:
    return values(schema_of(question), posted) if question else {}


def values(schema: Schema, posted: QueryDict, root: Schema | None = None, prefix: str = "") -> dict[str, Any]:
    """What the form says; what was left empty is left out, so that its default counts. The verb checks all of it."""
    root = root or schema
    found: dict[str, Any] = {}
    for name, about in schema.get("properties", {}).items():
        value = posted_value(f"{prefix}{name}", resolved(about, root), posted, root)
        if value is not None:
            found[name] = value
    return found


def posted_value(path: str, about: Schema, posted: QueryDict, root: Schema) -> Any:
    kind = input_of(about, root)
    if kind == "rows":
        return posted_rows(path, resolved(about["items"], root), posted, root)
    if kind == "check":
        return path in posted
    text = (posted.get(path) or "").strip()
    if not text:
        return None
    if kind == "number":
        return int(text) if text.lstrip("-").isascii() and text.lstrip("-").isdigit() and len(text) < 10 else text
    if kind == "json":
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            raise InvalidInput("answer", problems=[{"path": path, "problem": "json"}]) from None
    return text.replace("\r\n", "\n")


def posted_rows(path: str, item: Schema, posted: QueryDict, root: Schema) -> list[dict[str, Any]]:
    """In the order that the rows were given, without those removed or left empty."""
    numbers = {name.split("-")[1] for name in posted if name.startswith(f"{path}-") and name.count("-") >= 2}
    found: list[tuple[float, int, dict[str, Any]]] = []
    for n in sorted((int(each) for each in numbers if each.isascii() and each.isdigit()), key=int)[:MOST_ROWS]:
        row = values(item, posted, root, f"{path}-{n}-")
        if row and f"{path}-{n}-remove" not in posted:
            found.append((order_of(posted.get(f"{path}-{n}-order")), n, row))
    return [row for _, _, row in sorted(found, key=lambda each: each[:2])]


def order_of(text: str | None) -> float:
    """Rows without a readable number come last."""
    try:
        number = float((text or "").replace(",", "."))
    except ValueError:
        return float("inf")
    return float("inf") if math.isnan(number) else number
