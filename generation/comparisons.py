"""Two states of an object beside each other, field by field, in the words of a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from generation import labels, places
from generation.diffs import Diff, Span, diff, glimpse
from generation.wording import in_words
from memory.base import paths

DRAWN = ("diagram", "diagram_error")  # made of its code: their values would tell nobody anything


@dataclass(frozen=True)
class Difference:
    label: str
    diff: Diff


def differences(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[Difference]:
    """Field by field what would change."""
    made = []
    for name in {**then, **now}:
        words = in_words(now.get(name), name), in_words(then.get(name), name)
        if words[0] != words[1] and name not in ("rank", "parent", *DRAWN):
            made.append(Difference(capfirst(label_of(name)), glimpse(*words)))
    return made


def label_of(name: str) -> str:
    return {"present": _("shown"), "locked": _("locked"), "fallback": _("stand-in")}.get(name) or labels.of_field(name)


def against(
    values: Mapping[str, Any], fields: Mapping[str, Any], compare: Callable[[str, str], Diff] = diff
) -> list[Difference]:
    """What a machine proposes, by path, against what stands."""
    shown = []
    for path, value in values.items():
        if path in DRAWN:
            continue
        if path == "present":
            shown.append(Difference("", Diff((Span("del", _("All of this")),))))
            continue
        name = path.split("/")[-1]
        before = in_words(value_at(fields, path), name)
        shown.append(Difference(capfirst(places.of_path(path)), compare(before, in_words(value, name))))
    return shown


def value_at(fields: Mapping[str, Any], path: str) -> Any:
    return paths.get(fields, path)
