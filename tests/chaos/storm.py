"""Blows at a house at work: which, at whom and when is drawn by a seed, each lands while steps stream."""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from tests.chaos.followers import TRANSPORTS, Followers
from tests.chaos.proxy import Trap
from tests.chaos.stack import Stack, freeze, kill, wake
from tests.patience import PATIENCE_SECONDS

STREAMS = 3
OPEN = {"note": 7, "course": 3}  # texts of a kind that are being written at any time
CALM_SECONDS = (0.2, 1.4)  # between two blows; then as long as it takes until enough streams
WEB_SHARE = 0.35
FROZEN_SECONDS = 3.5  # past a lease of 2 s and a sweep each second
COMMITS = {
    "flush": b"WITH wanted AS",
    "step": b"is_fallback = $3",
    "call": b'INSERT INTO "generation_call"',
    "claim": b"SET state = 'running', reason = ''",
    "end": b"UPDATE generation_run\nSET finished_at",
}


class Storm:
    def __init__(self, stack: Stack, followers: Followers, seed: int, kind: str = "note") -> None:
        self.stack = stack
        self.followers = followers
        self.kind = kind
        self.chance = random.Random(seed)
        self.runs: list[UUID] = []
        self.blows: Counter[str] = Counter()
        self.struck_at = datetime.now(UTC)
        self.loop = asyncio.get_running_loop()
        self.thawing: Future[None] | None = None
        # How often each is drawn, and what it does; it tells whether there was anything to hit.
        self.kinds: dict[str, tuple[int, Callable[[], bool]]] = {
            "horse": (10, self.horse),
            "worker": (7, self.worker),
            "machine": (6, self.machine),
            "web": (8, self.web),
            "several": (5, self.several),
            "freeze horse": (3, self.freeze_horse),
            "freeze web": (2, self.freeze_web),
            "term worker": (2, self.term_worker),
            "term web": (2, self.term_web),
            "redis restart": (2, self.redis_restart),
            "redis flush": (3, self.redis_flush),
            "postgresql restart": (3, self.postgresql_restart),
            "lost commit": (5, self.lost_commit),
        }

    async def blow(self, times: int) -> None:
        """Strike so often; texts go on being started until the last blow."""
        names, weights = list(self.kinds), [weight for weight, _ in self.kinds.values()]
        while self.blows.total() < times:
            await asyncio.sleep(self.chance.uniform(*CALM_SECONDS))
            await self.until_streaming()
            (name,) = self.chance.choices(names, weights)
            if await asyncio.to_thread(self.kinds[name][1]):
                self.blows[name] += 1
                self.struck_at = datetime.now(UTC)  # what was cut by this blow streams no more
        if self.thawing:
            await asyncio.wrap_future(self.thawing)

    async def until_streaming(self) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            await self.keep_open()
            streams = await asyncio.to_thread(self.stack.streaming, self.struck_at)
            if streams >= STREAMS:
                return
            assert time.monotonic() < until, f"{streams} steps stream, of {len(self.runs)} runs"
            await asyncio.sleep(0.03)

    async def keep_open(self) -> None:
        unfinished = {reader.run for reader in self.followers.readers if not reader.ended}
        for _ in range(len(unfinished), OPEN[self.kind]):
            queue = "web" if self.chance.random() < WEB_SHARE else "default"
            run = await asyncio.to_thread(self.stack.begin, queue, kind=self.kind)
            self.runs.append(run)
            for by in TRANSPORTS:
                self.followers.follow(run, by, self.stack.secrets["owner"], seed=self.chance.randrange(1 << 30))

    # --- the blows

    def horse(self) -> bool:
        found = self.stack.one_horse(self.chance)
        if found:
            kill(found[0])
        return bool(found)

    def worker(self) -> bool:
        """The parent of a live horse."""
        found = self.stack.one_horse(self.chance)
        return bool(found and found[1].send(signal.SIGKILL))

    def machine(self) -> bool:
        found = self.stack.one_horse(self.chance)
        if found:
            found[1].send(signal.SIGKILL)
            kill(found[0])
        return bool(found)

    def web(self) -> bool:
        return bool(self.stack.keepers["web"].send(signal.SIGKILL))

    def several(self) -> bool:
        blows = self.chance.sample([self.horse, self.machine, self.web, self.worker], self.chance.randint(2, 3))
        return sum(blow() for blow in blows) > 0

    def freeze_horse(self) -> bool:
        found = self.stack.one_horse(self.chance)
        return bool(found and self.freeze(found[0]))

    def freeze_web(self) -> bool:
        return self.freeze(self.stack.keepers["web"].pid)

    def freeze(self, pid: int) -> bool:
        """Stopped past its lease and woken again, one at a time."""
        if not pid or (self.thawing and not self.thawing.done()):
            return False
        with suppress(ProcessLookupError):
            freeze(pid)
        self.thawing = asyncio.run_coroutine_threadsafe(thaw(pid), self.loop)
        return True

    def term_worker(self) -> bool:
        found = self.stack.one_horse(self.chance)
        return bool(found and found[1].send(signal.SIGTERM))

    def term_web(self) -> bool:
        return bool(self.stack.keepers["web"].send(signal.SIGTERM))

    def redis_restart(self) -> bool:
        self.stack.restart_redis()
        return True

    def redis_flush(self) -> bool:
        self.stack.flush_redis()
        return True

    def postgresql_restart(self) -> bool:
        self.stack.restart_postgresql()
        return True

    def lost_commit(self) -> bool:
        """The connection breaks during a commit of this kind, the next one that comes by."""
        name = self.chance.choice(sorted(COMMITS))
        trap = self.stack.proxy.arm(Trap(COMMITS[name], landed=self.chance.random() < 0.7))
        return trap.fired.wait(5)


async def thaw(pid: int) -> None:
    await asyncio.sleep(FROZEN_SECONDS)
    wake(pid)
