"""A page that opens in the middle of a run is sent what is new, whole and once: blocks as well as text."""

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest_asyncio
from django.test import AsyncClient

from generation import claims
from generation.blocks import KEPT, cut
from generation.events import Batch, Cursor, Draft, record
from generation.hub import Following, hub
from generation.models import Queue, Run, Step, StepState
from generation.rings import ring_batches
from memory.base.database import db as in_database
from memory.base.markdown import BlockCutter, render
from tests.generation.conftest import Start
from tests.patience import PATIENCE_SECONDS
from tests.people import People

PARAGRAPH = "What is *written* here is as long as what models write.\n\n"
COPIES = 1_000


@pytest_asyncio.fixture
async def listening(ringing: None) -> AsyncIterator[None]:
    await hub.open()
    yield
    await hub.close()


class Work:
    """A run that writes what the test says, step by step."""

    def __init__(self, run: Run, cursor: Cursor) -> None:
        self.run, self.cursor = run, cursor
        self.text: dict[str, str] = {}

    @classmethod
    async def begin(cls, start: Start) -> "Work":
        run = await start("tests.jobs.three_steps", queue=Queue.LOW)
        return cls(run, (await in_database(claims.take, "owner:1:x", run.id, True))[0].cursor)

    async def tell(self, *drafts: Draft, ring: bool = True) -> Batch:
        batch, _ = await in_database(record, self.cursor, list(drafts))
        if ring:
            ring_batches([batch])
        return batch

    async def open(self, step: str) -> None:
        await in_database(lambda: Step.objects.create(run=self.run, key=step, attempts=1))
        await self.tell(Draft.of("step", key=step, state="running", attempt=1))

    async def write(self, step: str, *pieces: str, ring: bool = True) -> None:
        self.text[step] = self.text.get(step, "") + "".join(pieces)
        deltas = [Draft.of("content_delta", step=step, attempt=1, text=piece) for piece in pieces]
        await self.tell(*deltas, ring=ring)

    async def end(self, step: str) -> None:
        await in_database(lambda: Step.objects.filter(run=self.run, key=step).update(state=StepState.DONE))
        await self.tell(Draft.of("step", key=step, state="done", attempt=1))


class Page:
    """What a page knows of a run: the snapshot it was drawn from, and all it was sent after it."""

    def __init__(self, run: Run, since: int = 0, texts: dict[str, str] | None = None) -> None:
        self.run, self.position = run, since
        self.texts = dict(texts or {})
        self.blocks = {step: cut(text).blocks for step, text in self.texts.items()}
        self.frames: list[str] = []
        self.following: Following | None = None

    @classmethod
    async def open(cls, client: AsyncClient, run: Run) -> "Page":
        picture = (await client.get(f"/api/v1/runs/{run.id}?text=1")).json()
        return cls(run, picture["last_seq"], {each["step"]: each["content"] for each in picture["text"]})

    def follow(self) -> None:
        self.following = hub.follow(self.run.id, self.position, self.hear, wants_html=True)

    def leave(self) -> None:
        if self.following:
            hub.leave(self.following)

    def hear(self, text: str) -> bool:
        self.frames.append(text)
        frame = orjson.loads(text)
        if frame["type"] == "block":
            known = self.blocks.setdefault(frame["step"], [])
            assert frame["n"] == len(known), "a block twice, or one is missing"
            known.append(frame["html"])
            return True
        assert frame["after"] == self.position, "a hole or a double"
        self.position = frame["upto"]
        for event in frame["events"]:
            if event["type"] == "content_delta":
                step = event["data"]["step"]
                self.texts[step] = self.texts.get(step, "") + event["data"]["text"]
        return True

    async def has_come_to(self, seq: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.position < seq:
                await asyncio.sleep(0.01)

    def is_whole(self, step: str, text: str) -> bool:
        return self.texts[step] == text and self.blocks[step] == cut(text).blocks


async def client_of(house: People) -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(house.teammate)
    return client


def words() -> list[str]:
    return (PARAGRAPH * COPIES).split(" ")


async def test_a_page_opened_in_mid_run_is_sent_what_is_new_and_has_the_whole_text(
    listening: None, start: Start, house: People
) -> None:
    work = await Work.begin(start)
    for step in ("ended", "open"):
        await work.open(step)
        await work.write(step, *(f"{word} " for word in words()))
    await work.end("ended")
    page = await Page.open(await client_of(house), work.run)
    await work.write("open", "As it comes\n\n", "between page and socket\n\n", ring=False)
    page.follow()
    for n in range(10):
        await work.write("open", f"New {n}.", "\n\n")
    await page.has_come_to(work.cursor.last_seq)
    page.leave()
    assert len(work.text["open"]) > 50_000
    assert sum(map(len, page.frames)) < 10_000
    assert {orjson.loads(frame).get("step", "open") for frame in page.frames} == {"open"}
    assert page.is_whole("open", work.text["open"])


async def test_pages_that_open_and_come_back_whenever_miss_no_block_and_get_none_again(
    listening: None, start: Start, house: People
) -> None:
    work = await Work.begin(start)
    client = await client_of(house)
    await work.open("a")
    await work.open("b")
    pages: list[Page] = []
    for n in range(60):
        step = "ab"[n % 2]
        await work.write(step, f"- item {n}\n", "\n", f"Paragraph {n} ", "goes on.\n\n", ring=n % 5 != 0)
        if n % 6 == 0:
            pages.append(await Page.open(client, work.run))
        for m, page in enumerate(pages):
            if (n + m) % 4 == 0:
                page.follow()
            elif (n + m) % 4 == 3:
                page.leave()
    for page in pages:
        page.leave()
        page.follow()
        await page.has_come_to(work.cursor.last_seq)
    assert all(page.is_whole(step, work.text[step]) for page in pages for step in "ab")


async def test_a_page_that_was_cut_off_gets_the_blocks_of_what_ended_meanwhile(listening: None, start: Start) -> None:
    work = await Work.begin(start)
    pages = [Page(work.run), Page(work.run)]
    for page in pages:
        page.follow()
    await work.open("a")
    await work.write("a", PARAGRAPH, "and on ")
    for page in pages:
        await page.has_come_to(work.cursor.last_seq)
    pages[0].leave()
    for _ in range(KEPT):
        await work.write("a", PARAGRAPH, PARAGRAPH)
    await work.write("a", "the end")
    await work.end("a")
    pages[0].follow()
    cutter = BlockCutter()
    blocks = [render(text) for text in (*cutter.feed(work.text["a"]), *cutter.finish())]
    assert len(blocks) > 2 * KEPT
    for page in pages:
        await page.has_come_to(work.cursor.last_seq)
        page.leave()
        assert (page.texts, page.blocks) == (work.text, {"a": blocks})


async def test_a_page_that_stood_before_the_first_reader_gets_its_blocks_too(listening: None, start: Start) -> None:
    work = await Work.begin(start)
    await work.open("a")
    await work.write("a", *[PARAGRAPH] * 5)
    early, seq = Page(work.run), work.cursor.last_seq
    late = Page(work.run, seq, work.text)
    late.follow()
    await work.write("a", PARAGRAPH)
    await late.has_come_to(work.cursor.last_seq)
    early.follow()
    await work.write("a", PARAGRAPH)
    for page in (early, late):
        await page.has_come_to(work.cursor.last_seq)
        page.leave()
        assert page.is_whole("a", work.text["a"])
    assert not hub.followed
