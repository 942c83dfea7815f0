"""Decides which request meets which fault, or is told what to say: by name, by a rule on its text, by chance.

The same request with the same number of attempts before it always draws the same, whatever runs beside it.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from generation.demo.answer import Answer
from generation.demo.faults import FAULTS, canonical
from generation.demo.request import ChatRequest

IN_MODEL_NAME = re.compile(r"(?:^|[/:-])fault-(.+)$")
FIRST_TIMES = re.compile(r"^(?P<name>.+)-x(?P<times>\d+)$")
REMEMBERED = 50_000


@dataclass(slots=True)
class Rule:
    """Requests that contain the text meet the fault, or get this very answer, so many times; None is always.

    `rate`: only this share of them, drawn for each like a fault by chance.
    """

    contains: str
    fault: str | None = None
    times: int | None = None
    answer: Answer | None = None
    rate: float = 1.0

    def takes(self, text: str, chance: Random) -> bool:
        """Whether the rule applies; a rule that does is used up by one."""
        if self.times == 0 or self.contains not in text or chance.random() >= self.rate:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Aim:
    """The faults that are switched on, and how often each request was tried."""

    def __init__(self, rate: float = 0.0, seed: int = 0) -> None:
        self.rate = rate
        self.seed = seed
        self.names: Sequence[str] = tuple(FAULTS)
        self.rules: Sequence[Rule] = ()
        self._attempts: OrderedDict[str, int] = OrderedDict()

    def choose(self, chat: ChatRequest, header: str | None) -> tuple[str | None, Answer | None]:
        """The name of the fault this request meets, and the answer it gets. Raises UnknownFaultError."""
        attempt = self._attempt(f"{chat.model} {chat.digest}")
        in_name = IN_MODEL_NAME.search(chat.model)
        if asked := header or (in_name and in_name.group(1)):
            return self._named(asked, attempt), None
        chance = Random(f"{self.seed} {chat.digest} {attempt}")  # noqa: S311 - repeatable on purpose
        for rule in self.rules:
            if rule.takes(chat.text, chance):
                return rule.fault, rule.answer
        return (chance.choice(self.names) if chance.random() < self.rate else None), None

    def forget(self) -> None:
        """Every request is tried for the first time again."""
        self._attempts.clear()

    def _named(self, asked: str, attempt: int) -> str | None:
        limited = FIRST_TIMES.match(asked)
        name = canonical(limited["name"] if limited else asked)
        return name if not limited or attempt < int(limited["times"]) else None

    def _attempt(self, key: str) -> int:
        attempt = self._attempts.pop(key, 0)
        self._attempts[key] = attempt + 1
        if len(self._attempts) > REMEMBERED:
            self._attempts.popitem(last=False)
        return attempt
