"""Chat Completions, for every endpoint that speaks them: OpenAI, Mistral, DeepSeek, Gemini, Ollama, vLLM, the demo.

The official SDK makes the request; its typed stream is not used, because parsing every token with pydantic costs
five times the rest of the way. A stream succeeds only with a finish reason and a valid shape.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from typing import Any

import httpx2
from openai import AsyncOpenAI, DefaultAioHttpClient

from generation.llm.chat_request import body
from generation.llm.chat_stream import ChunkReader
from generation.llm.faults import FAULTS, from_fault
from generation.llm.specs import ProviderSpec
from generation.llm.sse import EventReader
from generation.llm.timers import Pause, StreamClock, at_once
from generation.llm.values import Delta, ModelRequest, Timeouts
from memory.base.errors import ModelTimeout

# After the finish reason: usage may follow, then the last chunk that lets the connection be used again.
USAGE_LINGER = 2.0
CLOSE_LINGER = 0.1


class OpenAIChat:
    """One provider behind Chat Completions; safe to use from several event loops, each has its own connections."""

    def __init__(self, spec: ProviderSpec) -> None:
        self.spec = spec
        self._clients: dict[asyncio.AbstractEventLoop, AsyncOpenAI] = {}

    async def stream(
        self, model: str, request: ModelRequest, *, timeouts: Timeouts, request_id: str, pause: Pause = at_once
    ) -> AsyncGenerator[Delta, None]:
        """The deltas of one answer, ending normally only when it is whole; every fault is a ModelError.

        Closing or cancelling the generator closes the connection at once.
        """
        clock, events, chunks = StreamClock(timeouts), EventReader(), ChunkReader()
        async with AsyncExitStack() as stack:
            stack.callback(clock.stop)
            sending = self._sending(body(model, request, self.spec), timeouts, request_id)
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

    def _sending(self, wire: dict[str, Any], timeouts: Timeouts, request_id: str) -> AbstractAsyncContextManager[Any]:
        return self._client().chat.completions.with_streaming_response.create(
            model=wire["model"],
            messages=[],
            stream=True,
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
        except FAULTS as fault:
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
        except FAULTS as fault:
            if chunks.finish is None:
                raise from_fault(fault, started=True) from fault
        return None

    def _client(self) -> AsyncOpenAI:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = AsyncOpenAI(
                # The SDK insists on a key; endpoints without keys ignore it.
                api_key=self.spec.api_key or "-",
                base_url=self.spec.base_url,
                max_retries=0,
                # Keys and prompts go where the table says, not where a response points to.
                http_client=DefaultAioHttpClient(follow_redirects=False),
            )
        return self._clients[loop]
