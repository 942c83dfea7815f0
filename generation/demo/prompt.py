"""Reads a prompt as far as a demo needs: its language, the phrases it is about, and the lengths and numbers it asks."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from generation.demo.lexicon import ENGLISH, FRENCH, Language

TOKEN = re.compile(r"(?:[ldcjmnst]|qu|jusqu|lorsqu|puisqu)['’](?=\w)|[^\W_]+(?:[-'’][^\W_]+)*|\S|\n", re.IGNORECASE)
# Over one letter per token (Article, Link, Word, other): an article, words, and one linked complement.
PHRASE = re.compile("A?W{1,3}(?:LA?W{1,2})?")
WISH = re.compile(r"\b(?:in|en|langu\w+\s*[:=])\s*\W?(french|français|francais|fr|english|anglais|en)\b", re.IGNORECASE)
NUMBER = r"(\d[\d .,\u00a0\u202f]*)"
LENGTH = re.compile(rf"{NUMBER}(?:\s*(?:-|–|to|à)\s*{NUMBER})?\s*(?:words|mots)\b", re.IGNORECASE)
COUNT = re.compile(r"\b(\d{1,2}|[a-zà-ÿ]{3,8})\b(?![.,]\d)((?:\s+[^\W\d_]{3,}){0,2})", re.IGNORECASE)
MARK = re.compile(r"</?\w+>")  # <brief>: says where a text begins, not what it is about
SET_APART = re.compile(r"<(\w+)>(.*?)</\1>", re.DOTALL)
QUOTED = re.compile(r"[“«\"]\s*([^“”«»\"\n]{3,200}?)\s*[”»\"]")
LONGEST_TEXT = 20_000
READ_AT_MOST = 12_000
LISTED = re.compile(r":\s*([^:.;?!]{8,600})(?:[.;?!]|$)", re.MULTILINE)
BETWEEN = re.compile(r"\s*,\s*(?:et\s+|and\s+)?|\s+(?:et|and)\s+")
LONGEST_ITEM = 90
STEM = 6  # letters that two spellings of a word share: detailed, détaillé


class Count(NamedTuple):
    """A number the prompt states, with the words right after it."""

    number: int
    nouns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brief:
    """A prompt, read. `topics` is never empty; `words` is the length asked for, if any; `lists` what it enumerates."""

    text: str
    language: Language
    topics: tuple[str, ...]
    words: int | None
    counts: tuple[Count, ...]
    lists: tuple[tuple[str, ...], ...] = ()
    material: str = ""

    def mentions(self, value: str) -> bool:
        """Whether the prompt names this value, in either language's spelling."""
        words = fold(value).split("_")
        return all(any(word[:STEM] == said[:STEM] for said in fold(self.material).split()) for word in words)

    def listed(self, number: int) -> tuple[str, ...]:
        """What the prompt enumerates after a colon, if it names as many as this."""
        return next((items for items in self.lists if len(items) == number), ())


def read(request: str, rest: Iterable[str] = (), instructions: str = "") -> Brief:
    """Reads the last request; the `rest` of the conversation only helps where the request itself says too little.

    Of the instructions only the length counts: their words are about how to answer, not about what.
    """
    text = MARK.sub(" ", request[:READ_AT_MOST])
    background = MARK.sub(" ", "\n".join(rest)[:READ_AT_MOST])
    language = _wish(text) or _wish(background) or _guess(text) or _guess(background) or ENGLISH
    counts = _counts(text)
    counted = {noun.rstrip("s") for count in counts for noun in count.nouns}
    topics = tuple(each for each in phrases(material(request), language) if not _is_counted(each, counted))
    if len(topics) < 3:
        topics = tuple(each for each in phrases(text, language) if not _is_counted(each, counted))
    if len(topics) < 3:
        topics = (*topics, *(each for each in phrases(background, language) if each not in topics))
    return Brief(
        text,
        language,
        topics or language.nothing,
        length(text) or length(background) or length(instructions[:READ_AT_MOST]),
        counts,
        lists(text),
        material(request),
    )


def lists(text: str) -> tuple[tuple[str, ...], ...]:
    """Enumerations after a colon, of three items or more, or of two that "and" joins."""
    found = []
    for match in LISTED.finditer(text):
        items = tuple(" ".join(item.split()) for item in BETWEEN.split(match[1].strip()) if item.strip())
        if len(items) > 1 and all(len(item) <= LONGEST_ITEM for item in items):
            found.append(tuple(item[:1].upper() + item[1:] for item in items))
    return tuple(found)


def material(request: str) -> str:
    """What a prompt sets apart from its own words: the end of it in quotes first, then what stands between marks."""
    parts = [match[2] for match in SET_APART.finditer(request[:READ_AT_MOST])]
    quoted = QUOTED.findall(SET_APART.sub(" ", request)[-READ_AT_MOST:])
    return "\n".join([*quoted[-1:], *parts])


def _is_counted(phrase: str, counted: set[str]) -> bool:
    return fold(bare(phrase)).rstrip("s") in counted


def fold(word: str) -> str:
    """A word without accents and capitals: what two spellings have in common."""
    return "".join(c for c in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(c))


def bare(phrase: str) -> str:
    """A phrase without its article, as a title wants it, with a capital."""
    stripped = re.sub(r"^(?:(?:le|la|les|un|une|ce|cet|cette|ces|the|an?|this|these)\s+|l['’])", "", phrase)
    return stripped[:1].upper() + stripped[1:]


def length(text: str) -> int | None:
    """The number of words a text asks for ("about 200 words", "60–100 mots": the middle)."""
    found = LENGTH.search(text)
    if not found:
        return None
    ends = [int(digits) for end in found.groups() if end and (digits := re.sub(r"\D", "", end))]
    return min(LONGEST_TEXT, sum(ends) // len(ends))


def phrases(text: str, language: Language) -> tuple[str, ...]:
    """What the text talks about, as phrases cut out of it, in order, each once."""
    tokens = list(TOKEN.finditer(text))
    tags = "".join(_tag(token.group(), language) for token in tokens)
    found: dict[str, str] = {}
    for match in PHRASE.finditer(tags):
        phrase = text[tokens[match.start()].start() : tokens[match.end() - 1].end()]
        if tags[match.start()] == "A":
            phrase = phrase[:1].lower() + phrase[1:]
        found.setdefault(fold(bare(phrase)), " ".join(phrase.split()))
    return tuple(found.values())


def _tag(token: str, language: Language) -> str:
    word = token.lower().rstrip("'’")
    if word in language.articles:
        return "A"
    if word in language.links:
        return "L"
    is_topic = word not in language.small and word not in language.numbers and len(word) > 2
    return "W" if is_topic and word[0].isalpha() else "."


def _wish(text: str) -> Language | None:
    found = WISH.search(text)
    return found and (FRENCH if found.group(1).lower().startswith("fr") else ENGLISH)


def _guess(text: str) -> Language | None:
    words = [token.group().lower().rstrip("'’") for token in TOKEN.finditer(text)]
    french = sum(word in FRENCH.small or (word.isalpha() and not word.isascii()) for word in words)
    english = sum(word in ENGLISH.small for word in words)
    return None if french == english else FRENCH if french > english else ENGLISH


def _counts(text: str) -> tuple[Count, ...]:
    names = FRENCH.numbers | ENGLISH.numbers
    small = FRENCH.small | ENGLISH.small
    found = []
    for match in COUNT.finditer(text):
        digits = match.group(1).lower()
        number = int(digits) if digits.isdigit() else names.get(digits)
        if number:
            nouns = (fold(noun) for noun in match.group(2).split() if noun.lower() not in small)
            found.append(Count(number, tuple(nouns)))
    return tuple(found)
