"""One answer out of a chain of models: tries of one model, then the next one, each attempt told to the journal."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from itertools import count

from generation.llm.breaker import Breaker
from generation.llm.journal import Attempt, Journal, NoRoomYet, Reason
from generation.llm.leases import Leases
from generation.llm.providers import Providers
from generation.llm.retries import RetryPolicy
from generation.llm.tally import Tally
from generation.llm.values import Answer, ModelRef, ModelRequest, Timeouts
from memory.base.errors import ModelError, ModelRefused, ModelUnavailable

LOOK_SECONDS = 1.0  # how often a call that waits looks again: a trial of somebody else may open the way early


class Patience:
    """So many seconds in all to wait for models that are paused."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.waited = False

    @property
    def is_spent(self) -> bool:
        return self.left <= 0

    async def wait(self, seconds: float | None) -> None:
        self.waited = True
        pause = min(self.left, seconds or LOOK_SECONDS, LOOK_SECONDS)
        self.left -= pause
        await asyncio.sleep(pause)


class Router:
    """For one event loop, like the Redis client behind its breaker and leases; holds no state of a call."""

    def __init__(
        self,
        providers: Providers,
        breaker: Breaker,
        leases: Leases,
        policy: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._providers = providers
        self._breaker = breaker
        self._leases = leases
        self._policy = policy or RetryPolicy()
        self._timeouts = timeouts or Timeouts()

    async def answer(
        self,
        chain: Sequence[ModelRef],
        request: ModelRequest,
        journal: Journal,
        *,
        reason: Reason = "first",
        because: ModelError | None = None,
    ) -> Answer:
        """A whole answer of the first model of the chain that gives one.

        A transient error is tried again, up to the policy's attempts; any other error, exhausted tries and an open
        breaker lead to the next model. While all are paused it waits, up to the policy's patience: what others broke
        is no failure of this call. When all failed, raises the last error with `tried`, the models in order.
        What is not a ModelError (a spent budget, a cancellation) ends the call at once.
        """
        patience = Patience(self._policy.patience)
        while True:
            last: ModelError = ModelRefused("no_model")
            asked, why, cause = False, reason, because
            for model in chain:
                try:
                    await self._breaker.admit(model)
                    asked = True
                    return await self._ask(model, request, journal, why, cause)
                except ModelError as error:
                    last, why, cause = error, "next_model", error
            if asked or not chain or patience.is_spent:
                last.params["tried"] = [str(model) for model in chain]
                raise last
            if not patience.waited:
                await journal.wait(Attempt(chain[0], 0, reason, because), last, last.retry_after or 0)
            await patience.wait(last.retry_after)

    async def _ask(
        self, model: ModelRef, request: ModelRequest, journal: Journal, reason: Reason, because: ModelError | None
    ) -> Answer:
        """The model has been admitted for its first try."""
        for try_number in count(1):
            attempt = Attempt(model, try_number, reason, because)
            try:
                answer = await self._attempt(attempt, request, journal)
            except ModelError as error:
                await self._breaker.record(model, error)
                pause = self._policy.pause(try_number, error)
                if pause is None:
                    raise
                await journal.wait(attempt, error, pause)
                await asyncio.sleep(pause)
                reason, because = "retry", error
                if not await self._may_try_again(model):
                    raise error from None  # why it failed, not that others did too
            else:
                await self._breaker.record(model, None)
                return answer
        raise AssertionError("the policy ends the tries")

    async def _may_try_again(self, model: ModelRef) -> bool:
        try:
            await self._breaker.admit(model)
        except ModelUnavailable:
            return False
        return True

    async def _attempt(self, attempt: Attempt, request: ModelRequest, journal: Journal) -> Answer:
        model = attempt.model
        provider = await self._providers.open(model.provider)
        async with self._begun(attempt, request, journal) as request_id:
            tally, failed = Tally(model, request), None
            try:
                stream = provider.stream(
                    model.model, request, timeouts=self._timeouts, request_id=request_id, pause=journal.pause
                )
                async with aclosing(stream) as deltas:
                    async for delta in deltas:
                        tally.add(delta)
                        journal.emit(delta)
                return tally.answer()
            except BaseException as error:
                failed = error
                raise
            finally:
                await journal.settle(attempt, tally.outcome(failed))

    @asynccontextmanager
    async def _begun(self, attempt: Attempt, request: ModelRequest, journal: Journal) -> AsyncIterator[str]:
        """A lease and the request id. Who waits for room holds no lease."""
        provider = attempt.model.provider
        async with AsyncExitStack() as turn:
            for refused in count():
                async with self._leases.hold(provider, self._providers.spec(provider).parallel):
                    try:
                        request_id = await journal.begin(attempt, request)
                    except NoRoomYet:
                        pass
                    else:
                        await turn.aclose()
                        yield request_id
                        return
                if refused:
                    await journal.room()
                else:
                    await turn.enter_async_context(journal.turn())
