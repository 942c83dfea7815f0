"""What a conversation already says about the arguments of a tool: ids, quoted words, numbers, names of choices."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from generation.demo.lengths import alike
from generation.demo.lexicon import vocabulary
from generation.demo.place import Place
from generation.demo.prompt import fold
from generation.demo.schema import kind

UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
NAMED_ID = re.compile(r"\b\w*id\b\W{1,4}([\w-]{2,64})", re.IGNORECASE)
QUOTED = re.compile('["“«]\\s*([^"“”«»]{1,2000}?)\\s*["”»]')
NUMBERED = re.compile(r"([^\W\d_]+)\W{1,3}(\d{1,9})\b")
WORD = re.compile(r"[^\W_]+")

IDS = vocabulary("id ids uuid ref identifier")
QUERIES = vocabulary("query instruction instructions request prompt message question brief q")
FIELDS = vocabulary("field column property attribute champ")
FIELD_NAMES = ("content", "title", "description", "summary", "name")
POSITIONS = vocabulary("index number position count n")


class Conversation:
    """The clues of one conversation; the last request counts most, later messages more than earlier ones."""

    def __init__(self, request: str, messages: Iterable[str]) -> None:
        self._request = request
        self._words = [fold(word) for word in WORD.findall(request)]
        self._quoted = QUOTED.findall(request)
        self._lines = [line for message in messages for line in message.splitlines()]

    def value(self, schema: Mapping[str, Any], place: Place) -> Any:
        """The value the conversation gives to a field, or None."""
        if "enum" in schema:
            return self._mentioned(schema["enum"])
        make = {"string": self._string, "integer": self._number}.get(kind(schema))
        found = make(place, schema) if make else None
        return found if found is not None and _accepts(schema, found) else None

    def _string(self, place: Place, schema: Mapping[str, Any]) -> str | None:
        if place.noun in IDS or schema.get("format") == "uuid":
            return self._id(place)
        if place.noun in FIELDS:
            return self._mentioned(FIELD_NAMES) or FIELD_NAMES[0]
        if self._quoted:
            return str(self._quoted[-1])
        return self._request if place.noun in QUERIES else None

    def _id(self, place: Place) -> str | None:
        """The id on the line that shares most words with the request and with the field's name."""
        wanted = {*self._words, *place.nouns} - IDS
        best: tuple[int, str] = (-1, "")
        for line in self._lines:
            shared = len(wanted & {fold(word) for word in WORD.findall(line)})
            for found in UUID.findall(line) or NAMED_ID.findall(line):
                best = max(best, (shared, found), key=lambda each: each[0])
        return best[1] or None

    def _number(self, place: Place, schema: Mapping[str, Any]) -> int | None:
        numbered = [(fold(noun), int(digits)) for noun, digits in NUMBERED.findall(self._request)]
        for noun, number in numbered:
            if any(alike(noun, name) for name in place.nouns):
                return number
        return numbered[0][1] if numbered and place.noun in POSITIONS else None

    def _mentioned(self, choices: Iterable[Any]) -> Any:
        """The choice the request names, in either language's spelling."""
        names = (choice for choice in choices if isinstance(choice, str))
        return next((name for name in names if any(alike(word, fold(name)) for word in self._words)), None)


def _accepts(schema: Mapping[str, Any], value: str | int) -> bool:
    """Whether a found value is inside the bounds of its field."""
    if isinstance(value, int):
        inside = schema.get("minimum", value) <= value <= schema.get("maximum", value)
        return inside and not schema.keys() & {"exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    inside = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    return inside and re.search(schema.get("pattern", ""), value) is not None
