"""What every room of the parsers answers with, how it declines, and when it has read enough."""

import time
from dataclasses import dataclass

MAX_CHARACTERS = 1_000_000
MAX_SECONDS = 6  # below what the child is given: half of a long book is worth more than a killed child


class Refused(ValueError):
    """A file without text to give, for one word of reason: its message, which `children.run` brings home."""


@dataclass(frozen=True)
class Parsed:
    """`is_cut`: the file holds more than this. `encoding`: of its characters, where the file does not say it itself."""

    text: str
    is_cut: bool = False
    encoding: str = "utf-8"


class Allowance:
    """A room asks between two pieces of its work; what stays unread then is called cut."""

    def __init__(self) -> None:
        self.until = time.monotonic() + MAX_SECONDS

    def is_spent(self, characters: int) -> bool:
        return characters > MAX_CHARACTERS or time.monotonic() > self.until
