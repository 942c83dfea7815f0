"""Reads JSON schemas: follows references, merges `allOf`, takes one branch of `anyOf` and `oneOf`.

What comes out of `flat` is one plain schema without combinators; a value that fits it fits the original.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import inf, lcm
from typing import Any
from urllib.parse import unquote

Schema = Mapping[str, Any]
Pick = Callable[[Sequence[Any]], Any]

COMBINING = frozenset({"$ref", "allOf", "anyOf", "oneOf"})
TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
SIGNS = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


class Schemas:
    """One document of schemas, against which its references are read."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def flat(self, schema: Any, pick: Pick, entered: tuple[str, ...] = ()) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The schema without combinators, and the references that were entered on the way."""
        if not isinstance(schema, Mapping):
            return {}, entered
        flat = {key: value for key, value in schema.items() if key not in COMBINING}
        parts = list(schema.get("allOf", ()))
        if (ref := schema.get("$ref")) and ref not in entered:
            parts.append(self.target(ref))
            entered = (*entered, ref)
        for part in parts:
            more, entered = self.flat(part, pick, entered)
            flat = merged(flat, more)
        for branches in (schema.get("anyOf"), schema.get("oneOf")):
            if branches:
                agreeing = [branch for branch in branches if self.types(flat) & self.types(branch)]
                more, entered = self.flat(pick(agreeing or branches), pick, entered)
                flat = merged(flat, more)
        return flat, entered

    def target(self, ref: str) -> Any:
        """What a reference inside the document points to; anything goes where it points nowhere."""
        found = self._root
        for part in filter(None, unquote(ref).removeprefix("#").split("/")):
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Sequence) and key.isdigit() and int(key) < len(found):
                found = found[int(key)]
            else:
                found = found.get(key, {}) if isinstance(found, Mapping) else {}
        return found

    def types(self, schema: Any, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        """The JSON types a value of this schema can have."""
        if not isinstance(schema, Mapping):
            return TYPES if schema is not False else frozenset()
        found = declared(schema)
        if (ref := schema.get("$ref")) and ref not in seen:
            found &= self.types(self.target(ref), seen | {ref})
        for part in schema.get("allOf", ()):
            found &= self.types(part, seen)
        for branches in (schema.get("anyOf"), schema.get("oneOf")):
            if branches:
                found &= frozenset[str]().union(*(self.types(branch, seen) for branch in branches))
        return found

    def height(self, schema: Any, seen: frozenset[str] = frozenset()) -> float:
        """How deep the smallest value of this schema is; infinite when it cannot end."""
        if not isinstance(schema, Mapping) or schema.keys() & {"const", "enum"} or "null" in names(schema.get("type")):
            return 0
        heights = [self.height(part, seen) for part in schema.get("allOf", ())]
        if ref := schema.get("$ref"):
            heights.append(inf if ref in seen else self.height(self.target(ref), seen | {ref}))
        choices = filter(None, (schema.get("anyOf"), schema.get("oneOf")))
        heights += [min(self.height(branch, seen) for branch in branches) for branches in choices]
        heights += [1 + self.height(each, seen) for each in _inevitable(schema)]
        return max(heights, default=0)


def declared(schema: Schema) -> frozenset[str]:
    """The types a schema names itself, by `type` or by listing values."""
    kinds = schema.get("type")
    found = TYPES if kinds is None else frozenset(names(kinds))
    if "number" in found:
        found |= {"integer"}
    if kinds is not None and schema.get("nullable"):
        found |= {"null"}
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return found if values is None else found & {kind for value in values for kind in kinds_of(value)}


def kinds_of(value: Any) -> tuple[str, ...]:
    """The names of a JSON value's type."""
    if value is None:
        return ("null",)
    if isinstance(value, bool):
        return ("boolean",)
    if isinstance(value, (int, float)):
        return ("number", "integer") if value == int(value) else ("number",)
    return ("string",) if isinstance(value, str) else ("array",) if isinstance(value, list) else ("object",)


def kind(schema: Schema) -> str:
    """The one type to fill a flat schema with; never null when anything else will do."""
    if named := names(schema.get("type")):
        return next((name for name in named if name != "null"), "null")
    return next((name for name, signs in SIGNS.items() if any(sign in schema for sign in signs)), "string")


def names(types: Any) -> list[str]:
    """The value of `type` as a list, whatever its form."""
    return [types] if isinstance(types, str) else list(types or ())


def merged(left: Schema, right: Schema) -> dict[str, Any]:
    """One schema that asks what both ask; the left one's words stay."""
    both = {**right, **left}
    for key in left.keys() & right.keys():
        if left[key] != right[key] and key in MERGE:
            both[key] = MERGE[key](left[key], right[key])
    return both


def _inevitable(schema: Schema) -> Iterable[Any]:
    properties = schema.get("properties", {})
    yield from (properties.get(name, {}) for name in schema.get("required", ()))
    least = schema.get("minItems", 0)
    prefix = schema.get("prefixItems", ())
    yield from prefix[:least]
    if least > len(prefix):
        yield schema.get("items", {})


def _both(left: Any, right: Any) -> Any:
    return {"allOf": [left, right]} if left is not False and right is not False else False


def _both_named(left: Schema, right: Schema) -> dict[str, Any]:
    shared = left.keys() & right.keys()
    return {**left, **right, **{name: _both(left[name], right[name]) for name in shared}}


def _common_types(left: Any, right: Any) -> list[str]:
    common = declared({"type": left}) & declared({"type": right})
    return sorted(common, key=lambda name: (name == "null", name == "number"))


def _common_multiple(left: float, right: float) -> float:
    a, b = Fraction(str(left)), Fraction(str(right))
    return float(Fraction(lcm(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator))


MERGE: dict[str, Callable[[Any, Any], Any]] = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
    **dict.fromkeys(("properties", "patternProperties"), _both_named),
    **dict.fromkeys(("items", "additionalProperties", "contains", "propertyNames"), _both),
    "type": _common_types,
    "required": lambda left, right: list(dict.fromkeys([*left, *right])),
    "enum": lambda left, right: [value for value in left if value in right],
    "multipleOf": _common_multiple,
    "uniqueItems": lambda left, right: left or right,
}
