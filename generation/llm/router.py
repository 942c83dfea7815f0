"""One answer out of a chain of models: tries of one model, then the next one, each attempt told to the journal."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from itertools import count

from generation.llm.breaker import Breaker
from generation.llm.journal import Attempt, Journal, Reason
from generation.llm.leases import Leases
from generation.llm.providers import Providers
from generation.llm.retries import RetryPolicy
from generation.llm.tally import Tally
from generation.llm.values import Answer, ModelRef, ModelRequest, Timeouts
from memory.base.errors import ModelError, ModelRefused


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
        breaker lead to the next model. When all failed, raises the last error with `tried`, the models in order.
        What is not a ModelError (a spent budget, a cancellation) ends the call at once.
        """
        last: ModelError = ModelRefused("no_model")
        for model in chain:
            try:
                return await self._ask(model, request, journal, reason, because)
            except ModelError as error:
                last, reason, because = error, "next_model", error
        last.params["tried"] = [str(model) for model in chain]
        raise last

    async def _ask(
        self, model: ModelRef, request: ModelRequest, journal: Journal, reason: Reason, because: ModelError | None
    ) -> Answer:
        for try_number in count(1):
            await self._breaker.admit(model)
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
            else:
                await self._breaker.record(model, None)
                return answer
        raise AssertionError("the policy ends the tries")

    async def _attempt(self, attempt: Attempt, request: ModelRequest, journal: Journal) -> Answer:
        model = attempt.model
        provider = self._providers[model.provider]
        async with self._leases.hold(model.provider, provider.spec.parallel):
            request_id = await journal.begin(attempt, request)
            tally, failed = Tally(model, request), None
            try:
                stream = provider.stream(model.model, request, timeouts=self._timeouts, request_id=request_id)
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
