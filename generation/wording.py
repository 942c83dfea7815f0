"""Values of fields as text for people: what the history compares. Questions read as questions, not JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext, ngettext

from generation import labels

PLAIN = ("text", "title", "topic", "content")  # what speaks for itself, without its name before it
UNSAID = ("id",)
OF_IDS = ("cases", "companies")


def in_words(value: Any, name: str = "") -> str:
    """`name`: of the field; empty where nothing stands."""
    if value is None:
        return ""
    if name in OF_IDS and isinstance(value, list):
        return ngettext("{n} document", "{n} documents", len(value)).format(n=len(value))
    if isinstance(value, str):
        return labels.of_choice(value) if name in ("status", "language", "level_detail", "diagram_type") else value
    return "\n".join(lines(value, name))


def lines(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from lines_of_item(value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for number, each in enumerate(value, 1):
            yield from numbered(each, number, name)
    elif isinstance(value, bool):
        yield gettext("yes") if value else gettext("no")
    else:
        yield str(value)


def numbered(value: Any, number: int, name: str) -> Iterator[str]:
    first, *rest = list(lines(value, name)) or [""]
    mark = f"{number}." if name in labels.ITEMS and name != "answers" else "–"
    yield f"{mark} {first}"
    yield from (f"   {line}" for line in rest)


def lines_of_item(item: Mapping[str, Any]) -> Iterator[str]:
    """What speaks for itself, the marks it has; then the rest by name."""
    said = {name: value for name, value in item.items() if name not in UNSAID and value not in (None, False, "", [])}
    marks = "".join(f" ({labels.of_field(name)})" for name, value in said.items() if value is True)
    plain = [str(said[name]) for name in PLAIN if isinstance(said.get(name), str)]
    first, *more = (plain or [""])[0].split("\n")
    yield f"{first}{marks}"
    yield from (*more, *plain[1:])
    for name, value in said.items():
        if isinstance(value, list | Mapping):
            yield from lines(value, name)
        elif name not in PLAIN and value is not True:
            yield f"{labels.of_field(name)}: {value}"
