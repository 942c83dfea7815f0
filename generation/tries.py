"""A version tried: asked of one model, once, by the way that all calls go, and kept nowhere.

No run, step or call is written. What it used counts against the budget of whoever tried it (`allowances`), is one line
of the log, and is among the figures of its model. Whoever stops reading ends the request to the provider.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import structlog

from generation import calls
from generation.allowances import Allowance
from generation.budgets import Reservation
from generation.gateway import Gateway
from generation.llm.journal import Attempt, Cut, Outcome
from generation.llm.retries import RetryPolicy
from generation.llm.usage import cost
from generation.llm.values import ContentDelta, Delta, ModelRef, ModelRequest, ReasoningDelta
from generation.rehearsals import Rehearsal
from memory.base.errors import ModelError, ScriptoriumError
from memory.base.ids import new_id
from memory.base.text import DeltaGate

log = structlog.get_logger()

ONCE = RetryPolicy(attempts=1, patience=0)  # who tries wants to see what happens
TICK_SECONDS = 0.04
QUIET_SECONDS = 15


@dataclass(frozen=True)
class Piece:
    """More of the text, or of the reasoning before it."""

    text: str
    is_reasoning: bool = False


@dataclass(frozen=True)
class Tried:
    """How it ended: with an error, or with a whole answer. `outcome` is None when nothing left the house."""

    model: ModelRef
    content: str
    reasoning: str
    outcome: Outcome | None
    error: ScriptoriumError | None

    @property
    def cost_usd(self) -> Decimal | None:
        return cost(self.model, self.outcome.usage) if self.outcome else None


async def ask(rehearsal: Rehearsal, user_id: UUID) -> AsyncGenerator[Piece | Tried | None, None]:
    """The answer piece by piece as it comes, and at last how it ended; None now and then while nothing comes."""
    gateway = Gateway(ONCE)
    journal = TryJournal(rehearsal, Allowance(gateway.redis, user_id))
    asked = asyncio.create_task(answered(gateway, rehearsal, journal))
    try:
        while not asked.done() or journal.fresh:
            if not await journal.news(asked):
                yield None
            for piece in journal.take():
                yield piece
        yield Tried(rehearsal.model, journal.text(False), journal.text(True), journal.outcome, asked.result())
    finally:
        asked.cancel()
        await asyncio.wait([asked])
        await gateway.close()


async def whole(rehearsal: Rehearsal, user_id: UUID) -> Tried:
    """The same, when it has ended."""
    async with aclosing(ask(rehearsal, user_id)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Tried):
                return piece
    raise AssertionError("a try ends by saying how")


async def answered(gateway: Gateway, rehearsal: Rehearsal, journal: "TryJournal") -> ScriptoriumError | None:
    """What went wrong, if something did."""
    try:
        await gateway.router.answer([rehearsal.model], rehearsal.request, journal)
    except ScriptoriumError as error:
        return error
    return None


class TryJournal:
    """Keeps what comes until it is taken, and accounts for it (the Journal of the model layer)."""

    def __init__(self, rehearsal: Rehearsal, allowance: Allowance) -> None:
        self.rehearsal = rehearsal
        self.allowance = allowance
        self.wanted = calls.reserve_for(rehearsal.model, rehearsal.request)
        self.key = ""
        self.fresh: list[Piece] = []
        self.all: list[Piece] = []
        self.gates = {True: DeltaGate(), False: DeltaGate()}  # of the reasoning, of the text
        self.outcome: Outcome | None = None
        self.rung = asyncio.Event()

    async def news(self, asked: "asyncio.Task[ScriptoriumError | None]") -> bool:
        """Wait for more, or for the end; False when neither has come for a while."""
        rung = asyncio.create_task(self.rung.wait())
        try:
            done, _ = await asyncio.wait([rung, asked], timeout=QUIET_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
        return bool(done)

    def take(self) -> list[Piece]:
        """What came since, as few pieces as it can be."""
        self.rung.clear()
        fresh, self.fresh = self.fresh, []
        self.all += fresh
        return joined(fresh)

    def text(self, is_reasoning: bool) -> str:
        return "".join(piece.text for piece in self.all if piece.is_reasoning is is_reasoning)

    def put(self, text: str, is_reasoning: bool) -> None:
        if text:
            self.fresh.append(Piece(text, is_reasoning))
            self.rung.set()

    # --- what the router tells

    async def begin(self, attempt: Attempt, request: ModelRequest) -> str:
        self.key = await self.allowance.reserve(self.wanted)
        return str(new_id())

    def turn(self) -> AbstractAsyncContextManager[object]:
        return nullcontext()

    async def room(self) -> None:
        return

    def emit(self, delta: Delta) -> None:
        if isinstance(delta, ContentDelta | ReasoningDelta):
            is_reasoning = isinstance(delta, ReasoningDelta)
            self.put(self.gates[is_reasoning].clean(delta.text), is_reasoning)

    async def pause(self) -> None:
        await asyncio.sleep(TICK_SECONDS)

    async def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        self.outcome = outcome
        for is_reasoning, gate in self.gates.items():
            self.put(gate.close(), is_reasoning)
        calls.count(attempt, outcome)
        usage, usd = outcome.usage, cost(attempt.model, outcome.usage)
        log.info(
            "prompt_tried",
            by=str(self.allowance.user_id),
            slot=self.rehearsal.version.prompt_id,
            version=self.rehearsal.version.number,
            model=str(attempt.model),
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cost_usd=None if usd is None else float(usd),
            ms=outcome.duration_ms,
            error=calls.error_data(outcome.error)["error_code"] if outcome.error else None,
        )
        await self.allowance.settle(self.key, self.wanted, Reservation(usage.tokens_in + usage.tokens_out, usd))

    async def wait(self, attempt: Attempt, error: ModelError, seconds: float) -> None:
        return

    def trimmed(self, cuts: Sequence[Cut]) -> None:
        return


def joined(pieces: Sequence[Piece]) -> list[Piece]:
    """Neighbours of one kind as one."""
    found: list[Piece] = []
    for piece in pieces:
        before = found.pop().text if found and found[-1].is_reasoning == piece.is_reasoning else ""
        found.append(Piece(before + piece.text, piece.is_reasoning))
    return found
