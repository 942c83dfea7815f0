"""One hub per process: whoever follows a run here shares one subscription, one replay and one rendering of it.

Readers trust only ranges. A batch that follows on what a reader has is passed on as it came; a hole is read from the
log; every LOOK_SECONDS one query finds what no ring told. Subscribe first, replay second: a batch that comes while a
reader is being caught up is read with the rest.

Blocks come before the range in which they close, and only with it: a reader that has a number has its blocks, too, and
who comes back with that number misses none and gets none again.
"""

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import orjson
import structlog

from generation.blocks import Block, Renderer
from generation.events import LOST_CONNECTION
from generation.models import END_STATES, Claim
from generation.replay import Range, read, texts_before
from memory.answers import body
from memory.base import metrics
from memory.base.database import db
from memory.base.errors import ScriptoriumError
from memory.base.news import RUNS, bell
from memory.base.vital import vital

log = structlog.get_logger()

LOOK_SECONDS = 2.0
TAIL = 256  # batches kept to bring late readers up without asking the database
REST_SECONDS = 0.5

Send = Callable[[str], bool]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """A range with its events as JSON text, ready to be passed on."""

    after: int
    upto: int
    events: str
    state: str
    reset: bool = False

    @classmethod
    def of(cls, range: Range) -> "Part":
        return cls(range.after, range.upto, orjson.dumps(range.events).decode(), range.state, range.reset)

    def body(self) -> str:
        reset = ',"reset":true' if self.reset else ""
        place = f'"after":{self.after},"upto":{self.upto}'
        return f'{place},"events":{self.events},"state":"{self.state}"{reset}'

    def frame(self, run: UUID) -> str:
        return f'{{"type":"events","run":"{run}",{self.body()}}}'


@dataclass(eq=False)
class Following:
    """One reader of one run: where it stands, and how to reach it. `send` returns False when the reader is too slow."""

    run_id: UUID
    position: int
    send: Send
    wants_html: bool = False
    catching_up: asyncio.Task[None] | None = None


@dataclass(eq=False)
class Rendering:
    """The blocks of one run for all its readers that ask for HTML, cut from the log once.

    It knows what closed after `begins`, at first where its first reader stood: what closed before, readers have from
    their snapshots. `position` is how far it has come, -1 until it is known what had been written where it begins.
    """

    run_id: UUID
    begins: int
    position: int = -1
    renderer: Renderer = field(default_factory=Renderer)
    going_on: asyncio.Task[None] | None = None

    def feed(self, events: list[dict[str, Any]], upto: int) -> list[Block]:
        self.position = upto
        return self.renderer.feed(events)

    def forget(self, upto: int) -> None:
        self.begins = max(self.begins, self.renderer.forget(upto))

    async def go_on(self) -> None:
        """Begin, or read the next range."""
        if self.position < 0:
            begun = await patiently(texts_before, self.run_id, self.begins) if self.begins else []
            self.renderer, self.position = Renderer(begun), self.begins
        told = await patiently(partial(read, joined=False), self.run_id, self.position)
        # A place that was joined away belongs to a run that has ended: nothing of it will close.
        self.feed(told.events, sys.maxsize if told.reset else told.upto)

    def stop(self) -> None:
        if self.going_on:
            self.going_on.cancel()


@dataclass
class Followed:
    """What this process knows of a run that somebody follows here."""

    run_id: UUID
    upto: int
    state: str
    readers: set[Following] = field(default_factory=set)
    tail: deque[Part] = field(default_factory=lambda: deque(maxlen=TAIL))
    rendering: Rendering | None = None

    def part_after(self, position: int) -> Part | None:
        return next((part for part in self.tail if part.after == position), None)


class Hub:
    def __init__(self) -> None:
        self.followed: dict[UUID, Followed] = {}
        self.reads: dict[tuple[UUID, int], asyncio.Task[Part]] = {}
        self.looking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        bell.listen(RUNS, self.on_ring)
        self.looking = vital(self.look_for_ever(), "look")

    async def close(self) -> None:
        bell.forget(RUNS, self.on_ring)
        if self.looking:
            self.looking.cancel()
        for followed in self.followed.values():
            if followed.rendering:
                followed.rendering.stop()
        self.followed.clear()
        self.reads.clear()

    # --- readers

    def follow(self, run_id: UUID, since: int, send: Send, *, wants_html: bool = False) -> Following:
        """Send every event after `since` to this reader, from now until `leave`; before each range, if it `wants_html`,
        the blocks that close in it.

        The reader may see the run: the caller has made sure. A `since` that the run has not reached is answered by an
        error frame.
        """
        followed = self.followed.get(run_id)
        if followed is None:
            followed = self.followed[run_id] = Followed(run_id, 0, "")
        following = Following(run_id, since, send, wants_html)
        followed.readers.add(following)
        metrics.followers_open.inc()
        if wants_html:
            self.render(followed, since)
        self.catch_up(followed, following, at_least_once=True)
        return following

    def leave(self, following: Following) -> None:
        followed = self.followed.get(following.run_id)
        if followed is None or following not in followed.readers:
            return
        followed.readers.discard(following)
        metrics.followers_open.dec()
        if following.catching_up:
            following.catching_up.cancel()
        if followed.rendering and not any(one.wants_html for one in followed.readers):
            followed.rendering.stop()
            followed.rendering = None
        if not followed.readers:
            del self.followed[following.run_id]

    async def range(self, run_id: UUID, since: int) -> Part:
        """What came after `since`, once; who asks at the same place shares the reading. Raises as `replay.read`."""
        followed = self.followed.get(run_id)
        return (followed.part_after(since) if followed else None) or await self.read(run_id, since)

    # --- what is new

    def on_ring(self, body: dict[str, Any]) -> None:
        for run, after, upto, events, state in body["batches"]:
            followed = self.followed.get(UUID(run))
            if followed is not None:
                self.hear(followed, Part(after, upto, events, state) if events is not None else None, upto, state)

    def hear(self, followed: Followed, part: Part | None, upto: int, state: str) -> None:
        if upto > followed.upto or not followed.state:
            followed.upto, followed.state = max(upto, followed.upto), state
        if part:
            followed.tail.append(part)
        frame = part.frame(followed.run_id) if part else ""
        blocks = self.blocks_now(followed, part)
        for following in list(followed.readers):
            is_next = part and following.position == part.after and following.catching_up is None
            if part and is_next and (blocks is not None or not following.wants_html):
                self.deliver(following, part, frame, blocks or ())
            elif following.position < upto:
                self.catch_up(followed, following)

    def deliver(self, following: Following, part: Part, frame: str, blocks: Iterable[str] = ()) -> None:
        """The blocks first: `position` says that all up to it was sent."""
        if not following.wants_html or all(following.send(block) for block in blocks):
            following.position = part.upto
            if following.send(frame):
                return
        self.leave(following)

    def catch_up(self, followed: Followed, following: Following, at_least_once: bool = False) -> None:
        if following.catching_up is None:
            following.catching_up = asyncio.create_task(self.bring_up(followed, following, at_least_once))

    async def bring_up(self, followed: Followed, following: Following, at_least_once: bool) -> None:
        """Read on until the reader has all that is known, or is told to begin anew. Of a run that has ended nothing
        more is heard here: it is read until nothing comes."""
        try:
            while following.position < followed.upto or at_least_once:
                at_least_once = False
                part = await self.range(following.run_id, following.position)
                followed.upto = max(followed.upto, part.upto)
                followed.state = followed.state or part.state
                blocks = await self.blocks_in(followed, part) if following.wants_html else []
                self.deliver(following, part, part.frame(following.run_id), blocks)
                if part.reset:
                    return self.leave(following)
                at_least_once = part.state in END_STATES and part.upto > part.after
        except ScriptoriumError as error:
            told = {"type": "error", "run": str(following.run_id), **body(error)}
            following.send(orjson.dumps(told, default=str).decode())
            self.leave(following)
        finally:
            following.catching_up = None

    async def read(self, run_id: UUID, since: int) -> Part:
        """One range from the log; readers at the same place share the reading."""
        place = (run_id, since)
        task = self.reads.get(place)
        # One that has ended says what was known then: who asks again and again would never hear of more, nor let others
        # run. One of another loop is the test client's.
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = self.reads[place] = asyncio.create_task(read_part(run_id, since))
            task.add_done_callback(partial(self.has_read, place))
        return await asyncio.shield(task)

    def has_read(self, place: tuple[UUID, int], task: "asyncio.Task[Part]") -> None:
        if self.reads.get(place) is task:
            del self.reads[place]

    # --- rendering

    def render(self, followed: Followed, since: int) -> None:
        """Have the blocks that close after `since`. A reader that stands before all others has them cut anew."""
        if followed.rendering is None or since < followed.rendering.begins:
            if followed.rendering:
                followed.rendering.stop()
            followed.rendering = Rendering(followed.run_id, since)

    def blocks_now(self, followed: Followed, part: Part | None) -> list[str] | None:
        """The frames of the blocks that this part closes; None when that is not known yet."""
        rendering = followed.rendering
        if rendering is None:
            return []
        if part is None or rendering.position != part.after or rendering.going_on:
            return None
        rendering.forget(min(one.position for one in followed.readers if one.wants_html))
        return frames(followed.run_id, rendering.feed(orjson.loads(part.events), part.upto))

    async def blocks_in(self, followed: Followed, part: Part) -> list[str]:
        """The same, once it is known."""
        while (rendering := followed.rendering) and rendering.position < part.upto:
            if rendering.going_on is None:
                rendering.going_on = asyncio.create_task(self.go_on(followed, rendering))
            await asyncio.wait([rendering.going_on])
        blocks = rendering.renderer.closed_in(part.after, part.upto) if rendering else []
        # In a thread: they may be many, and the loop carries chat turns.
        return await asyncio.to_thread(frames, followed.run_id, blocks) if blocks else []

    async def go_on(self, followed: Followed, rendering: Rendering) -> None:
        try:
            await rendering.go_on()
        except BaseException as error:
            if followed.rendering is rendering:  # nobody is to wait for it
                followed.rendering = None
            if not isinstance(error, ScriptoriumError):  # its readers are told by what they read themselves
                raise
        finally:
            rendering.going_on = None

    # --- what no ring told

    async def look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            open_runs = [run_id for run_id, one in self.followed.items() if one.state not in END_STATES]
            if open_runs:
                try:
                    for run_id, last_seq, state in await db(standing, open_runs):
                        if followed := self.followed.get(run_id):
                            self.hear(followed, None, last_seq, state)
                except LOST_CONNECTION as error:
                    log.warning("look_failed", error=str(error).strip())


async def read_part(run_id: UUID, since: int) -> Part:
    return Part.of(await patiently(read, run_id, since))


async def patiently(reading: Callable[[UUID, int], T], run_id: UUID, seq: int) -> T:
    """What is read in a database thread, as often as the connection is lost."""
    while True:
        try:
            return await db(reading, run_id, seq)
        except LOST_CONNECTION as error:
            log.warning("replay_failed", error=str(error).strip())
            await asyncio.sleep(REST_SECONDS)


def frames(run_id: UUID, blocks: Iterable[Block]) -> list[str]:
    return [orjson.dumps(block.frame(run_id)).decode() for block in blocks]


def standing(run_ids: list[UUID]) -> list[tuple[UUID, int, str]]:
    return list(Claim.objects.filter(run_id__in=run_ids).values_list("run_id", "last_seq", "state"))


hub = Hub()
