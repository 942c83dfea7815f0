"""The text gate: nothing passes that PostgreSQL, JSON or a socket would refuse (NUL, lone surrogates, NaN, depth).

Every boundary (request, model, upload, tool) calls `clean_text` or `clean_json` before a write.
"""

import math
import re
from typing import Any

import orjson

from memory.base.errors import InvalidInput

MAX_DEPTH = 64
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
SURROGATE = re.compile("[\ud800-\udfff]")
HIGH_SURROGATES = range(0xD800, 0xDC00)


def join_surrogates(text: str) -> str:
    """Two halves of one character become the character; a half that stays alone becomes U+FFFD."""
    if not SURROGATE.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def clean_text(text: str) -> str:
    """Text that every part of the house accepts: no control characters but tab and line ends, no lone surrogate."""
    return CONTROL.sub("", join_surrogates(text))


def clean_json(value: Any, depth: int = 0) -> Any:
    """The value with all text cleaned, keys as strings, NaN and infinities as null.

    Raises `validation.too_deep` past 64 levels and `validation.not_json` for what JSON cannot hold.
    """
    if depth > MAX_DEPTH:
        raise InvalidInput("too_deep", limit=MAX_DEPTH)
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return clean_number(value)
    if isinstance(value, dict):
        return {clean_text(str(key)): clean_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item, depth + 1) for item in value]
    raise InvalidInput("not_json", type=type(value).__name__)


def clean_number(value: int | float) -> int | float | str | None:
    """A number that comes back from PostgreSQL and JSON as it went, or its digits as text; NaN and infinities null."""
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)  # orjson and sockets carry 64 bits
    if not math.isfinite(value):
        return None
    return value if abs(value) < 1e16 else str(value)  # PostgreSQL writes out what has an exponent, as an integer


def read_json(raw: bytes | str) -> Any:
    """The value as it was sent, refused where `clean_json` would refuse it.

    Raises `validation.json` (half characters, too) and `validation.too_deep`. Texts are cleaned where they are kept.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if "depth limit" in str(error):
            raise InvalidInput("too_deep", limit=MAX_DEPTH) from None
        raise InvalidInput("json") from None
    clean_json(value)
    return value


def as_json(value: Any) -> str | None:
    """A cleaned value as the text of a `jsonb` parameter; None is NULL."""
    return None if value is None else orjson.dumps(value).decode()


class DeltaGate:
    """Cleans text that arrives in pieces: a high surrogate at the end of one piece waits for its other half."""

    def __init__(self) -> None:
        self.held = ""

    def clean(self, piece: str) -> str:
        text = self.held + piece
        self.held = ""
        if text and ord(text[-1]) in HIGH_SURROGATES:
            text, self.held = text[:-1], text[-1]
        return clean_text(text)

    def close(self) -> str:
        """What is still held when no piece will follow."""
        held, self.held = self.held, ""
        return clean_text(held)


def excerpt(text: str, most: int = 140) -> str:
    """The first sentence of a text on one line, cut between words."""
    line = " ".join(clean_text(text).split())
    first = line.split(". ")[0]
    line = first + "." if len(first) < len(line) and not first.endswith(".") else first
    return line if len(line) <= most else line[:most].rsplit(" ", 1)[0].rstrip(",;:") + "…"
