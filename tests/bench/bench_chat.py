"""Conversations: how soon a question is with the model, how soon its first word is with the reader, many at once, and
what a panel takes beside the slowest of its agents, how soon an answer stops.

The demo model begins after 1 s and writes 50 tokens/s, as providers do; the figures are milliseconds but where it says.
"""

import asyncio
import os
import platform
import statistics
import time
from datetime import datetime
from typing import Any
from uuid import uuid4

import aiohttp
import django
import httpx

from tests.bench.bench_notes import demo_model
from tests.bench.bench_stream import desk
from tests.bench.house import House
from tests.bench.promises import Promises

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "10"))
AT_ONCE = 100
USERS = 10
MESSAGES = 5_000
FIRST_TOKEN = 1.0  # seconds, of the demo model
QUESTION = "Explain loops in Python in about 100 words."
TO_MODEL, FIRST_WORD, PANEL, STOPPED = 200, 50, 100, 500
CPU = 0.10  # seconds for 1 000 tokens (DESIGN 16)


class Reader:
    """One user with a socket: says something, follows the answer, and knows when its first word came."""

    def __init__(self, house: House, token: str, session: aiohttp.ClientSession) -> None:
        self.url = f"http://127.0.0.1:{house.port}"
        self.token = token
        self.session = session

    async def open(self) -> None:
        self.socket = await self.session.ws_connect(f"{self.url}/ws/", max_msg_size=0)
        await self.socket.send_json({"type": "token", "token": self.token})
        await self.socket.receive()

    async def ask(self, **facts: Any) -> dict[str, Any]:
        """When it was sent, when the first word and the end came, and which run it was."""
        began, first = time.time(), 0.0
        await self.socket.send_json({"type": "send", "key": str(uuid4()), "text": QUESTION, **facts})
        run = ""
        async for message in self.socket:
            frame = message.json()
            if frame["type"] == "error":
                raise RuntimeError(message.data)
            if frame["type"] == "accepted" and "run" in frame:
                run = frame["run"]
                await self.socket.send_json({"type": "follow", "run": run, "since": 0, "html": True})
            for event in frame.get("events", ()):
                if event["type"] in ("content_delta", "reasoning_delta"):
                    first = first or time.time()
                if event["type"] == "done":
                    return {"began": began, "first": first, "ended": time.time(), "run": run, **event["data"]}
        raise RuntimeError("the socket was closed")

    async def stop(self) -> float:
        """Milliseconds from the wish to stop an answer that is being written to its last event."""
        wished, run = 0.0, ""
        text = "Explain loops in Python in about 400 words."
        await self.socket.send_json({"type": "send", "key": str(uuid4()), "text": text})
        async for message in self.socket:
            frame = message.json()
            if frame["type"] == "accepted" and "message" in frame:
                run = frame["run"]
                await self.socket.send_json({"type": "follow", "run": run, "since": 0, "html": True})
            for event in frame.get("events", ()):
                if event["type"] == "content_delta" and not wished:
                    wished = time.time()
                    await self.socket.send_json({"type": "stop", "run": run})
                if event["type"] == "done":
                    return (time.time() - wished) * 1000
        raise RuntimeError("the socket was closed")


class Model:
    """What the demo model has seen."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url.removesuffix("/v1"), timeout=30)

    def reset(self) -> None:
        self.http.post("/stats/reset").raise_for_status()

    def log(self) -> list[dict[str, Any]]:
        return sorted(self.http.get("/stats").json()["log"], key=lambda each: float(each["started"]))


async def one_by_one(reader: Reader, model: Model, **facts: Any) -> tuple[list[float], list[float]]:
    """Milliseconds from sending to the model, and from the model's first word to the reader."""
    to_model, first_word = [], []
    for _ in range(ROUNDS):
        model.reset()
        told = await reader.ask(**facts)
        (request, *_) = model.log()
        to_model.append((request["started"] - told["began"]) * 1000)
        first_word.append((told["first"] - request["started"] - FIRST_TOKEN) * 1000)
        await asyncio.sleep(1)  # its title is somebody else's question
    return to_model, first_word


async def panels(reader: Reader, model: Model) -> list[float]:
    """Milliseconds that a panel takes beside the slowest of its three requests."""
    found = []
    headers = {"Authorization": f"Bearer {reader.token}"}
    for _ in range(ROUNDS):
        model.reset()
        told = await reader.ask(panel=True)
        slowest = max(each["ended"] - each["started"] for each in model.log()[:3])
        async with reader.session.get(f"{reader.url}/api/v1/runs/{told['run']}", headers=headers) as answer:
            run = await answer.json()
        took = datetime.fromisoformat(run["finished_at"]) - datetime.fromisoformat(run["created_at"])
        found.append((took.total_seconds() - slowest) * 1000)
        await asyncio.sleep(1)
    return found


async def all_at_once(house: House, readers: list[Reader], model: Model) -> tuple[float, float, float, int]:
    """Wall seconds over one alone, CPU seconds for 1 000 tokens, p95 of the first word, answers that are not done."""
    model.reset()
    before = sum(house.cpu().values())
    began = time.monotonic()
    told = await asyncio.gather(*(reader.ask() for reader in readers))
    wall = time.monotonic() - began
    spent = sum(house.cpu().values()) - before
    log = [each for each in model.log() if each["ended"]]  # titles may still be asked for
    tokens = sum(each["tokens_out"] for each in log)
    alone = max(each["ended"] - each["started"] for each in log)
    words = sorted((each["first"] - each["began"] - FIRST_TOKEN) * 1000 for each in told)
    unfinished = sum(each["state"] != "done" for each in told)
    return wall - alone, spent / tokens * 1000, words[int(len(words) * 0.95)], unfinished


def say(promises: Promises, what: str, figure: float, most: float | None) -> None:
    print(f"{what:64}{figure:9.2f}{promises.judge(what, figure, most)}", flush=True)


async def measure(house: House, model: Model, promises: Promises) -> None:
    tokens = desk(house, "people", str(USERS)).split()
    long = desk(house, "talk", str(MESSAGES), "reader-0").strip()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        readers = [Reader(house, tokens[n % USERS], session) for n in range(AT_ONCE)]
        first = Reader(house, tokens[0], session)
        await first.open()
        await first.ask()  # connections, imports and caches are not what is measured
        for name, facts in (("a new conversation", {}), (f"a conversation of {MESSAGES} messages", {"session": long})):
            to_model, first_word = await one_by_one(first, model, **facts)
            say(promises, f"{name}: from sending to the model, median", statistics.median(to_model), TO_MODEL)
            say(promises, f"{name}: from the model's first word, median", statistics.median(first_word), FIRST_WORD)
        stops = [await first.stop() for _ in range(ROUNDS)]
        say(promises, "from the wish to stop to the last event, median", statistics.median(stops), STOPPED)
        say(promises, "a panel, beside its slowest agent", statistics.median(await panels(first, model)), PANEL)
        for reader in readers:  # not sooner: who does not read answers no ping, and is cut
            await reader.open()
        beside, cpu, word, unfinished = await all_at_once(house, readers, model)
        say(promises, f"{AT_ONCE} at once: seconds beside the longest request", beside, None)
        say(promises, f"{AT_ONCE} at once: from sending to the first word, p95, beside the model", word, None)
        say(promises, f"{AT_ONCE} at once: CPU seconds for 1 000 tokens", cpu, CPU)
        say(promises, f"{AT_ONCE} at once: answers that are not done", unfinished, 0)


def main() -> None:
    versions = f"Python {platform.python_version()}, Django {django.__version__}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {versions}; of {ROUNDS} rounds")
    promises = Promises()
    with demo_model() as url, House(1, DEMO_BASE_URL=url, TURNS_OPEN_PER_USER="1000") as house:
        asyncio.run(measure(house, Model(url), promises))
    promises.end()


if __name__ == "__main__":
    main()
