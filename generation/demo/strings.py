"""The text of one field: what its name and description promise, within its lengths."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from generation.demo import notations
from generation.demo.lexicon import vocabulary
from generation.demo.patterns import matching
from generation.demo.place import Place
from generation.demo.prompt import fold, length
from generation.demo.words import Prose

UNBOUNDED = 10**9
SHORT = 100
PAGE = 500
LABELS = 4

TITLES = vocabulary("title name label heading headline topic subject titre nom intitule sujet theme caption")
LONG = vocabulary("content body text prose markdown article lesson essay contenu texte corps draft story")
MEDIUM = vocabulary(
    "description summary explanation synopsis premise problem solution analysis introduction recommendation synthesis"
    " conclusion answer expected backstory justification resume"
)
CODE = vocabulary("code snippet script source")
IDENTIFIERS = vocabulary("id ids uuid slug key ref identifier")
LINKS = vocabulary("url uri link href website")
DATES = vocabulary("date day deadline")
WORDS_LONG = 90
WORDS_MEDIUM = 30


def string(schema: Mapping[str, Any], place: Place, prose: Prose) -> str:
    """Text for a string field, inside its lengths and, where it is simple enough, matching its pattern."""
    least, most = schema.get("minLength", 0), schema.get("maxLength", UNBOUNDED)
    if pattern := schema.get("pattern"):
        return _patterned(pattern, least, most, place, prose)
    if make := FORMATS.get(schema.get("format", "")):
        return fitted(make(prose, place.turn), least, most, prose)
    named = place.given if place.noun in TITLES else ""
    text = fitted(named or _worded(place, most, prose), least, most, prose)
    return _distinct(text, least, most, place, prose) if place.noun in TITLES else text


def fitted(text: str, least: int, most: int, prose: Prose) -> str:
    """The text, cut after a word or lengthened by sentences, so that its length is in bounds."""
    while len(text) < least:
        text = f"{text} {prose.sentence()}".strip()
    if len(text) <= most:
        return text
    cut = text[: most + 1].rpartition(" ")[0].rstrip(" ,;:(«")
    return cut if cut and len(cut) >= least else text[:most]


def slug(text: str) -> str:
    """Lower-case ASCII words joined by hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", fold(text)).strip("-") or "demo"


def _worded(place: Place, most: int, prose: Prose) -> str:
    noun, asked = place.noun, length(place.hint)
    if noun in CODE:
        return _code(place, prose)
    for nouns, make in KINDS:
        if noun in nouns:
            return make(prose, place.turn)
    if most <= SHORT:
        return prose.phrase()
    if most > PAGE and (noun in LONG or "markdown" in place.hint.lower()):
        return prose.markdown(asked or (prose.brief.words if noun in LONG else None) or WORDS_LONG)
    return prose.plain(asked or WORDS_MEDIUM) if asked or noun in MEDIUM else prose.sentence()


def _code(place: Place, prose: Prose) -> str:
    beside = " ".join(value for value in place.siblings.values() if isinstance(value, str) and len(value) <= SHORT)
    notation = next(filter(None, map(notations.named, (beside, place.hint, place.name, prose.brief.text))), None)
    labels = [prose.phrase() for _ in range(LABELS)]
    return notations.draw(notation, labels) if notation else "\n".join(f"{slug(each)}()" for each in labels)


def _distinct(text: str, least: int, most: int, place: Place, prose: Prose) -> str:
    """A title no other item of the same array has, if the length leaves room for one."""
    number = 1
    while text in place.taken and number < 100:
        number += 1
        ending = f" ({number})"[:most]
        text = fitted(prose.title(), least - len(ending), most - len(ending), prose) + ending
    place.taken.add(text)
    return text


def _patterned(pattern: str, least: int, most: int, place: Place, prose: Prose) -> str:
    words = slug(prose.title())
    for candidate in (words, words.replace("-", "_"), prose.phrase()):
        if least <= len(candidate) <= most and _found(pattern, candidate):
            return candidate
    made = matching(pattern, least, most, place.turn)
    return fitted(words, least, most, prose) if made is None else made


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def _uuid(prose: Prose, turn: int) -> str:
    value = f"{prose.chance.getrandbits(128):032x}"
    return f"{value[:8]}-{value[8:12]}-4{value[13:16]}-8{value[17:20]}-{value[20:]}"


def _date(prose: Prose, turn: int) -> str:
    return f"2026-{turn % 12 + 1:02}-15"


def _link(prose: Prose, turn: int) -> str:
    return f"https://example.org/{slug(prose.title())}"


FORMATS: dict[str, Callable[[Prose, int], str]] = {
    "date": _date,
    "date-time": lambda prose, turn: f"{_date(prose, turn)}T09:00:00Z",
    "time": lambda prose, turn: f"09:{turn % 60:02}:00Z",
    "duration": lambda prose, turn: f"P{turn + 1}D",
    "email": lambda prose, turn: f"{slug(prose.phrase())}@example.org",
    "hostname": lambda prose, turn: f"{slug(prose.phrase())}.example.org",
    "ipv4": lambda prose, turn: f"192.0.2.{turn % 254 + 1}",
    "ipv6": lambda prose, turn: f"2001:db8::{turn + 1:x}",
    "uri": _link,
    "url": _link,
    "uuid": _uuid,
}
KINDS: tuple[tuple[frozenset[str], Callable[[Prose, int], str]], ...] = (
    (TITLES, lambda prose, turn: prose.title()),
    (IDENTIFIERS, lambda prose, turn: slug(prose.title())),
    (LINKS, _link),
    (DATES, _date),
    (vocabulary("email"), FORMATS["email"]),
    (vocabulary("question"), lambda prose, turn: prose.question()),
)
