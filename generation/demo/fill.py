"""Fills any JSON schema with values made of the prompt's words. The value fits the schema, and it always ends."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from zlib import crc32

import orjson

from generation.demo import lengths
from generation.demo.figures import has_any, number
from generation.demo.place import Place
from generation.demo.schema import Schemas, kind, kinds_of, names
from generation.demo.strings import string
from generation.demo.words import Prose

DEEPEST = 8
ROUNDS_OF_A_REFERENCE = 2
TRIES = 8
EXTRA_KEYS = 2
CERTAIN = {"ok", "valid", "passed"}
MARKS = {"score", "coherence", "coverage", "confidence", "quality"}


class Clues(Protocol):
    """What a conversation already says about a field."""

    def value(self, schema: Mapping[str, Any], place: Place) -> Any:
        """The value it gives, or None."""


def fill(schema: Any, prose: Prose, clues: Clues | None = None) -> Any:
    """A value that fits the schema; what the clues know comes before what is made up."""
    return Filler(schema, prose, clues).value(schema, Place())


class Filler:
    """Fills the schemas of one document."""

    def __init__(self, root: Any, prose: Prose, clues: Clues | None) -> None:
        self._schemas = Schemas(root)
        self._prose = prose
        self._clues = clues
        self._salt = prose.chance.randrange(1000)
        self._main = lengths.main_array(root, self._schemas)

    def value(self, schema: Any, place: Place) -> Any:
        """A value for one schema at its place."""
        flat, entered = self._schemas.flat(schema, lambda branches: self._branch(branches, place))
        place = place.described(flat, entered)
        if "const" in flat:
            return flat["const"]
        if self._clues and (known := self._clues.value(flat, place)) is not None:
            return known
        if "enum" in flat:
            return self._choice(flat, place)
        if _must_end(place) and "null" in names(flat.get("type")):
            return None
        return self._kinds[kind(flat)](self, flat, place)

    def _object(self, flat: Mapping[str, Any], place: Place) -> dict[str, Any]:
        filled: dict[str, Any] = {}
        for name, schema in self._fields(flat, place).items():
            filled[name] = self.value(schema, place.field(name, filled))
        self._add_extras(flat, filled, place)
        return filled

    def _fields(self, flat: Mapping[str, Any], place: Place) -> dict[str, Any]:
        """The properties to fill, in the schema's order: the required ones, and others as far as there is room."""
        properties: Mapping[str, Any] = flat.get("properties", {})
        required: Sequence[str] = flat.get("required", ())
        extra = flat.get("additionalProperties", {})
        optional = [name for name, schema in properties.items() if name not in required and schema is not False]
        room = 0 if _must_end(place) else max(0, flat.get("maxProperties", len(properties)) - len(required))
        kept = {*required, *optional[:room]}
        known = {name: schema for name, schema in properties.items() if name in kept}
        return known | {name: extra for name in required if name not in properties}

    def _add_extras(self, flat: Mapping[str, Any], filled: dict[str, Any], place: Place) -> None:
        """Keys that the schema does not name, where it describes them or asks for more."""
        extra, patterns = flat.get("additionalProperties", True), flat.get("patternProperties", {})
        is_map = not filled and not _must_end(place) and (patterns or isinstance(extra, Mapping))
        wanted = max(flat.get("minProperties", 0), EXTRA_KEYS if is_map else 0)
        pattern, schema = next(iter(patterns.items()), (None, extra))
        keys = {"pattern": pattern} if pattern else flat.get("propertyNames", {})
        for turn in range(TRIES * wanted):
            if len(filled) >= min(wanted, flat.get("maxProperties", wanted)):
                return
            key = self.value({"allOf": [{"type": "string"}, keys]}, replace(place.field("key", filled), turn=turn))
            filled.setdefault(key, self.value(schema, replace(place.field(key, filled), turn=turn)))

    def _array(self, flat: Mapping[str, Any], place: Place) -> list[Any]:
        prefix, items = _positions(flat)
        if "contains" in flat:
            prefix = [{"allOf": [flat["contains"], *prefix[:1]]}, *prefix[1:]]
        wanted = self._length(flat, len(prefix), items, place)
        taken: set[str] = set()
        found: dict[bytes, Any] = {}
        given = self._prose.brief.listed(wanted)
        for turn in range(wanted * TRIES):
            position = len(found)
            if position == wanted:
                break
            schema = prefix[position] if position < len(prefix) else items
            value = self.value(schema, place.item(turn, taken, given[position] if given else ""))
            found.setdefault(orjson.dumps(value) if flat.get("uniqueItems") else b"%d" % turn, value)
        return list(found.values())

    def _length(self, flat: Mapping[str, Any], named: int, items: Any, place: Place) -> int:
        wanted = int(flat.get("minItems", 0))
        if not _must_end(place):
            is_main = place.depth < 2 and place.name == self._main
            stated = lengths.stated(self._prose.brief, items, place, is_main=is_main)
            wanted = max(named, lengths.within(flat, stated or lengths.usual(place)))
        most = flat.get("maxItems", wanted)
        return int(min(wanted, most, named if items is False else wanted))

    def _string(self, flat: Mapping[str, Any], place: Place) -> str:
        return string(flat, place, self._prose)

    def _number(self, flat: Mapping[str, Any], place: Place) -> float:
        return number(_marked(flat, place, integral=False), self._start(place), place.turn, integral=False)

    def _integer(self, flat: Mapping[str, Any], place: Place) -> float:
        return number(_marked(flat, place, integral=True), self._start(place), place.turn, integral=True)

    def _boolean(self, flat: Mapping[str, Any], place: Place) -> bool:
        """In an array, true for one of the first two items only: so a list of answers has exactly one right one."""
        return place.noun in CERTAIN or place.turn == crc32(place.name.encode()) % 2

    def _null(self, flat: Mapping[str, Any], place: Place) -> None:
        return None

    def _choice(self, flat: Mapping[str, Any], place: Place) -> Any:
        allowed = names(flat.get("type"))
        fitting = [value for value in flat["enum"] if not allowed or any(each in allowed for each in kinds_of(value))]
        values = [value for value in fitting if value is not None] or fitting or flat["enum"]
        if mentioned := [value for value in values if isinstance(value, str) and self._prose.brief.mentions(value)]:
            return mentioned[place.turn % len(mentioned)]
        return values[(self._start(place) + place.turn) % len(values)]

    def _branch(self, branches: Sequence[Any], place: Place) -> Any:
        if _must_end(place):
            return min(branches, key=self._schemas.height)
        solid = [branch for branch in branches if self._schemas.types(branch) != {"null"}] or branches
        return solid[(self._start(place) + place.turn) % len(solid)]

    def _start(self, place: Place) -> int:
        return crc32(place.name.encode()) + self._salt

    _kinds: Mapping[str, Callable[["Filler", Mapping[str, Any], Place], Any]] = {
        "object": _object,
        "array": _array,
        "string": _string,
        "number": _number,
        "integer": _integer,
        "boolean": _boolean,
        "null": _null,
    }


def _must_end(place: Place) -> bool:
    """Deep enough: from here on the smallest value that fits is the right one."""
    return place.depth > DEEPEST or any(place.trail.count(ref) > ROUNDS_OF_A_REFERENCE for ref in place.trail)


def _marked(flat: Mapping[str, Any], place: Place, *, integral: bool) -> Mapping[str, Any]:
    """Marks are good ones, if there are any among what is allowed, so that whoever waits for a good mark gets on."""
    if place.noun not in MARKS or not flat.keys() >= {"minimum", "maximum"}:
        return flat
    good = {**flat, "minimum": flat["maximum"] - (flat["maximum"] - flat["minimum"]) / 5}
    return good if has_any(good, integral=integral) else flat


def _positions(flat: Mapping[str, Any]) -> tuple[Sequence[Any], Any]:
    """The schemas of the first items, and that of the rest; before draft 2020 both stood under `items`."""
    items = flat.get("items", {})
    if isinstance(items, list):
        return items, flat.get("additionalItems", {})
    return flat.get("prefixItems", ()), items
