"""Which of the house's languages a text is in, by its small words."""

import re

WORD = re.compile(r"[a-zàâçéèêëîïôûùüœæ]+")
FRENCH = (
    "le la les un une des du de et en est pour dans sur par avec que qui ne pas plus ce cette ces son sa ses leur au "
    "aux ou mais sans comme être avoir fait il elle ils nous vous je à où d l qu s n c"
)
ENGLISH = (
    "the a an of and in is are for on by with that which not this these his her its their to or but without as be have "
    "has it he she they we you i at from how what when there can will should"
)
SMALL_WORDS = {"fr": frozenset(FRENCH.split()), "en": frozenset(ENGLISH.split())}


def language_of(text: str, default: str = "en") -> str:
    """`fr` or `en`; the default when the text does not tell."""
    words = WORD.findall(text[:20_000].lower())
    counts = {language: sum(word in small for word in words) for language, small in SMALL_WORDS.items()}
    most = max(counts, key=lambda language: counts[language])
    return most if list(counts.values()).count(counts[most]) == 1 else default
