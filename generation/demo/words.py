"""Makes text out of a prompt's own words: titles, sentences, Markdown. The same brief and chance give the same text."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from random import Random

from generation.demo.prompt import Brief, bare

TOKEN = re.compile(r"\s*\S{1,5}|\s+")
DEFAULT_LENGTH = 180
PARAGRAPH = 4
LIST_FROM = 90


def tokens(text: str) -> list[str]:
    """The text in pieces of about four characters; joined they are the text again."""
    return TOKEN.findall(text)


class Prose:
    """An endless supply of text about one brief: phrases come round in turn, so that neighbours differ."""

    def __init__(self, brief: Brief, chance: Random) -> None:
        self.brief = brief
        self.chance = chance
        self._titles = count()
        self._turn = count(chance.randrange(len(brief.topics)))
        self._sentences = _rounds(brief.language.sentences, chance)
        self._questions = _rounds(brief.language.questions, chance)

    def title(self) -> str:
        """A short heading, different each time."""
        topics = self.brief.topics
        turn = next(self._titles)
        lap, place = divmod(turn, len(topics))
        first = bare(topics[place])
        if lap == 0:
            return first
        other = topics[(place + lap) % len(topics)]
        return f"{first} ({lap + 1})" if other == topics[place] else f"{first} : {other}"

    def phrase(self) -> str:
        """A few words."""
        return bare(self._topic())

    def sentence(self) -> str:
        """One sentence, no Markdown."""
        return self._fill(next(self._sentences)).replace("**", "")

    def question(self) -> str:
        """One question."""
        return self._fill(next(self._questions))

    def thoughts(self) -> str:
        """One to three sentences of reasoning."""
        return " ".join(self._fill(text) for text in self.brief.language.thoughts[: self.chance.randint(1, 3)])

    def plain(self, words: int) -> str:
        """Sentences in a row, about so many words."""
        return " ".join(self._sentences_for(words, self.sentence))

    def markdown(self, words: int | None = None) -> str:
        """Paragraphs, with a list where there is room, about so many words; says once that a demo model wrote it."""
        wanted = words or self.brief.words or DEFAULT_LENGTH
        notice = self.brief.language.notice
        room = wanted - len(notice.split())
        listed = [f"- **{self.phrase()}**" for _ in range(3)] if room > LIST_FROM else []
        room -= sum(len(line.split()) - 1 for line in listed)
        lines = [notice, *self._sentences_for(room, lambda: self._fill(next(self._sentences)))]
        blocks = [" ".join(lines[start : start + PARAGRAPH]) for start in range(0, len(lines), PARAGRAPH)]
        if listed:
            blocks.insert(1, "\n".join(listed))
        return "\n\n".join(blocks)

    def _sentences_for(self, words: int, make: Callable[[], str]) -> list[str]:
        made: list[str] = []
        left = words
        while left > 6 or (not made and left > 0):
            made.append(make())
            left -= len(made[-1].split())
        return made

    def _topic(self) -> str:
        return self.brief.topics[next(self._turn) % len(self.brief.topics)]

    def _fill(self, pattern: str) -> str:
        text = pattern.format(*(self._topic() for _ in range(pattern.count("{"))))
        return text[:1].upper() + text[1:]


def _rounds(items: Sequence[str], chance: Random) -> Iterator[str]:
    order = list(items)
    while True:
        chance.shuffle(order)
        yield from order
