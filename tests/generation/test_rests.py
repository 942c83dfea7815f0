"""The way to models shows in the figures whether a model rests."""

from generation.gateway import Gateway
from generation.llm.values import ModelRef
from memory.base.errors import ModelUnavailable
from tests.counting import counted


async def test_a_model_that_rests_is_in_the_figures_until_it_answers() -> None:
    model, gateway = ModelRef("nobody", "resting"), Gateway()
    try:
        for _ in range(5):
            await gateway.breaker.record(model, ModelUnavailable("server_error"))
        assert counted("breaker_state", model=str(model)) == 1
        await gateway.breaker.record(model, None)
        assert counted("breaker_state", model=str(model)) == 0
    finally:
        await gateway.close()
