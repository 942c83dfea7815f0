"""The value a completion is made of: pieces of one token each, the tools it calls, and why it ends."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from generation.demo.words import tokens

REASONING = "reasoning_content"
CONTENT = "content"
ARGUMENTS = "arguments"


class Piece(NamedTuple):
    """One token: which field it belongs to, its text, and for arguments which call."""

    kind: str
    text: str
    call: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call's head; its arguments are pieces."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole completion before it is sent; every piece counts as one token."""

    pieces: tuple[Piece, ...]
    finish: str = "stop"
    calls: tuple[Call, ...] = ()

    def text(self, kind: str, call: int = 0) -> str:
        """All text of one kind, joined."""
        return "".join(piece.text for piece in self.pieces if piece.kind == kind and piece.call == call)

    def count(self, kind: str) -> int:
        """The tokens of one kind."""
        return sum(piece.kind == kind for piece in self.pieces)

    def limited(self, most: int | None) -> "Answer":
        """The answer cut at so many tokens, with the finish reason that says so."""
        if most is None or len(self.pieces) <= most:
            return self
        return Answer(self.pieces[:most], "length", self.calls)


def pieces(kind: str, text: str, call: int = 0) -> Iterable[Piece]:
    """The text as pieces of one token each."""
    return (Piece(kind, token, call) for token in tokens(text))
