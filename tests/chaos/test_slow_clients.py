"""Clients that take nothing: what waits for them in the web process is bounded, and nobody else notices them."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from uuid import UUID

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.chaos.followers import bearer, by_socket, following
from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack
from tests.patience import PATIENCE_SECONDS

SOCKETS, PINGING, STREAMS = 8, 4, 4
# The log that each of them follows: 16 million letters. A range of it is longer than a frame that comes in may be.
PIECE, PIECES = "détail " * 285, 8_000
MOST_EACH = 12_000_000  # credit, mailbox and what holds them
FILL = """
WITH told AS (
    INSERT INTO generation_event (run_id, seq, type, data, at)
    SELECT %(run)s, n, 'content_delta', jsonb_build_object('step', 'long', 'attempt', 1, 'text', %(piece)s::text),
           now()
    FROM generate_series(2, %(last)s - 1) n
    UNION ALL SELECT %(run)s, %(last)s, 'done', '{"state": "done"}', now()
)
UPDATE generation_claim SET state = 'done', last_seq = %(last)s WHERE run_id = %(run)s
"""


def long_log(stack: Stack) -> UUID:
    """A run that has ended with a long text."""
    run = stack.begin("low")  # on which no worker of this house is
    with stack.sql() as sql:
        sql.execute(FILL, {"run": run, "last": PIECES + 2, "piece": PIECE})
        sql.execute("UPDATE generation_run SET finished_at = now(), progress = 100 WHERE id = %s", [run])
    return run


@asynccontextmanager
async def following_socket(stack: Stack, run: UUID) -> AsyncIterator[ClientConnection]:
    """Takes no more than one frame ahead of its reader: its buffer is full then, and the network pushes back."""
    address = stack.url.replace("http", "ws", 1) + "/ws/"
    async with connect(address, max_size=None, max_queue=1, compression=None, ping_interval=None) as socket:
        await socket.send(orjson.dumps({"type": "token", "token": stack.secrets["owner"]}).decode())
        await socket.send(orjson.dumps({"type": "follow", "run": str(run), "since": 0}).decode())
        yield socket


@asynccontextmanager
async def silent_socket(stack: Stack, run: UUID) -> AsyncIterator[None]:
    """Takes the beginning and nothing more."""
    async with following_socket(stack, run) as socket:
        while orjson.loads(await socket.recv())["type"] != "events":
            pass
        yield
        socket.transport.abort()  # nobody says good-bye either


@asynccontextmanager
async def pinging_socket(stack: Stack, run: UUID) -> AsyncIterator[None]:
    """Says again and again that it lives, and takes as little."""

    async def ping(socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await socket.send('{"type":"ping"}')
                await asyncio.sleep(0.02)

    async with following_socket(stack, run) as socket:
        pinging = asyncio.create_task(ping(socket))
        yield
        async with asyncio.timeout(PATIENCE_SECONDS):
            await pinging  # until it is turned out


@asynccontextmanager
async def silent_stream(stack: Stack, run: UUID) -> AsyncIterator[None]:
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.port)
    headers = {"Host": "127.0.0.1", "Accept": "text/event-stream", **bearer(stack.secrets["owner"])}
    lines = [f"GET /api/v1/runs/{run}/events HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    await reader.readuntil(b"data: ")
    yield
    writer.transport.abort()


def peak(pid: int) -> int:
    """Bytes that the process held at most since `forget_peak`."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def followers_open(stack: Stack) -> float:
    told = httpx.get(f"{stack.url}/metrics", timeout=10).text
    return sum(float(number) for number in re.findall(r"^followers_open(?:\{[^}]*\})? (\S+)$", told, re.MULTILINE))


async def test_clients_that_take_nothing_hold_no_more_than_their_share(stack: Stack) -> None:
    run = await asyncio.to_thread(long_log, stack)
    web = stack.keepers["web"].pid
    forget_peak(web)
    before = peak(web)
    async with AsyncExitStack() as clients, following(stack.url) as others:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for silent in [silent_socket] * SOCKETS + [pinging_socket] * PINGING + [silent_stream] * STREAMS:
                await clients.enter_async_context(silent(stack, run))
        await asyncio.to_thread(wait_until, lambda: followers_open(stack) == 0, "all of them to be given up")
        held = peak(web) - before
        others.follow(run, by_socket, stack.secrets["owner"])
        await others.until_all_ended()
    assert held < (SOCKETS + PINGING + STREAMS) * MOST_EACH
    assert others.violations({(run, "long"): PIECE * PIECES}) == []
