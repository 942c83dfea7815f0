"""N streams of 50 tokens/s from a provider to sockets that ask for HTML: CPU per 1 000 tokens and added latency.

python -m tests.bench.bench_stream --streams 1 10 50 100 200 --tokens 200 --rounds 3

Every token is the time at which the provider sent it, so that a socket can say how late it is. Counted: web, workers,
PostgreSQL and Redis; not the provider, not the sockets' clients. The bare SDK client reads the same provider.
"""

import argparse
import asyncio
import multiprocessing
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from multiprocessing.connection import Connection

import aiohttp
import orjson

from config.supervisor.house import BASE
from tests.bench.bench_sse import Pace, measure, serve
from tests.bench.house import House
from tests.bench.promises import Promises

SOCKETS_PER_USER = 25
TOKEN = re.compile(r"\d+\.\d{6} ")


class Reader:
    """One socket that follows one run to its end and says how late each token was."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.late: list[float] = []
        self.text = ""
        self.blocks = 0

    async def open(self, session: aiohttp.ClientSession, url: str) -> None:
        self.socket = await session.ws_connect(url, max_msg_size=0)
        await self.socket.send_str(orjson.dumps({"type": "token", "token": self.token}).decode())
        await self.socket.receive()

    async def read(self, run: str) -> None:
        await self.socket.send_str(orjson.dumps({"type": "follow", "run": run, "since": 0, "html": True}).decode())
        async for message in self.socket:
            if self.hear(message.data, time.monotonic()):
                break
        await self.socket.close()

    def hear(self, data: str, now: float) -> bool:
        frame = orjson.loads(data)
        if frame["type"] == "error":
            raise RuntimeError(data)
        self.blocks += frame["type"] == "block"
        for event in frame.get("events", ()):
            if event["type"] == "content_delta":
                self.text += event["data"]["text"]
                self.late += [(now - float(token)) * 1000 for token in TOKEN.findall(event["data"]["text"])]
            if event["type"] == "done":
                return True
        return False


def clients(port: int, pipe: Connection) -> None:
    """The sockets, in a process of their own: what they cost is not the house's."""

    async def run() -> None:
        readers = [Reader(token) for token in pipe.recv()]
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector) as session:
            url = f"http://127.0.0.1:{port}/ws/"
            await asyncio.gather(*(reader.open(session, url) for reader in readers))
            pipe.send("open")
            runs = await asyncio.to_thread(pipe.recv)
            await asyncio.gather(*(reader.read(run) for reader, run in zip(readers, runs, strict=True)))
        pipe.send([(reader.late, reader.blocks) for reader in readers])

    asyncio.run(run())


def desk(house: House, verb: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "tests.bench.desk", verb, *arguments]
    return subprocess.run(command, cwd=BASE, env=house.environment, check=True, capture_output=True, text=True).stdout


def one_round(
    house: House, tokens: list[str], streams: int, expected: int
) -> tuple[dict[str, float], list[float], int]:
    """CPU seconds by process, milliseconds late of every token, and how many sockets lack any of the expected."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=clients, args=(house.port, theirs), daemon=True)
    process.start()
    ours.send([tokens[n // SOCKETS_PER_USER] for n in range(streams)])
    ours.recv()  # a page's socket is open long before it follows anything
    before = house.cpu()
    ours.send(desk(house, "start", str(streams)).split())
    heard = ours.recv()
    spent = {name: value - before[name] for name, value in house.cpu().items()}
    process.join()
    late = [value for values, _ in heard for value in values]
    return spent, late, sockets_that_lack([values for values, _ in heard], expected)


def sockets_that_lack(heard: list[list[float]], expected: int) -> int:
    """How many did not get each token once."""
    return sum(len(values) != expected for values in heard)


def promised(streams: int) -> tuple[float | None, float | None, float | None]:
    """At most: CPU seconds per 1 000 tokens, and milliseconds late at p50 and p99 (DESIGN 16)."""
    cpu = 0.10 if streams == 100 else None
    if streams <= 10:
        return cpu, 12, 40
    return (cpu, 60, 150) if streams <= 100 else (cpu, None, None)


def share(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def report(
    house: House, tokens: list[str], streams: int, args: argparse.Namespace, url: str, promises: Promises
) -> None:
    rounds = args.rounds
    measured = [one_round(house, tokens, streams, args.tokens) for _ in range(rounds)]
    sent = streams * args.tokens
    total = statistics.median(1000 * sum(spent.values()) / sent for spent, _, _ in measured)
    parts = {name: statistics.median(1000 * spent[name] / sent for spent, _, _ in measured) for name in measured[0][0]}
    late = [value for _, values, _ in measured for value in values]
    bare = [asyncio.run(measure("SDK typed stream", url, streams)) for _ in range(rounds)]
    bare_cpu = statistics.median(1000 * spent / count for spent, _, count in bare)
    errors = sum(incomplete for _, _, incomplete in measured)
    figures = (total, share(late, 0.5), share(late, 0.99), errors)
    names, most = ("s/1000 tok", "p50", "p99", "errors"), (*promised(streams), 0)
    print(
        f"{streams:>8}{total:>12.3f}{bare_cpu:>12.3f}"
        f"{share(late, 0.5):>10.1f}{share(late, 0.99):>10.1f}{share(late, 1):>10.0f}{errors:>8}   "
        + " ".join(f"{name} {value:.3f}" for name, value in parts.items())
    )
    for name, figure, limit in zip(names, figures, most, strict=True):
        if said := promises.judge(f"{name} of {streams} streams", figure, limit):
            print(f"{'':8}{name}{said}")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, nargs="+", default=[1, 10, 50, 100, 200])
    parser.add_argument("--rate", type=float, default=50)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--first", type=float, default=3.0, help="seconds to the first token")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    upstream = multiprocessing.Process(
        target=serve, args=(Pace(args.tokens, args.rate, args.first), theirs), daemon=True
    )
    upstream.start()
    url = f"http://127.0.0.1:{ours.recv()}/v1"
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    with House(OPENAI_BASE_URL=url, OPENAI_API_KEY="bench", OPENAI_MODEL="bench") as house:
        tokens = desk(house, "people", str(-(-max(args.streams) // SOCKETS_PER_USER))).split()
        one_round(house, tokens, 4, args.tokens)  # connections, imports and caches are not what is measured
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}: ", end="")
        print(f"{args.tokens} tokens at {args.rate:g}/s after {args.first:g} s, median of {args.rounds}")
        print(f"{'streams':>8}{'s/1000 tok':>12}{'bare SDK':>12}{'p50':>10}{'p99':>10}{'max':>10}{'errors':>8}")
        promises = Promises()
        for streams in args.streams:
            report(house, tokens, streams, args, url, promises)
    upstream.terminate()
    promises.end()


if __name__ == "__main__":
    main()
