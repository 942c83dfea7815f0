"""Text as it is compared in a search: without case, accents and ligatures; in Python and in PostgreSQL the same.

The embedded PostgreSQL has no `unaccent`; it does normalise, so that a letter and its accent come apart.
"""

import re
import unicodedata

from django.db.models import Func, TextField

SPELLED_OUT = {"œ": "oe", "æ": "ae", "ß": "ss", "ς": "σ"}
ACCENT = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    text = text.lower()
    for letter, letters in SPELLED_OUT.items():
        text = text.replace(letter, letters)
    return ACCENT.sub("", unicodedata.normalize("NFKD", text))


class Folded(Func):
    """`fold` of a column."""

    spelled = "lower(%(expressions)s)"
    for letter, letters in SPELLED_OUT.items():
        spelled = f"replace({spelled}, '{letter}', '{letters}')"
    template = f"regexp_replace(normalize({spelled}, NFKD), '[\u0300-\u036f]', '', 'g')"
    output_field = TextField()
