"""How long notes take against the longest chain of their own calls, and against all calls one after another.

The demo model begins after 1 s and writes 50 tokens/s, as providers do; the figures are seconds.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import django
import httpx

from config.supervisor.house import BASE, free_port
from tests.bench.bench_stream import desk
from tests.bench.house import House
from tests.bench.promises import Promises

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
MOST_RATIO = 1.10  # of the wall time to the longest chain of calls (DESIGN 16)
DAPHNE, UVICORN = "daphne", "uvicorn"

# what, under which server, how many notes, on which queue
ROWS: tuple[tuple[str, str, int, str], ...] = (
    ("1 note, a worker", DAPHNE, 1, "default"),
    ("1 note, the web process (Daphne)", DAPHNE, 1, "web"),
    ("16 notes, two workers", DAPHNE, 16, "default"),
    ("1 note, the web process (uvicorn)", UVICORN, 1, "web"),
)


@contextmanager
def demo_model() -> Iterator[str]:
    port = free_port()
    pace = {"DEMO_FIRST_TOKEN_MS": "1000", "DEMO_TOKENS_PER_SECOND": "50"}
    command = [sys.executable, "-m", "generation.demo", "--port", str(port)]
    process = subprocess.Popen(command, cwd=BASE, env={**os.environ, **pace}, stdout=subprocess.DEVNULL)
    try:
        until_it_answers(f"http://127.0.0.1:{port}/stats")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(5)


def until_it_answers(url: str) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            time.sleep(0.1)
    sys.exit("The demo model does not start.")


def one_round(house: House, count: int, queue: str) -> tuple[float, float, float, int]:
    """Wall time from the first order to the last end, longest chain, sum of all calls, notes that are not done."""
    notes = [json.loads(line) for line in desk(house, "write", str(count), "note", queue).splitlines()]
    wall = max(note["ended"] for note in notes) - min(note["began"] for note in notes)
    unfinished = sum(note["state"] != "done" for note in notes)
    return wall, max(note["chain"] for note in notes), sum(note["sum"] for note in notes), unfinished


def report(house: House, name: str, count: int, queue: str, promises: Promises) -> None:
    rounds = [one_round(house, count, queue) for _ in range(ROUNDS)]
    wall, chain, everything = (statistics.median(one[n] for one in rounds) for n in range(3))
    ratio = statistics.median(one[0] / one[1] for one in rounds)
    unfinished = sum(one[3] for one in rounds)
    judged = "ratio" + promises.judge(f"ratio of {name}", ratio, MOST_RATIO)
    judged += ", unfinished" + promises.judge(f"unfinished of {name}", unfinished, 0)
    print(f"{name:36}{wall:8.2f}{chain:8.2f}{ratio:8.3f}{everything:12.2f}{unfinished:12}  {judged}", flush=True)


def main() -> None:
    versions = f"Python {platform.python_version()}, Django {django.__version__}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {versions}; seconds, median of {ROUNDS}")
    print(f"{'':36}{'wall':>8}{'chain':>8}{'ratio':>8}{'one by one':>12}{'unfinished':>12}")
    promises = Promises()
    with demo_model() as url:
        for server in (DAPHNE, UVICORN):
            with House(2, server, DEMO_BASE_URL=url) as house:
                one_round(house, 1, "web")  # connections, imports and caches are not what is measured
                for name, _, count, queue in (row for row in ROWS if row[1] == server):
                    report(house, name, count, queue, promises)
    promises.end()


if __name__ == "__main__":
    main()
