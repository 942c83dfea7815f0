"""Where in a document a value stands: its field's name and words, and what was filled beside it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from generation.demo.prompt import fold

WORD = re.compile(r"[A-ZÀ-Ý]?[^\WA-ZÀ-Ý_]+|[A-ZÀ-Ý]+(?![^\WA-ZÀ-Ý_])")


@dataclass(frozen=True, slots=True)
class Place:
    """One place. `turn` is the position in the nearest array, `taken` the titles already used in it.

    `given` is what the prompt itself names for this item of the array.
    """

    name: str = ""
    hint: str = ""
    turn: int = 0
    depth: int = 0
    arrays: int = 0
    trail: tuple[str, ...] = ()
    siblings: Mapping[str, Any] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    given: str = ""

    @property
    def nouns(self) -> tuple[str, ...]:
        """The words of the field's name."""
        return words_of(self.name)

    @property
    def noun(self) -> str:
        """The last of them: what kind of thing the field holds."""
        return self.nouns[-1] if self.nouns else ""

    def described(self, schema: Mapping[str, Any], entered: tuple[str, ...]) -> "Place":
        """The place once its schema is known."""
        words = f"{schema.get('title', '')} {schema.get('description', '')}"
        return replace(self, hint=words, trail=(*self.trail, *entered))

    def field(self, name: str, siblings: Mapping[str, Any]) -> "Place":
        """The place of a field in this object."""
        return replace(self, name=name, depth=self.depth + 1, siblings=siblings)

    def item(self, turn: int, taken: set[str], given: str = "") -> "Place":
        """The place of an item in this array."""
        place = replace(self, turn=turn, taken=taken, given=given, depth=self.depth + 1, arrays=self.arrays + 1)
        return replace(place, name=self.name.removesuffix("s"))


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in snake, kebab or camel case."""
    return tuple(fold(word) for word in WORD.findall(name))
