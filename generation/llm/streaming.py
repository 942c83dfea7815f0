"""What every adapter does alike: one request, read as it comes, under one clock, over connections of its own loop.

The official SDK makes the request; its typed stream is not used, because parsing every token with pydantic costs five
times the rest of the way. A stream succeeds only with a finish reason and a valid shape. An adapter adds what is its
own: the SDK's client, the body of a request, the call that sends it, and the reader of the chunks that come back.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import httpx2

from generation.llm.chunks import ChunkReader, Json
from generation.llm.faults import TRANSPORT, from_fault
from generation.llm.specs import ProviderSpec
from generation.llm.sse import EventReader
from generation.llm.timers import Pause, StreamClock, at_once
from generation.llm.values import Delta, ModelRequest, Timeouts
from memory.base.errors import ModelTimeout

# After the finish reason: usage may follow, then the last chunk that lets the connection be used again.
USAGE_LINGER = 2.0
CLOSE_LINGER = 0.1


class Client(Protocol):
    async def close(self) -> None: ...


C = TypeVar("C", bound=Client)


class StreamingAdapter(ABC, Generic[C]):
    """One provider behind an SDK; safe to use from several event loops, each has its own connections."""

    reader: ClassVar[type[ChunkReader]]
    error: ClassVar[type[Exception]]  # the family of the SDK's own errors

    def __init__(self, spec: ProviderSpec) -> None:
        self.spec = spec
        self._clients: dict[asyncio.AbstractEventLoop, C] = {}
        self._faults = (*TRANSPORT, self.error)

    @abstractmethod
    def connect(self) -> C:
        """A client without retries that goes where the table says, not where a response points to."""

    @abstractmethod
    def body(self, model: str, request: ModelRequest) -> Json:
        """The request in the wire format."""

    @abstractmethod
    def send(self, client: C, wire: Json, **options: Any) -> AbstractAsyncContextManager[Any]:
        """The call of the SDK that posts `wire` and hands out its raw response; `options` are for the SDK."""

    async def stream(
        self, model: str, request: ModelRequest, *, timeouts: Timeouts, request_id: str, pause: Pause = at_once
    ) -> AsyncGenerator[Delta, None]:
        """The deltas of one answer, ending normally only when it is whole; every fault is a ModelError.

        Closing or cancelling the generator closes the connection at once.
        """
        clock, events, chunks = StreamClock(timeouts), EventReader(), self.reader()
        async with AsyncExitStack() as stack:
            stack.callback(clock.stop)
            sending = self._sending(self.body(model, request), timeouts, request_id)
            pieces = await self._open(stack, sending, clock)
            while piece := await self._next(pieces, clock, chunks):
                for data in events.feed(piece):
                    for delta in chunks.read(data):
                        clock.content()
                        yield delta
                if chunks.finish is not None:
                    clock.linger(CLOSE_LINGER if chunks.done else USAGE_LINGER)
                else:
                    await pause()
        chunks.check()

    async def close(self) -> None:
        """Closes the connections of the running event loop; to be called before the loop ends."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    def _sending(self, wire: Json, timeouts: Timeouts, request_id: str) -> AbstractAsyncContextManager[Any]:
        return self.send(
            self._client(),
            wire,
            # As it is: the SDK would walk through every message to rename keys that are right already.
            extra_body=wire,
            # Compressed tokens would wait for each other in the provider's compressor.
            extra_headers={"X-Client-Request-Id": request_id, "Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(None, connect=timeouts.connect),
        )

    async def _open(
        self, stack: AsyncExitStack, sending: AbstractAsyncContextManager[Any], clock: StreamClock
    ) -> AsyncGenerator[bytes, None]:
        try:
            response = await clock.wait(stack.enter_async_context(sending))
        except self._faults as fault:
            raise from_fault(fault, started=False) from fault
        pieces: AsyncGenerator[bytes, None] = response.http_response.aiter_bytes()
        return await stack.enter_async_context(aclosing(pieces))

    async def _next(self, pieces: AsyncGenerator[bytes, None], clock: StreamClock, chunks: ChunkReader) -> bytes | None:
        """The next bytes, None at the end; once the text is complete a fault is just another end."""
        try:
            return await clock.wait(anext(pieces, None))
        except ModelTimeout:
            if chunks.finish is None:
                raise
        except self._faults as fault:
            if chunks.finish is None:
                raise from_fault(fault, started=True) from fault
        return None

    def _client(self) -> C:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = self.connect()
        return self._clients[loop]
