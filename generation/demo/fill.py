"""Fills any JSON schema with values made of the prompt's words. The value fits the schema, and it always ends."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import orjson

from generation.demo.figures import number
from generation.demo.prompt import fold
from generation.demo.schema import Schemas, kind, kinds_of
from generation.demo.strings import Place, string
from generation.demo.words import Prose

DEEPEST = 8
ROUNDS_OF_A_REFERENCE = 2
LARGEST_FREE_COUNT = 25
STEM = 4
# Where the two languages name a thing with different stems.
SAME_THING = {"cas": "case", "etap": "step", "risq": "risk", "idee": "idea", "poin": "item", "repo": "answ"}
CERTAIN = frozenset("ok valid passed".split())
MARKS = frozenset("score coherence coverage confidence quality".split())


def fill(schema: Any, prose: Prose) -> Any:
    """A value that fits the schema."""
    return Filler(schema, prose).value(schema, Place())


class Filler:
    """Fills the schemas of one document."""

    def __init__(self, root: Any, prose: Prose) -> None:
        self._schemas = Schemas(root)
        self._prose = prose
        self._salt = prose.chance.randrange(1000)
        self._main = self._main_array(root)

    def value(self, schema: Any, place: Place) -> Any:
        """A value for one schema at its place."""
        small = self._must_end(place)
        flat, entered = self._schemas.flat(schema, lambda branches: self._branch(branches, place, small=small))
        hint = f"{place.hint} {flat.get('title', '')} {flat.get('description', '')}"
        place = replace(place, hint=hint, trail=(*place.trail, *entered))
        if "const" in flat:
            return flat["const"]
        if "enum" in flat:
            return self._choice(flat, place)
        if small and "null" in _as_list(flat.get("type")):
            return None
        return self._kinds[kind(flat)](self, flat, place)

    def _object(self, flat: Mapping[str, Any], place: Place) -> dict[str, Any]:
        schemas = self._fields(flat, small=self._must_end(place))
        filled: dict[str, Any] = {}
        for name, schema in schemas.items():
            filled[name] = self.value(schema, replace(place, name=name, hint="", depth=place.depth + 1, siblings=filled))
        extra = flat.get("additionalProperties", True)
        patterns = flat.get("patternProperties", {})
        least = flat.get("minProperties", 0 if schemas or not (patterns or isinstance(extra, Mapping)) else 2)
        for turn in range(min(least, flat.get("maxProperties", least)) - len(filled)):
            pattern, schema = next(iter(patterns.items()), (None, extra))
            keys = {"type": "string", "pattern": pattern} if pattern else flat.get("propertyNames", True)
            name = self._key(keys, filled, replace(place, name="key", hint="", turn=turn))
            filled[name] = self.value(schema, replace(place, name=name, hint="", depth=place.depth + 1, turn=turn))
        return filled

    def _fields(self, flat: Mapping[str, Any], *, small: bool) -> dict[str, Any]:
        """The properties to fill, in the schema's order: the required ones, and others as far as there is room."""
        properties: Mapping[str, Any] = flat.get("properties", {})
        required: Sequence[str] = flat.get("required", ())
        extra = flat.get("additionalProperties", {})
        room = 0 if small else flat.get("maxProperties", len(properties) + len(required)) - len(required)
        optional = [name for name, schema in properties.items() if name not in required and schema is not False]
        kept = {*required, *optional[: max(0, room)]}
        declared = {name: schema for name, schema in properties.items() if name in kept}
        return declared | {name: extra for name in required if name not in properties}

    def _array(self, flat: Mapping[str, Any], place: Place) -> list[Any]:
        prefix: Sequence[Any] = flat.get("prefixItems", ())
        items = flat.get("items", True)
        if isinstance(items, list):  # the way of older drafts
            prefix, items = items, flat.get("additionalItems", True)
        wanted = max(self._length(flat, items, place), len(prefix) if not self._must_end(place) else 0)
        if items is False:
            wanted = min(wanted, len(prefix))
        taken: set[str] = set()
        found: dict[bytes, Any] = {}
        for turn in range(wanted * 8):
            position = len(found)
            if position == min(wanted, flat.get("maxItems", wanted)):
                break
            schema = prefix[position] if position < len(prefix) else items
            if position == 0 and "contains" in flat:
                schema = {"allOf": [flat["contains"], schema]} if schema is not True else flat["contains"]
            below = {"depth": place.depth + 1, "arrays": place.arrays + 1, "turn": turn, "taken": taken, "hint": ""}
            value = self.value(schema, replace(place, name=place.name.removesuffix("s"), **below))
            found.setdefault(orjson.dumps(value) if flat.get("uniqueItems") else b"%d" % turn, value)
        return list(found.values())

    def _length(self, flat: Mapping[str, Any], items: Any, place: Place) -> int:
        least, most = flat.get("minItems", 0), flat.get("maxItems", 10**6)
        if self._must_end(place):
            return int(least)
        usual = (3 + crc32(place.name.encode()) % 3, 3, 2)[min(place.arrays, 2)] if place.arrays < 4 else 1
        return int(min(most, max(least, self._stated(items, place) or usual)))

    def _stated(self, items: Any, place: Place) -> int | None:
        """The number of items the prompt asks for, when it names this array's kind of thing."""
        counts = self._prose.brief.counts
        thing = items.get("$ref", "") if isinstance(items, Mapping) else ""
        stems = {word[:STEM] for word in re.findall("[a-z]+", fold(f"{place.name} {place.hint if not place.name else ''} {thing.rpartition('/')[2]}"))}
        for count in counts:
            if any(SAME_THING.get(noun[:STEM], noun[:STEM]) in stems for noun in count.nouns):
                return count.number
        if place.name != self._main or place.depth > 1:
            return None
        return next((count.number for count in counts if count.number <= LARGEST_FREE_COUNT), None)

    def _main_array(self, root: Any) -> str | None:
        """The name of the one array at the top, empty when the whole document is one."""
        flat, _ = self._schemas.flat(root, lambda branches: branches[0])
        if kind(flat) == "array":
            return ""
        arrays = [name for name, each in flat.get("properties", {}).items() if "array" in _as_list(_type(each))]
        return arrays[0] if len(arrays) == 1 else None

    def _string(self, flat: Mapping[str, Any], place: Place) -> str:
        return string(flat, place, self._prose)

    def _number(self, flat: Mapping[str, Any], place: Place, *, integral: bool = False) -> float:
        return number(flat, self._start(place), place.turn, integral=integral)

    def _integer(self, flat: Mapping[str, Any], place: Place) -> float:
        return self._number(flat, place, integral=True)

    def _boolean(self, flat: Mapping[str, Any], place: Place) -> bool:
        """True for one of the first two items of an array, so that a list of answers has exactly one right one."""
        return place.noun in CERTAIN or place.turn == crc32(place.name.encode()) % 2

    def _null(self, flat: Mapping[str, Any], place: Place) -> None:
        return None

    def _choice(self, flat: Mapping[str, Any], place: Place) -> Any:
        allowed = _as_list(flat.get("type"))
        fitting = [value for value in flat["enum"] if not allowed or any(each in allowed for each in kinds_of(value))]
        values = [value for value in fitting if value is not None] or fitting or flat["enum"]
        return values[(self._start(place) + place.turn) % len(values)]

    def _key(self, schema: Any, filled: Mapping[str, Any], place: Place) -> str:
        for turn in range(place.turn, place.turn + 50):
            name = str(self.value({"allOf": [{"type": "string"}, schema]}, replace(place, turn=turn)))
            if name not in filled:
                break
        return name

    def _branch(self, branches: Sequence[Any], place: Place, *, small: bool) -> Any:
        if small:
            return min(branches, key=self._schemas.height)
        solid = [branch for branch in branches if self._schemas.types(branch) != {"null"}] or branches
        return solid[(self._start(place) + place.turn) % len(solid)]

    def _must_end(self, place: Place) -> bool:
        repeated = any(place.trail.count(ref) > ROUNDS_OF_A_REFERENCE for ref in place.trail)
        return repeated or place.depth > DEEPEST

    def _start(self, place: Place) -> int:
        return crc32(place.name.encode()) + self._salt

    _kinds: Mapping[str, Callable[["Filler", Mapping[str, Any], Place], Any]] = {
        "object": _object, "array": _array, "string": _string, "number": _number, "integer": _integer,
        "boolean": _boolean, "null": _null,
    }


def _type(schema: Any) -> Any:
    return schema.get("type") if isinstance(schema, Mapping) else None


def _as_list(names: Any) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())
