from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from generation.llm.journal import Attempt, Cut, Outcome
from generation.llm.values import Delta, ModelRequest
from memory.base.errors import ModelError


@dataclass
class Diary:
    """A journal that remembers, and that can be told to refuse an attempt."""

    began: list[Attempt] = field(default_factory=list)
    requests: list[ModelRequest] = field(default_factory=list)
    deltas: list[Delta] = field(default_factory=list)
    settled: list[tuple[Attempt, Outcome]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    refusal: Exception | None = None

    async def begin(self, attempt: Attempt, request: ModelRequest) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.began.append(attempt)
        self.requests.append(request)
        return f"call-{len(self.began)}"

    def turn(self) -> AbstractAsyncContextManager[object]:
        return nullcontext()

    def trimmed(self, cuts: Sequence[Cut]) -> None:
        self.cuts += cuts

    async def room(self) -> None:
        raise AssertionError("there is room")

    def emit(self, delta: Delta) -> None:
        self.deltas.append(delta)

    async def pause(self) -> None:
        return

    async def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        self.settled.append((attempt, outcome))

    async def wait(self, attempt: Attempt, error: ModelError, seconds: float) -> None:
        self.waits.append(seconds)

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for _, outcome in self.settled]

    @property
    def story(self) -> list[tuple[str, int, str]]:
        return [(attempt.model.provider, attempt.try_number, attempt.reason) for attempt in self.began]
