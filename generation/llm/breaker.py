"""A model that keeps failing is left alone for a while; then one call finds out whether it is back."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from redis import Redis

from generation.llm.marks import LocalMarks, Marks, RedisMarks
from generation.llm.shared import RedisAway, SharedRedis
from generation.llm.values import ModelRef
from memory.base.errors import ModelError, ModelUnavailable

T = TypeVar("T")

# A model stays under suspicion (one failed trial pauses it again) for this many pauses.
SUSPICION = 20


@dataclass(frozen=True, slots=True)
class Rest:
    """Seconds for which a model is still left alone, and for which one failed trial pauses it again."""

    paused: float = 0
    suspected: float = 0


class Breaker:
    """Shared by all processes through Redis; this process's own while Redis is away.

    `failures` failures within `window` seconds and without a success between them pause a model for `pause` seconds.
    `tell` hears whether a model rests, each time this is found out.
    """

    def __init__(
        self,
        shared: SharedRedis,
        *,
        failures: int = 5,
        window: float = 60,
        pause: float = 30,
        tell: Callable[[ModelRef, bool], None] = lambda model, rests: None,
    ) -> None:
        self._shared = shared
        self._local = LocalMarks()
        self._failures = failures
        self._window = window
        self._pause = pause
        self._tell = tell
        self._troubled: set[ModelRef] = set()

    async def admit(self, model: ModelRef) -> None:
        """Raises `model.paused`, with the seconds left, unless a call may go out; after a pause, one may."""
        wait = await self._decide(lambda marks: self._wait(marks, model))
        self._tell(model, wait > 0)
        if wait:
            raise ModelUnavailable("paused", retry_after=wait, model=str(model))

    async def record(self, model: ModelRef, error: ModelError | None) -> None:
        """Takes note of how a call ended. A permanent error is an answer too: the model is there."""
        names = _names(model)
        if error is None or error.permanent:
            # A model that had no mark when the call was admitted has nothing to forget: Redis is not asked.
            if model in self._troubled:
                await self._decide(lambda marks: marks.forget(*names))
                self._tell(model, False)
        else:
            self._troubled.add(model)
            if await self._decide(lambda marks: self._fail(marks, names)):
                self._tell(model, True)

    async def _wait(self, marks: Marks, model: ModelRef) -> float:
        paused, suspect, trial, hits = _names(model)
        left, suspected, tried, hit = await marks.left(paused, suspect, trial, hits)
        (self._troubled.add if left or suspected or hit else self._troubled.discard)(model)
        if not left and suspected and not await marks.claim(trial, self._pause):
            return tried or self._pause
        return left

    async def _fail(self, marks: Marks, names: tuple[str, ...]) -> bool:
        """Whether this failure pauses the model."""
        paused, suspect, trial, hits = names
        _, suspected = await marks.left(paused, suspect)
        if not suspected and not await marks.burst(hits, self._failures, self._window):
            return False
        await marks.set(paused, self._pause)
        await marks.set(suspect, self._pause * SUSPICION)
        await marks.forget(trial, hits)
        return True

    async def _decide(self, decision: Callable[[Marks], Awaitable[T]]) -> T:
        try:
            return await self._shared.ask(lambda redis: decision(RedisMarks(redis)))
        except RedisAway:
            return await decision(self._local)


def rests(redis: Redis, models: Iterable[ModelRef]) -> dict[ModelRef, Rest]:
    """What the processes have told each other of these models. Raises what Redis raises when it is away."""
    asked = list(models)
    pipeline = redis.pipeline(transaction=False)
    for model in asked:
        for name in _names(model)[:2]:
            pipeline.pttl(name)
    left = [max(0.0, milliseconds / 1000) for milliseconds in pipeline.execute()]
    return {model: Rest(*left[2 * n : 2 * n + 2]) for n, model in enumerate(asked)}


def _names(model: ModelRef) -> tuple[str, str, str, str]:
    stem = f"llm:breaker:{model}"
    return f"{stem}:paused", f"{stem}:suspect", f"{stem}:trial", f"{stem}:hits"
