"""Addresses inside a state: `scores/data_availability/rating`. Items of a list go by their `id`, not by place.

A state is JSON without nulls: what is unknown is absent, so `get` answers None for both and `put` of None takes away.
"""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from memory.base.errors import InvalidInput
from memory.base.text import clean_text

State = dict[str, Any]


def segments(path: str) -> list[str]:
    """Raises `validation.path` for an empty address, an empty part of one, or characters that cannot be kept."""
    parts = path.split("/") if isinstance(path, str) else []
    if not parts or not all(parts) or path != clean_text(path):
        raise InvalidInput("path", path=clean_text(str(path))[:200])
    return parts


def get(state: Mapping[str, Any], path: str) -> Any:
    """What stands at the path; None where nothing does."""
    found: Any = state
    for part in segments(path):
        found = child(found, part)
    return found


def same(one: Any, other: Any) -> bool:
    """Whether both are the same JSON: 1 is neither 1.0 nor true; the order of keys tells nothing."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def child(holder: Any, part: str) -> Any:
    if isinstance(holder, Mapping):
        return holder.get(part)
    if isinstance(holder, list) and (known := index(holder, part)) is not None:
        return holder[known]
    return None


def place(state: Mapping[str, Any], path: str) -> int | None:
    """Where in its list the item at the path stands; None when it is no item of a list."""
    *way, last = segments(path)
    holder: Any = state
    for part in way:
        holder = child(holder, part)
    return index(holder, last) if isinstance(holder, list) else None


def index(items: list[Any], id: str) -> int | None:
    return next((n for n, item in enumerate(items) if isinstance(item, Mapping) and item.get("id") == id), None)


def put(state: State, path: str, value: Any, place: int | None = None) -> None:
    """Set, replace or (None) take away what stands at the path; a new item of a list goes to `place`, or to its end.

    Raises `validation.path` when there is nothing to put it into.
    """
    *way, last = segments(path)
    holder: Any = state
    for part in way:
        holder = child(holder, part)
    if isinstance(holder, dict):
        if value is None:
            holder.pop(last, None)
        else:
            holder[last] = deepcopy(value)
    elif isinstance(holder, list):
        put_item(holder, path, last, value, place)
    elif value is not None:
        raise InvalidInput("path", path=path[:200])


def put_item(items: list[Any], path: str, id: str, value: Any, place: int | None) -> None:
    known = index(items, id)
    if value is None:
        if known is not None:
            del items[known]
        return
    if not isinstance(value, Mapping):
        raise InvalidInput("path", path=path[:200])
    item = {**deepcopy(dict(value)), "id": id}
    if known is not None:
        items[known] = item
    else:
        items.insert(len(items) if place is None else place, item)


def overlap(one: str, other: str) -> bool:
    """Whether one address lies within the other, or is it."""
    shorter, longer = sorted((segments(one), segments(other)), key=len)
    return longer[: len(shorter)] == shorter


def overlaps(path: str, others: Iterable[str]) -> bool:
    return any(overlap(path, other) for other in others)


def without_nulls(value: Any) -> Any:
    """The value as a state holds it: nothing is null, at any depth of objects."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value if item is not None]
    return value
