"""How many items an array gets: what the prompt asks for, else a few, always inside its bounds."""

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any
from zlib import crc32

from generation.demo.place import Place, words_of
from generation.demo.prompt import Brief
from generation.demo.schema import Schemas, kind

LARGEST_FREE_COUNT = 25
UNBOUNDED = 10**6
ALIKE = 0.75
# Where the two languages have no letters in common; everything else is near enough (chapitres, chapters).
SAME_THING = {"cas": "cases", "etapes": "steps", "reponses": "answers", "risques": "risks", "buts": "goals"}


def within(schema: Mapping[str, Any], wanted: int) -> int:
    """The number moved into the bounds of the array."""
    return int(min(schema.get("maxItems", UNBOUNDED), max(schema.get("minItems", 0), wanted)))


def usual(place: Place) -> int:
    """Three to five, fewer the deeper arrays are nested."""
    return (3 + crc32(place.name.encode()) % 3, 3, 2, 2)[place.arrays] if place.arrays < 4 else 1


def stated(brief: Brief, items: Any, place: Place, *, is_main: bool) -> int | None:
    """The number the prompt gives with this array's noun; for the main array any small number it gives."""
    reference = items.get("$ref", "") if isinstance(items, Mapping) else ""
    names = (*place.nouns, *words_of(reference.rpartition("/")[2]))
    for count in brief.counts:
        if any(alike(SAME_THING.get(noun, noun), name) for noun in count.nouns for name in names):
            return count.number
    free = (count.number for count in brief.counts if count.number <= LARGEST_FREE_COUNT)
    return next(free, None) if is_main else None


def alike(word: str, name: str) -> bool:
    """Whether two words are one word in two spellings, numbers or neighbouring languages."""
    return bool(name) and SequenceMatcher(None, word, name).ratio() >= ALIKE


def main_array(root: Any, schemas: Schemas) -> str | None:
    """The name of the only array at the top; empty when the document itself is one."""
    flat, _ = schemas.flat(root, lambda branches: branches[0])
    if kind(flat) == "array":
        return ""
    arrays = [name for name, each in flat.get("properties", {}).items() if schemas.types(each) - {"null"} == {"array"}]
    return arrays[0] if len(arrays) == 1 else None
