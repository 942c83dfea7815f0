"""The fields of a document that is made of fields, as its page shows them: in the order of their schema, by their form.

`[2]` in a text leads to the reference of that number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst

from generation import forms, labels
from generation.citations import CITATION
from generation.models import Document
from generation.references import host_of
from memory.base import rendered

REFERENCES = "references"
# What a kind shows in its own way.
DRAWN_APART = frozenset({
    "value_axes", "complexity_axes", "value_scores", "complexity_scores", "value_threshold", "complexity_threshold",
    "requested_count",
})  # fmt: skip


@dataclass(frozen=True)
class FieldPicture:
    """`widget`: markdown (HTML that may stand in any page of ours), text, line, lines, number, references, items.

    `live`: the step that is writing it now. `again`: whether it can be made again alone.
    """

    name: str
    widget: str
    value: Any
    live: Mapping[str, Any] | None = None
    again: bool = False

    @property
    def label(self) -> str:
        return capfirst(labels.of_field(self.name))

    @property
    def is_empty(self) -> bool:
        return self.value in (None, "", [], {})


def of(document: Document, live: Mapping[str, Mapping[str, Any]], again: Sequence[str] = ()) -> list[FieldPicture]:
    """`live`: by field the step that is writing it; `again`: those that an action of its kind makes again."""
    values = document.fields
    known = {str(each["id"]) for each in values.get(REFERENCES) or ()}
    pictures = []
    for name, info in document.shape.fields.model_fields.items():
        widget, value = forms.widget_of(name, info), values.get(name)
        if name in DRAWN_APART or not widget:
            continue
        if widget == "markdown" and value:
            value = rendered.of(linked(value, known))
        elif name == REFERENCES:
            widget, value = REFERENCES, [reference(each) for each in value or ()]
        pictures.append(FieldPicture(name, widget, value, live.get(name), name in again))
    return pictures


def linked(text: str, known: set[str]) -> str:
    """Markdown in which each citation that resolves is a link to its reference."""
    return CITATION.sub(lambda found: link(found[1]) if found[1] in known else found[0], text)


def link(number: str) -> str:
    return f"&#91;[{number}](#reference-{number})&#93;"


def reference(item: Mapping[str, Any]) -> dict[str, Any]:
    url = item.get("url", "")
    host = host_of(url)
    return {**item, "host": host.removeprefix("www."), "name": item.get("title") or host or url}
