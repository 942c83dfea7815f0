"""One hub per process: whoever follows a run here shares one subscription, one replay and one rendering of it.

Readers trust only ranges. A batch that follows on what a reader has is passed on as it came; a hole is read from the
log; every LOOK_SECONDS one query finds what no ring told. Subscribe first, replay second: a batch that comes while a
reader is being caught up is read with the rest.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
import structlog

from generation.blocks import Renderer
from generation.events import LOST_CONNECTION
from generation.models import END_STATES, Claim
from generation.replay import Range, read
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

    def frame(self, run: UUID) -> str:
        place = f'"run":"{run}","after":{self.after},"upto":{self.upto}'
        reset = ',"reset":true' if self.reset else ""
        return f'{{"type":"events",{place},"events":{self.events},"state":"{self.state}"{reset}}}'


@dataclass(eq=False)
class Following:
    """One reader of one run: where it stands, and how to reach it. `send` returns False when the reader is too slow."""

    run_id: UUID
    position: int
    send: Send
    wants_html: bool = False
    catching_up: asyncio.Task[None] | None = None


@dataclass
class Followed:
    """What this process knows of a run that somebody follows here."""

    run_id: UUID
    upto: int
    state: str
    readers: set[Following] = field(default_factory=set)
    tail: deque[Part] = field(default_factory=lambda: deque(maxlen=TAIL))
    reads: dict[int, asyncio.Task[Range]] = field(default_factory=dict)
    renderer: Renderer | None = None
    rendered: Following | None = None

    def part_after(self, position: int) -> Part | None:
        return next((part for part in self.tail if part.after == position), None)


class Hub:
    def __init__(self) -> None:
        self.followed: dict[UUID, Followed] = {}
        self.looking: asyncio.Task[None] | None = None

    async def open(self) -> None:
        bell.listen(RUNS, self.on_ring)
        self.looking = vital(self.look_for_ever(), "look")

    async def close(self) -> None:
        bell.forget(RUNS, self.on_ring)
        if self.looking:
            self.looking.cancel()
        self.followed.clear()

    # --- readers

    def follow(self, run_id: UUID, since: int, send: Send, *, wants_html: bool = False) -> Following:
        """Send every event after `since` to this reader, from now until `leave`.

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
            self.render(followed, following)
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
        if not followed.readers:
            if followed.rendered and followed.rendered.catching_up:
                followed.rendered.catching_up.cancel()
            del self.followed[following.run_id]

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
        for following in self.all_of(followed):
            if part and following.position == part.after and following.catching_up is None:
                self.deliver(following, part, frame)
            elif following.position < upto:
                self.catch_up(followed, following)

    def all_of(self, followed: Followed) -> list[Following]:
        """Readers first, the renderer last: a block comes after the text that closed it."""
        return [*followed.readers, *([followed.rendered] if followed.rendered else [])]

    def deliver(self, following: Following, part: Part, frame: str) -> None:
        following.position = part.upto
        if not following.send(frame):
            self.leave(following)

    def catch_up(self, followed: Followed, following: Following, at_least_once: bool = False) -> None:
        if following.catching_up is None:
            following.catching_up = asyncio.create_task(self.bring_up(followed, following, at_least_once))

    async def bring_up(self, followed: Followed, following: Following, at_least_once: bool) -> None:
        """Read on until the reader has all that is known, or is told to begin anew."""
        try:
            while following.position < followed.upto or at_least_once:
                at_least_once = False
                part = followed.part_after(following.position) or await self.read(followed, following.position)
                followed.upto = max(followed.upto, part.upto)
                followed.state = followed.state or part.state
                self.deliver(following, part, part.frame(following.run_id))
                if part.reset:
                    return self.leave(following)
        except ScriptoriumError as error:
            told = {"type": "error", "run": str(following.run_id), **body(error)}
            following.send(orjson.dumps(told, default=str).decode())
            self.leave(following)
        finally:
            following.catching_up = None

    async def read(self, followed: Followed, since: int) -> Part:
        """One range from the log; readers at the same place share the reading."""
        task = followed.reads.get(since)
        if task is None:
            task = followed.reads[since] = asyncio.create_task(self.read_patiently(followed.run_id, since))
            task.add_done_callback(lambda _: followed.reads.pop(since, None))
        return Part.of(await asyncio.shield(task))

    async def read_patiently(self, run_id: UUID, since: int) -> Range:
        while True:
            try:
                return await db(read, run_id, since)
            except LOST_CONNECTION as error:
                log.warning("replay_failed", error=str(error).strip())
                await asyncio.sleep(REST_SECONDS)

    # --- rendering

    def render(self, followed: Followed, following: Following) -> None:
        """Bring the blocks that are closed already; those that close from now on come with the text."""
        if followed.renderer is None:
            followed.renderer = Renderer()
            followed.rendered = Following(followed.run_id, 0, lambda frame: self.blocks(followed, frame))
            self.catch_up(followed, followed.rendered, at_least_once=True)
        for block in followed.renderer.open_blocks():
            following.send(orjson.dumps(block.frame(followed.run_id)).decode())

    def blocks(self, followed: Followed, frame: str) -> bool:
        if followed.renderer is None:
            return True
        for block in followed.renderer.feed(orjson.loads(frame)["events"]):
            text = orjson.dumps(block.frame(followed.run_id)).decode()
            for following in list(followed.readers):
                if following.wants_html and not following.send(text):
                    self.leave(following)
        return True

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


def standing(run_ids: list[UUID]) -> list[tuple[UUID, int, str]]:
    return list(Claim.objects.filter(run_id__in=run_ids).values_list("run_id", "last_seq", "state"))


hub = Hub()
