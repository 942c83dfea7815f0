"""A step while it is being made: its attempts, the text each streams, and the calls behind them.

One attempt is one request. Readers drop the text of the attempt before when a new one begins, so that the joined deltas
of the last attempt are the text that is recorded.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel

from generation import calls, in_force, prompts
from generation.calls import Outdated, Purpose
from generation.events import Draft, patiently
from generation.house import REPAIR
from generation.ledger import Ledger
from generation.llm.journal import Attempt, Cut, NoRoomYet, Outcome
from generation.llm.router import Router
from generation.llm.structured import answer_as
from generation.llm.values import (
    Answer,
    ContentDelta,
    Delta,
    Message,
    ModelRequest,
    ReasoningDelta,
    ToolCallDelta,
    ToolCallStart,
    ToolSpec,
)
from generation.models import Run, StepState
from generation.readable import Readable
from memory.base import metrics
from memory.base.database import db
from memory.base.errors import BudgetHeld, ModelBadOutput, ModelError

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


class StepInProgress:
    """What a recipe's `produce` is given: it writes text or values by prompt slot, streamed, retried, accounted for."""

    def __init__(self, ledger: Ledger, router: Router, key: str, attempt: int) -> None:
        self.ledger = ledger
        self.router = router
        self.key = key
        self.attempt = attempt
        self.has_called = False
        self.pieces: list[str] = []
        self.calls = 0  # of tools, in this attempt
        self.thinking: list[float] = []  # when it began to think aloud, and when it last did
        self.trimmed: list[dict[str, Any]] = []

    @property
    def text(self) -> str:
        """What the current attempt has streamed so far."""
        return "".join(self.pieces)

    @property
    def thought_ms(self) -> int:
        """How long the current attempt has thought aloud."""
        return round((self.thinking[-1] - self.thinking[0]) * 1000) if self.thinking else 0

    async def write(self, slot: str, variables: Mapping[str, Any], agent: str = "") -> str:
        """Text by the prompt in this slot, streamed as it comes. Raises ModelError or BudgetSpent."""

        async def ask(purpose: Purpose, request: ModelRequest) -> str:
            await self.router.answer(purpose.in_force.chain, request, CallJournal(self, purpose))
            return self.text

        return await self.asked(slot, variables, agent, ask)

    async def converse(
        self,
        slot: str,
        variables: Mapping[str, Any],
        said: Sequence[Message],
        *,
        agent: str = "",
        tools: Sequence[ToolSpec] = (),
    ) -> Answer:
        """The next thing said in a conversation, behind the instructions in this slot: text, wishes to use these tools,
        or both, streamed as they come. Arguments that are no JSON are asked for once more.

        Raises ModelError or BudgetSpent."""

        async def ask(purpose: Purpose, request: ModelRequest) -> Answer:
            offered = tuple(tool for tool in tools if purpose.agent.may_use(tool.name))
            request = replace(request, messages=(*request.messages, *said), tools=offered)
            chain, journal = purpose.in_force.chain, CallJournal(self, purpose)
            try:
                return await self.router.answer(chain, request, journal)
            except ModelBadOutput as error:
                if error.code != "model.tool_arguments":
                    raise
                return await self.router.answer(chain, request, journal, reason="repair", because=error)

        return await self.asked(slot, variables, agent, ask)

    async def write_as(self, schema: type[M], slot: str, variables: Mapping[str, Any], agent: str = "") -> M:
        """A value of this shape by the prompt in this slot; a malformed answer is repaired once.

        Its texts are streamed as a person reads them, but for fields of the schema's HIDDEN.
        """

        async def ask(purpose: Purpose, request: ModelRequest) -> M:
            journal = CallJournal(self, purpose, hidden=getattr(schema, "HIDDEN", ()))
            chain = purpose.in_force.chain
            _, value = await answer_as(self.router, chain, request, schema, journal, self.object_to)
            return value

        return await self.asked(slot, variables, agent, ask)

    async def object_to(self, problems: Sequence[str]) -> Sequence[Message]:
        """What a model is told of an answer that has not the shape that was asked for."""
        _, request = await db(patiently, compose, self.ledger.run, REPAIR, {"problems": list(problems)}, "")
        return request.messages

    async def asked(
        self, slot: str, variables: Mapping[str, Any], agent: str, ask: Callable[[Purpose, ModelRequest], Awaitable[T]]
    ) -> T:
        """Compose the question and ask it; once more from the beginning when something else is in force meanwhile."""
        while True:
            purpose, request = await db(patiently, compose, self.ledger.run, slot, variables, agent)
            try:
                return await ask(purpose, request)
            except Outdated:
                continue

    def say(self, text: str) -> None:
        """Text of this step that no model wrote (a fallback), told like any other."""
        piece = self.ledger.outbox.delta("content_delta", self.key, self.attempt, text)
        self.pieces.append(piece)

    def next_attempt(self) -> int:
        """The first call is the attempt that the step began with, each further one a new attempt."""
        if self.has_called:
            self.new_attempt()
        self.has_called = True
        return self.attempt

    def new_attempt(self) -> None:
        self.close_streams()
        self.attempt += 1
        self.pieces = []
        self.calls = 0
        self.thinking = []

    def fall_back(self) -> None:
        """An attempt without a call. Its number is kept with its first word: no later attempt may bear it too."""
        self.new_attempt()
        draft = Draft.of("step", key=self.key, state=StepState.RUNNING, attempt=self.attempt, is_fallback=True)
        self.ledger.outbox.defer(draft, partial(calls.bump_attempt, self.ledger.run, self.key, self.attempt))

    def close_streams(self) -> None:
        """No more text comes in this attempt: what the gates hold is told."""
        self.ledger.outbox.close("reasoning_delta", self.key, self.attempt)
        for index in range(self.calls):
            self.ledger.outbox.close("tool_call_delta", self.key, self.attempt, index)
        self.pieces.append(self.ledger.outbox.close("content_delta", self.key, self.attempt))


def compose(run: Run, slot: str, variables: Mapping[str, Any], agent: str) -> tuple[Purpose, ModelRequest]:
    """The version in force now, rendered, and who answers it."""
    asked_at = time.monotonic()  # before it is read: what changes while this thread waits counts
    found = in_force.find(slot, agent, run)
    messages, who = prompts.render(found.version, variables).messages, found.agent
    request = ModelRequest(messages=messages, temperature=who.temperature, max_tokens=who.max_tokens)
    return Purpose(slot, agent, found, dict(variables), asked_at), request


class CallJournal:
    """Keeps the router's account of one question in rows and events (the Journal of the model layer)."""

    def __init__(self, step: StepInProgress, purpose: Purpose, hidden: Collection[str] | None = None) -> None:
        """`hidden`: the answer is structured, and these fields of it are not for reading."""
        self.step = step
        self.purpose = purpose
        self.hidden = hidden
        self.readable: Readable | None = None
        self.call_id: UUID | None = None
        self.ended = 0
        self.held_since: float | None = None

    async def begin(self, attempt: Attempt, request: ModelRequest) -> str:
        step, ledger = self.step, self.step.ledger
        begun, has_called, self.ended = step.attempt, step.has_called, ledger.room.ended
        number = step.next_attempt()
        self.readable = None if self.hidden is None else Readable(self.hidden)

        def write() -> UUID:
            if number != begun:
                calls.bump_attempt(ledger.run, step.key, number)
            return calls.open_call(ledger.run, ledger.cursor.epoch, step.key, number, self.purpose, attempt, request)

        try:
            self.call_id = await ledger.record([self.model_draft(attempt, number)], write)
        except Outdated:
            step.attempt, step.has_called = begun, has_called  # nothing has begun
            raise
        except BudgetHeld as held:
            self.held_since = self.held_since or time.monotonic()
            if ledger.room.is_hopeless(self.held_since):
                raise
            step.attempt, step.has_called = begun, has_called
            raise NoRoomYet from held
        self.held_since = None
        return str(self.call_id)

    def turn(self) -> asyncio.Lock:
        return self.step.ledger.room.turn

    async def room(self) -> None:
        await self.step.ledger.room.wait(self.ended)

    def model_draft(self, attempt: Attempt, number: int) -> Draft:
        because = calls.error_data(attempt.because) if attempt.because else None
        return Draft.of(
            "model",
            step=self.step.key,
            attempt=number,
            agent=self.purpose.agent.name,
            provider=attempt.model.provider,
            model=attempt.model.model,
            reason=attempt.reason,
            because=because,
        )

    def emit(self, delta: Delta) -> None:
        step = self.step
        if isinstance(delta, ContentDelta):
            text = self.readable.feed(delta.text) if self.readable else delta.text
            if text:
                step.pieces.append(step.ledger.outbox.delta("content_delta", step.key, step.attempt, text))
        elif isinstance(delta, ReasoningDelta):
            step.thinking[1:] = [time.monotonic()]
            step.ledger.outbox.delta("reasoning_delta", step.key, step.attempt, delta.text)
        elif isinstance(delta, ToolCallStart):
            step.calls += 1
            facts = {"index": delta.index, "id": delta.id, "name": delta.name}
            step.ledger.outbox.tell("tool_call_start", step=step.key, attempt=step.attempt, **facts)
        elif isinstance(delta, ToolCallDelta):
            step.ledger.outbox.delta("tool_call_delta", step.key, step.attempt, delta.arguments, delta.index)

    async def pause(self) -> None:
        await self.step.ledger.tide.pause()

    async def settle(self, attempt: Attempt, outcome: Outcome) -> None:
        self.step.close_streams()
        metrics.step_attempts.labels("failed" if outcome.error else "done").inc()
        calls.count(attempt, outcome)
        if self.call_id is not None:
            draft = calls.usage_draft(self.step.key, self.step.attempt, attempt, outcome.usage)
            self.step.ledger.settle_call(draft, partial(calls.settle, self.call_id, attempt, outcome))

    def trimmed(self, cuts: Sequence[Cut]) -> None:
        """The text of the step holds all that was said; its end tells what of it was not kept."""
        self.step.trimmed += [asdict(cut) for cut in cuts]

    async def wait(self, attempt: Attempt, error: ModelError, seconds: float) -> None:
        self.step.ledger.outbox.tell(
            "retry",
            step=self.step.key,
            attempt=self.step.attempt,
            next_try=attempt.try_number + 1,
            seconds=round(seconds, 2),
            error=calls.error_data(error),
        )
