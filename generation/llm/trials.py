"""One question to one model, through its own adapter and nothing else: not tried again, no other model, no breaker."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from generation.llm.journal import Outcome
from generation.llm.prices import PRICES, Price
from generation.llm.providers import Providers
from generation.llm.tally import Tally
from generation.llm.usage import cost
from generation.llm.values import Answer, Finish, ModelRef, ModelRequest, Timeouts, UsageReport
from memory.base.errors import ModelError


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of it: a whole answer, or the error. `pieces`: deltas of text, thought or arguments that came."""

    model: ModelRef
    outcome: Outcome
    pieces: int
    answer: Answer | None = None

    @property
    def error(self) -> ModelError | None:
        return self.outcome.error if isinstance(self.outcome.error, ModelError) else None

    def cost(self, prices: Mapping[str, Price] = PRICES) -> Decimal | None:
        return cost(self.model, self.outcome.usage, prices)


async def ask(providers: Providers, model: ModelRef, request: ModelRequest, timeouts: Timeouts) -> Trial:
    """Its errors are results, too; what ends it from outside is raised."""
    try:
        provider = await providers.open(model.provider)
    except ModelError as error:
        return Trial(model, Tally(model, request).outcome(error), 0)
    tally, pieces = Tally(model, request), 0  # its clock starts here: importing an SDK is no model's slowness
    try:
        stream = provider.stream(model.model, request, timeouts=timeouts, request_id=str(uuid4()))
        async with aclosing(stream) as deltas:
            async for delta in deltas:
                tally.add(delta)
                pieces += not isinstance(delta, Finish | UsageReport)
        answer = tally.answer()
    except ModelError as error:
        return Trial(model, tally.outcome(error), pieces)
    return Trial(model, tally.outcome(None), pieces, answer)
