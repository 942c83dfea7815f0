"""A provider of the tests: a raw socket that speaks the wire format, and breaks it as real providers do."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self

SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Wire:
    """The provider's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def stream(self, *pieces: bytes) -> None:
        """Each piece is a chunk of its own in a response that is left open."""
        await self.send(SSE)
        for piece in pieces:
            await self.chunk(piece)

    async def chunk(self, piece: bytes) -> None:
        await self.send(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")

    async def end(self) -> None:
        await self.send(b"0\r\n\r\n")

    async def respond(self, status: str, body: str, *headers: str) -> None:
        lines = (f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", *headers, "", body)
        await self.send("\r\n".join(lines).encode())

    async def hang(self) -> None:
        """Until the client leaves."""
        await self.reader.read()
        self.cut()

    def cut(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


Play = Callable[[Wire], Awaitable[None]]


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class Upstream:
    """Plays one behaviour per request, the last one again and again, and remembers what it was asked."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.left = asyncio.Event()
        self._plays: list[Play] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def plays(self, *plays: Play) -> None:
        self._plays = list(plays)

    def streams(self, *pieces: bytes) -> None:
        self.plays(whole(*pieces))

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._converse(Wire(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, wire: Wire) -> None:
        try:
            while not wire.writer.is_closing():
                self.received.append(await self._read(wire.reader))
                play = self._plays.pop(0) if len(self._plays) > 1 else self._plays[0]
                await play(wire)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.left.set()
            wire.cut()

    async def _read(self, reader: asyncio.StreamReader) -> Received:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
        return Received(
            head[0].split(" ")[1], headers, json.loads(await reader.readexactly(int(headers["content-length"])))
        )


def whole(*pieces: bytes) -> Play:
    async def play(wire: Wire) -> None:
        await wire.stream(*pieces)
        await wire.end()

    return play


def responds(status: str, body: str, *headers: str) -> Play:
    async def play(wire: Wire) -> None:
        await wire.respond(status, body, *headers)

    return play


def event(**chunk: Any) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def part(**delta: Any) -> bytes:
    return event(choices=[{"index": 0, "delta": delta, "finish_reason": None}])


def finish(reason: str = "stop") -> bytes:
    return event(choices=[{"index": 0, "delta": {}, "finish_reason": reason}])


USAGE = event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9})
DONE = b"data: [DONE]\n\n"
HELLO = (part(role="assistant", content=""), part(content="Hello "), part(content="you"), finish(), USAGE, DONE)
