"""Sends one answer at its pace, and lets the fault that is aimed at it have its moment.

What is counted as sent has been written: a stream that is cut counts the tokens before the cut.
"""

import time
from collections.abc import Sequence
from secrets import token_hex

from generation.demo.answer import Answer, Piece
from generation.demo.compose import compose
from generation.demo.control import Demo
from generation.demo.faults import Fault
from generation.demo.line import BrokenError, Line
from generation.demo.pace import Clock
from generation.demo.request import ChatRequest
from generation.demo.stats import Served
from generation.demo.wire import DONE, Chunks, whole


async def deliver(
    chat: ChatRequest, fault: Fault, line: Line, served: Served, demo: Demo, given: Answer | None = None
) -> None:
    """Composes the answer, unless it is given, and sends it. Raises ConnectionError when the client has gone."""
    answer = compose(chat, demo.aim.seed) if given is None else given
    delivery = Delivery(chat, fault, line, served, demo, answer)
    try:
        if fault.before:
            await fault.before(line)
        await line.open()
        await (delivery.stream() if chat.stream else delivery.whole())
    except BrokenError:
        served.state = "failed"


class Delivery:
    """One answer on its way."""

    def __init__(self, chat: ChatRequest, fault: Fault, line: Line, served: Served, demo: Demo, answer: Answer) -> None:
        self._clock = Clock(lambda: demo.pace)
        self._chat = chat
        self._fault = fault
        self._line = line
        self._served = served
        self._reply = f"chatcmpl-{token_hex(12)}"
        self._answer = fault.spoil(answer, chat.schema) if fault.spoil else answer

    async def stream(self) -> None:
        """The answer as events, each token when it is due."""
        chat, answer = self._chat, self._answer
        chunks = Chunks(self._reply, chat.model, int(time.time()), answer, counts=chat.counts)
        await self._line.write(chunks.opening())
        middle = len(answer.pieces) // 2
        await self._deal(answer.pieces[:middle], chunks)
        await self._midway()
        await self._deal(answer.pieces[middle:], chunks)
        done = DONE if self._fault.done else b""
        await self._line.write(chunks.closing() + chunks.usage(chat.tokens_in) + done)

    async def whole(self) -> None:
        """The answer in one piece, when its last token would have been due."""
        await self._clock.wait_for(len(self._answer.pieces))
        body = whole(self._reply, self._chat.model, int(time.time()), self._answer, self._chat.tokens_in)
        await self._line.write(body[: len(body) // 2])
        await self._midway()
        await self._line.write(body[len(body) // 2 :])
        self._served.tokens_out = len(self._answer.pieces)

    async def _deal(self, pieces: Sequence[Piece], chunks: Chunks) -> None:
        async for batch in self._clock.deal(pieces):
            await self._line.write(chunks.tokens(batch))
            self._served.tokens_out += len(batch)

    async def _midway(self) -> None:
        if self._fault.midway:
            await self._fault.midway(self._line)
