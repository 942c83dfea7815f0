"""Rings between processes: who hears one looks at the rows. A lost ring costs a delay, never a fact.

A process has one bell. Ringing never waits and never fails: rings go through a queue to one publishing task, and to the
listeners of this very process at once, so that a process goes on alone while Redis is away.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import orjson
import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from memory.base.vital import vital

log = structlog.get_logger()

RUNS = "runs"  # batches of events
CHANGED = "changed"  # rows that pages show
CARRIERS = "carriers"  # cancel this, claim that

EVERYBODY = "news"

Listener = Callable[[dict[str, Any]], None]
Ring = tuple[str, dict[str, Any]]

AWAY = (RedisError, OSError, TimeoutError)
QUEUE_SIZE = 1_000
RINGS_AT_ONCE = 200
REST_SECONDS = 1.0
CANCEL_SECONDS = 0.2


class Bell:
    """Publishes and receives for one process: `open` it in its loop. Without a loop rings are sent directly."""

    def __init__(self) -> None:
        self.origin = uuid4().hex
        self.listeners: defaultdict[str, list[Listener]] = defaultdict(list)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.queue: asyncio.Queue[Ring] = asyncio.Queue(QUEUE_SIZE)
        self.tasks: list[asyncio.Task[None]] = []
        self.redis_away = False

    def listen(self, group: str, listener: Listener) -> None:
        self.listeners[group].append(listener)

    def forget(self, group: str, listener: Listener) -> None:
        with suppress(ValueError):
            self.listeners[group].remove(listener)

    async def open(self) -> None:
        """Publish and receive until `close`."""
        self.loop = asyncio.get_running_loop()
        self.queue = asyncio.Queue(QUEUE_SIZE)
        self.tasks = [vital(self._publish(), "publish news"), vital(self._receive(), "receive news")]

    async def close(self) -> None:
        """Publish and receive no more. What still waits to be published is lost."""
        tasks, self.tasks, self.loop = self.tasks, [], None
        for task in tasks:
            task.cancel()
        await until_ended(tasks)
        # It cancels a task of its own, once; to cancel it is to cancel that one again.
        flush = asyncio.ensure_future(get_channel_layer().flush())
        await until_ended([flush])
        with suppress(*AWAY, asyncio.CancelledError):
            flush.result()

    def ring(self, group: str, **body: Any) -> None:
        """Tell all processes. From any thread; returns at once."""
        if self.loop is None:
            self._send_directly((group, body))
        elif running_loop() is self.loop:
            self._enqueue((group, body))
        else:
            with suppress(RuntimeError):  # the loop closed meanwhile: nobody is left to hear it here
                self.loop.call_soon_threadsafe(self._enqueue, (group, body))

    def _enqueue(self, ring: Ring) -> None:
        self._hear(*ring)
        with suppress(asyncio.QueueFull):
            self.queue.put_nowait(ring)

    def _hear(self, group: str, body: dict[str, Any]) -> None:
        for listener in tuple(self.listeners.get(group, ())):
            listener(body)

    def _send_directly(self, ring: Ring) -> None:
        try:
            async_to_sync(get_channel_layer().group_send)(EVERYBODY, self._message([ring]))
        except AWAY as error:
            log.warning("ring_lost", group=ring[0], error=str(error))

    def _message(self, rings: list[Ring]) -> dict[str, Any]:
        return {"type": "news", "origin": self.origin, "rings": orjson.dumps(rings)}

    async def _publish(self) -> None:
        """All that waits leaves as one message: what Redis costs is counted in messages."""
        layer = get_channel_layer()
        while True:
            rings = [await self.queue.get()]
            while not self.queue.empty() and len(rings) < RINGS_AT_ONCE:
                rings.append(self.queue.get_nowait())
            try:
                await layer.group_send(EVERYBODY, self._message(rings))
                self.redis_away = False
            except AWAY as error:
                if not self.redis_away:
                    log.warning("redis_away", error=str(error))
                self.redis_away = True
                await asyncio.sleep(REST_SECONDS)

    async def _receive(self) -> None:
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(EVERYBODY, channel)
                while True:
                    message = await layer.receive(channel)
                    if message["origin"] != self.origin:
                        for group, body in orjson.loads(message["rings"]):
                            self._hear(group, body)
            except AWAY as error:
                log.warning("news_interrupted", error=str(error))
                await asyncio.sleep(REST_SECONDS)


async def until_ended(tasks: Iterable["asyncio.Future[Any]"]) -> None:
    """Cancelled again and again: before Python 3.12 `asyncio.wait_for`, by which the Redis client writes, loses a
    cancellation that meets the end of what it waits for."""
    still = set(tasks)
    while still:
        _, still = await asyncio.wait(still, timeout=CANCEL_SECONDS)
        for task in still:
            task.cancel()


def running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


bell = Bell()


def changed(kind: str, id: UUID | str, version: int, topics: list[str]) -> None:
    """Ring that a row changed, on each topic (`workspace.ID`, `user.ID`, `run.ID`, …) whose pages may show it."""
    bell.ring(CHANGED, topics=topics, kind=kind, id=str(id), version=version)
