"""The text of a file that a stranger made, as simple Markdown.

This runs in a child process only (`readings.parse`): neither web nor worker imports it, or the libraries below it.
Each room has one function, `read(content) -> Parsed`.
"""

import importlib
import logging
import re

import orjson

from memory.base.text import clean_text
from memory.parsers.values import MAX_CHARACTERS, Refused
from memory.window import MARK

ROOMS = {"txt": "plain", "md": "plain", "html": "html", "pdf": "pdf", "docx": "docx"}
LINE_END = re.compile(r"\r\n?")
GAP = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


def main(request: bytes, kind: str) -> bytes:
    """JSON of `text`, `is_cut` and `encoding`. Raises Refused: `encrypted`, `scanned`, `blank` or `broken`."""
    logging.disable()  # what a library says on stderr would be taken for the reason of a refusal
    room = importlib.import_module(f"{__name__}.{ROOMS[kind]}")
    try:
        parsed = room.read(request)
    except (Refused, MemoryError):  # too little memory is a limit of ours, not a fault of the file
        raise
    except Exception as fault:  # libraries raise all they know on bytes that somebody made up
        raise Refused("broken") from fault
    text = tidy(parsed.text)
    if not text:
        raise Refused("blank")
    is_cut = parsed.is_cut or len(text) > MAX_CHARACTERS
    text = text[:MAX_CHARACTERS] + (MARK if is_cut else "")
    return orjson.dumps({"text": text, "is_cut": is_cut, "encoding": parsed.encoding})


def tidy(text: str) -> str:
    """Through the gate, with one kind of line end and no more than one empty line at a time."""
    return GAP.sub("\n\n", LINE_END.sub("\n", clean_text(text))).strip()
