"""CPU and lateness of reading N model streams: the bare SDK's typed stream next to our adapter.

python -m tests.bench.bench_sse --streams 100 --rate 50 --tokens 200 --rounds 3
"""

import argparse
import asyncio
import multiprocessing
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from multiprocessing.connection import Connection

import openai

from generation.llm.openai import OpenAIChat
from generation.llm.specs import ProviderSpec
from generation.llm.values import ContentDelta, Message, ModelRequest, Timeouts

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
EVENT = (
    '{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"bench",'
    '"system_fingerprint":"fp_0","choices":[{"index":0,"delta":{"content":%s},"logprobs":null,"finish_reason":%s}]}'
)
REQUEST = ModelRequest((Message("user", "go"),))

Reader = Callable[[str], AsyncIterator[str]]


@dataclass
class Pace:
    tokens: int
    rate: float
    first: float = 0.0  # seconds until the first token, as a model thinks before it speaks


def serve(pace: Pace, ready: Connection) -> None:
    """The upstream, in a process of its own so that its CPU is not counted. A token is the time it was sent."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        writer.write(HEAD)
        start = time.monotonic() + pace.first
        for number in range(pace.tokens):
            await asyncio.sleep(start + number / pace.rate - time.monotonic())
            writer.write(chunk(EVENT % (f'"{time.monotonic():.6f} "', "null")))
        writer.write(chunk(EVENT % ('""', '"stop"')) + chunk("[DONE]") + b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    def chunk(data: str) -> bytes:
        event = f"data: {data}\n\n".encode()
        return f"{len(event):x}\r\n".encode() + event + b"\r\n"

    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1024)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def typed(url: str, http_client: object = None) -> tuple[Reader, Callable[[], Awaitable[None]]]:
    client = openai.AsyncOpenAI(api_key="-", base_url=url, max_retries=0, http_client=http_client)  # type: ignore[arg-type]

    async def read(model: str) -> AsyncIterator[str]:
        stream = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "go"}], stream=True
        )
        async for part in stream:
            if part.choices and part.choices[0].delta.content:
                yield part.choices[0].delta.content

    return read, client.close


def typed_aiohttp(url: str) -> tuple[Reader, Callable[[], Awaitable[None]]]:
    return typed(url, openai.DefaultAioHttpClient())


def adapter(url: str) -> tuple[Reader, Callable[[], Awaitable[None]]]:
    provider = OpenAIChat(ProviderSpec("bench", "openai", url))

    async def read(model: str) -> AsyncIterator[str]:
        async with aclosing(provider.stream(model, REQUEST, timeouts=Timeouts(), request_id="bench")) as deltas:
            async for delta in deltas:
                if isinstance(delta, ContentDelta):
                    yield delta.text

    return read, provider.close


CLIENTS = {"SDK typed stream": typed, "SDK typed, aiohttp": typed_aiohttp, "our adapter": adapter}


async def measure(name: str, url: str, streams: int) -> tuple[float, list[float], int]:
    """CPU seconds of this process, the lateness of every token in milliseconds, and their number."""
    read, close = CLIENTS[name](url)
    late: list[float] = []

    async def follow() -> None:
        late.extend([(time.monotonic() - float(token)) * 1000 async for token in read("bench")])

    await follow()  # connections, imports and caches are not what is measured
    late.clear()
    before = time.process_time()
    await asyncio.gather(*(follow() for _ in range(streams)))
    spent = time.process_time() - before
    await close()
    return spent, late, len(late)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50, help="tokens per second of each stream")
    parser.add_argument("--tokens", type=int, default=200, help="tokens of each stream")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    upstream = multiprocessing.Process(target=serve, args=(Pace(args.tokens, args.rate), theirs), daemon=True)
    upstream.start()
    url = f"http://127.0.0.1:{ours.recv()}/v1"
    print(f"Python {platform.python_version()}, openai {openai.__version__}, {platform.machine()}: ", end="")
    print(f"{args.streams} streams of {args.tokens} tokens at {args.rate:g}/s, median of {args.rounds}")
    print(f"{'reader':<20}{'CPU s / 1 000 tokens':>22}{'late p50 ms':>14}{'late p99 ms':>14}")
    for name in CLIENTS:
        rounds = [asyncio.run(measure(name, url, args.streams)) for _ in range(args.rounds)]
        cpu = statistics.median(spent / tokens * 1000 for spent, _, tokens in rounds)
        late = sorted(value for _, values, _ in rounds for value in values)
        print(f"{name:<20}{cpu:>22.4f}{late[len(late) // 2]:>14.1f}{late[len(late) * 99 // 100]:>14.1f}")
        sys.stdout.flush()
    upstream.terminate()


if __name__ == "__main__":
    main()
