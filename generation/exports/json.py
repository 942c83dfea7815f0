"""JSON: the document as its API shows it (`data`), and its blocks in reading order."""

import orjson

from generation.exports import wire
from generation.manuscripts import Manuscript


def write(manuscript: Manuscript) -> bytes:
    return orjson.dumps(wire.as_data(manuscript), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
