"""A carrier in the test's own loop, the demo model as a process, and runs to carry."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from django.conf import settings
from pytest_django.fixtures import Settings
from redis import Redis

from generation import claims, documents, runs
from generation.carrier import Carrier
from generation.events import Cursor
from generation.manuscripts import Block
from generation.models import END_STATES, Claim, Document, Queue, Run, RunState, Step
from generation.orders import Order
from generation.recipes.base import Recipe
from generation.registry import recipe_of
from memory.base.database import db as in_database
from memory.base.news import bell
from tests import instructions
from tests.generation.portfolios import Portfolio
from tests.jobs import AnyOptions
from tests.patience import PATIENCE_SECONDS
from tests.people import People
from tests.rest import Rest


def wake() -> None:
    """No model rests any longer because of what it was told to do."""
    with Redis.from_url(settings.REDIS_URL) as redis:
        redis.flushdb()


class Demo:
    """The demo model of this session; `set` changes how it answers until the test is over."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url.removesuffix("/v1"), timeout=PATIENCE_SECONDS)

    def set(self, **how: Any) -> None:
        self.http.post("/control", json=how).raise_for_status()

    def stats(self) -> dict[str, Any]:
        return dict(self.http.get("/stats").json())

    def reset(self) -> None:
        self.set(fault_rate=0, faults=None, rules=[], seed=0, first_token_ms=0, tokens_per_second=0)
        self.http.post("/stats/reset").raise_for_status()


@pytest.fixture(scope="session")
def demo_process() -> Iterator[Demo]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DEMO_FIRST_TOKEN_MS": "0", "DEMO_TOKENS_PER_SECOND": "0"}
    process = subprocess.Popen([sys.executable, "-m", "generation.demo", "--port", str(port)], env=environment)
    demo = Demo(f"http://127.0.0.1:{port}/v1")
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            demo.http.get("/stats")
            break
        except httpx.TransportError:
            assert time.monotonic() < until, "the demo model does not start"
            time.sleep(0.05)
    yield demo
    demo.http.close()
    process.terminate()
    process.wait(PATIENCE_SECONDS)


@pytest.fixture
def demo(demo_process: Demo, settings: Settings) -> Demo:
    demo_process.reset()
    forget_pauses()
    settings.DEMO_BASE_URL = demo_process.url
    return demo_process


def forget_pauses() -> None:
    """What another test did to the model is forgiven."""
    with Redis.from_url(os.environ["REDIS_URL"]) as redis:
        for mark in redis.scan_iter("*llm:breaker:*"):
            redis.delete(mark)


@pytest.fixture
def owner(people: People) -> Rest:
    return Rest(people.owner)


@pytest.fixture
def note(people: People) -> Document:
    return documents.create("note", "Loops", {}, user=people.owner, workspace=people.workspace)


@pytest.fixture
def course(people: People) -> Document:
    return documents.create("course", "Loops", {}, user=people.owner, workspace=people.workspace)


@pytest.fixture
def house(people_committed: People, demo: Demo) -> People:
    """Committed people, prompts and agents: a house in which runs can be written."""
    instructions.give()
    return people_committed


Start = Callable[..., Awaitable[Run]]


@pytest.fixture
def start(house: People) -> Start:
    """Start a run of the note, or of any job of the tests, on the web queue."""

    async def start_run(job: str = "", brief: str = "Three sections on loops in Python.", **facts: Any) -> Run:
        recipe = Recipe("test", job, options=AnyOptions) if job else recipe_of(facts.pop("kind", "note"))
        queue = facts.pop("queue", Queue.WEB)
        user = facts.pop("user", house.owner)
        key = facts.pop("key", None)
        run, _ = await in_database(
            runs.start, recipe, Order(brief, **facts), user=user, workspace=house.workspace, key=key, queue=queue
        )
        return run

    return start_run


@pytest_asyncio.fixture
async def ringing() -> AsyncIterator[None]:
    """The bell of this process, open in the test's loop."""
    await bell.open()
    yield
    await bell.close()


@pytest_asyncio.fixture
async def carrier(house: People, ringing: None) -> AsyncIterator[Carrier]:
    """A carrier at work in this loop, as in the web process."""
    one = Carrier([Queue.WEB, Queue.DEFAULT, Queue.HIGH], 100, waited=0)
    await one.open()
    claiming = asyncio.create_task(one.claim_for_ever())
    yield one
    one.claiming = False
    await claiming
    await one.close()


async def state_of(run: Run) -> Claim:
    return await in_database(lambda: Claim.objects.get(run_id=run.id))


async def taken(start: Start) -> tuple[Run, Cursor]:
    """A run that nobody carries, in the hands of the test."""
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    return run, (await in_database(claims.take, "owner:1:x", run.id, True))[0].cursor


async def ended(run: Run, within: float = PATIENCE_SECONDS) -> Claim:
    """The claim of the run once it has ended."""
    return await reached(run, *END_STATES, within=within)


async def reached(run: Run, *states: RunState, within: float = PATIENCE_SECONDS) -> Claim:
    until = time.monotonic() + within
    while (claim := await state_of(run)).state not in states:
        assert time.monotonic() < until, f"still {claim.state} after {within} s"
        await asyncio.sleep(0.02)
    return claim


async def until_asked(demo: Demo) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not demo.stats()["in_flight"]:
            await asyncio.sleep(0.02)


async def recorded_text(run: Run) -> dict[str, str]:
    """The recorded text of each step."""
    return await in_database(lambda: dict(Step.objects.filter(run=run).values_list("key", "text")))


async def blocks_of(run: Run) -> tuple[Block, ...]:
    """What the run has written, as a reader meets it."""

    def read() -> tuple[Block, ...]:
        document = Document.objects.get(runs=run)
        manuscript = recipe_of(run.kind).manuscript
        assert manuscript is not None
        return manuscript(document).blocks

    return await in_database(read)


def count(blocks: tuple[Block, ...], kind: type[Block]) -> int:
    return sum(isinstance(block, kind) for block in blocks)


@pytest.fixture
def portfolio(people_committed: People) -> Portfolio:
    return Portfolio(people_committed)
