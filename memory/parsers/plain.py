"""Plain text and Markdown: their bytes, decoded."""

from memory.base.encodings import decode
from memory.parsers.values import Parsed


def read(content: bytes) -> Parsed:
    text, encoding = decode(content)
    return Parsed(text, encoding=encoding)
