"""What a test or a benchmark may change on the running server. A change is checked whole before any of it counts."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from generation.demo.aim import Aim, Rule
from generation.demo.answer import ARGUMENTS, CONTENT, Answer, Call, pieces
from generation.demo.faults import FAULTS, canonical
from generation.demo.pace import Pace
from generation.demo.stats import Stats


@dataclass(slots=True)
class Demo:
    """The server's state."""

    pace: Pace = field(default_factory=Pace)
    aim: Aim = field(default_factory=Aim)
    stats: Stats = field(default_factory=Stats)

    def report(self) -> dict[str, Any]:
        """The settings in force."""
        return {
            "fault_rate": self.aim.rate,
            "faults": list(self.aim.names),
            "seed": self.aim.seed,
            "rules": [{**asdict(rule), "answer": rule.answer is not None} for rule in self.aim.rules],
            "first_token_ms": self.pace.first_token * 1000,
            "tokens_per_second": self.pace.rate,
        }

    def change(self, wanted: Any) -> None:
        """Applies new settings and forgets earlier attempts. Raises ValueError, and then nothing has changed."""
        if not isinstance(wanted, dict):
            raise ValueError("Settings come as a JSON object.")
        if unknown := wanted.keys() - READERS.keys():
            raise ValueError(f"Unknown setting: {', '.join(sorted(unknown))}; there are: {', '.join(READERS)}.")
        new = {name: READERS[name](value) for name, value in wanted.items()}
        aim = self.aim
        aim.rate = new.get("fault_rate", aim.rate)
        aim.names = new.get("faults", aim.names)
        aim.seed = new.get("seed", aim.seed)
        aim.rules = new.get("rules", aim.rules)
        aim.forget()
        first_token = new.get("first_token_ms", self.pace.first_token * 1000) / 1000
        self.pace = replace(self.pace, first_token=first_token, rate=new.get("tokens_per_second", self.pace.rate))


def number(value: object, most: float = 1e6) -> float:
    """A number from 0 up. Raises ValueError."""
    found = float(str(value))
    if not 0 <= found <= most:
        raise ValueError(f"{value} is not between 0 and {most:g}.")
    return found


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        return tuple(FAULTS)
    if not isinstance(value, list) or not value:
        raise ValueError("'faults' is a list of names, or null for all of them.")
    return tuple(canonical(str(name)) for name in value)


def _rules(value: Any) -> tuple[Rule, ...]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("'rules' is a list of objects.")
    return tuple(_rule(each) for each in value)


def _rule(value: Mapping[str, Any]) -> Rule:
    if not isinstance(value.get("contains"), str):
        raise ValueError("A rule needs 'contains', a text.")
    answer = _answer(value)
    fault = canonical(str(value.get("fault"))) if "fault" in value or answer is None else None
    times = value.get("times")
    times = None if times is None else int(number(times))
    return Rule(value["contains"], fault, times, answer, number(value.get("rate", 1), 1))


def _answer(value: Mapping[str, Any]) -> Answer | None:
    """The very answer that a rule gives: its content, the tools it calls, or both."""
    content, calls = value.get("content"), value.get("calls")
    if content is None and calls is None:
        return None
    if not isinstance(content or "", str):
        raise ValueError("'content' is a text.")
    if not isinstance(calls or [], list) or not all(isinstance(each, dict) for each in calls or []):
        raise ValueError("'calls' is a list of objects with 'name', 'arguments' and perhaps 'id'.")
    heads = tuple(Call(str(each.get("id") or f"call_{n}"), str(each.get("name"))) for n, each in enumerate(calls or []))
    written = [
        piece
        for n, each in enumerate(calls or [])
        for piece in pieces(ARGUMENTS, as_text(each.get("arguments") or {}), n)
    ]
    return Answer((*pieces(CONTENT, content or ""), *written), "tool_calls" if heads else "stop", heads)


def as_text(arguments: Any) -> str:
    """As they are where they are text already: broken ones, too."""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)


READERS: dict[str, Callable[[Any], Any]] = {
    "fault_rate": lambda value: number(value, 1),
    "faults": _names,
    "seed": lambda value: int(number(value)),
    "rules": _rules,
    "first_token_ms": number,
    "tokens_per_second": number,
}
