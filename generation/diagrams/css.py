"""The little CSS that a drawing needs: paint and text, by selectors. No @-rule, no address, no escape."""

import re
from collections.abc import Iterator

PROPERTIES = {
    "alignment-baseline", "baseline-shift", "color", "direction", "display", "dominant-baseline", "fill",
    "fill-opacity", "fill-rule", "clip-rule", "font", "font-family", "font-size", "font-style", "font-variant",
    "font-weight", "letter-spacing", "marker-end", "marker-start", "opacity", "paint-order", "stop-color",
    "stop-opacity", "stroke", "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "stroke-opacity", "stroke-width", "text-anchor", "text-decoration", "unicode-bidi",
    "visibility", "word-spacing",
}  # fmt: skip
FUNCTIONS = {
    "calc", "hsl", "hsla", "matrix", "rgb", "rgba", "rotate", "scale", "skewX", "skewY", "translate",
    "translateX", "translateY",
}  # fmt: skip
CALL = re.compile(r"(?<![\w-])([\w-]*)\(")
LOCAL_URL = re.compile(r"url\(\s*(['\"]?)#[\w:.-]+\1\s*\)", re.IGNORECASE)
COMMENT = re.compile(r"/\*.*?(\*/|\Z)", re.DOTALL)
SELECTOR = re.compile(r"[\w\s#.,:>+~*()\[\]=\"'|^$-]+\Z")


def sheet(text: str) -> str:
    return "".join(rules(COMMENT.sub("", text)))


def rules(text: str) -> Iterator[str]:
    """Of @-rules what is in their braces: `@keyframes a { from { … } }` leaves `from { … }`, which fits nothing."""
    for rule in text.split("}"):
        before, _, body = rule.rpartition("{")
        selector, kept = before.rpartition("{")[2].strip(), declarations(body)
        if kept and SELECTOR.match(selector):
            yield f"{selector}{{{kept}}}"


def declarations(text: str) -> str:
    """Of `property: value` pairs those that may stay."""
    pairs = (pair.partition(":") for pair in COMMENT.sub("", text).split(";"))
    kept = ((name.strip().lower(), value.strip()) for name, _, value in pairs)
    return ";".join(f"{name}:{value}" for name, value in kept if name in PROPERTIES and value and is_harmless(value))


def is_harmless(value: str) -> bool:
    """Nothing is called but what computes, no address is named but of this drawing, nothing is written in escapes."""
    rest = LOCAL_URL.sub("", value)
    if any(character in rest for character in "\\<>{}@") or "url(" in rest.lower() or "javascript:" in rest.lower():
        return False
    return all(call in FUNCTIONS or not call for call in CALL.findall(rest))
