from decimal import Decimal
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.llm.prices import PRICES
from generation.llm.specs import KNOWN, ProviderSpec
from generation.llm.usage import cost, estimate_request, estimate_tokens
from generation.llm.values import Message, ModelRef, ModelRequest, ToolSpec, Usage


@pytest.mark.parametrize(
    ("model", "usage", "dollars"),
    [
        ("openai:gpt-4.1-nano", Usage(1_000_000, 1_000_000), "0.50"),
        ("openai:gpt-4.1-nano", Usage(1_000_000, 0, cached_in=1_000_000), "0.025"),
        ("openai:gpt-4.1-nano", Usage(10, 1), "0.0000014"),
        ("openai-responses:gpt-5", Usage(1_000_000, 1_000_000), "11.25"),  # as openai:gpt-5
        ("anthropic:claude-opus-5-5", Usage(1_000_000, 1_000_000, cached_in=500_000), "22.1"),
        ("demo:demo-fast", Usage(1000, 1000), "0"),
    ],
)
def test_a_cost_is_exact(model: str, usage: Usage, dollars: str) -> None:
    assert cost(ModelRef.parse(model), usage) == Decimal(dollars)


def test_an_unknown_price_is_an_unknown_cost() -> None:
    assert cost(ModelRef.parse("openai:gpt-of-tomorrow"), Usage(1, 1)) is None


@pytest.mark.parametrize("spec", [KNOWN[name] for name in sorted(set(KNOWN) - {"openrouter"})], ids=attrgetter("name"))
def test_the_price_of_each_model_that_answers_by_default_is_known(spec: ProviderSpec) -> None:
    model = ModelRef(spec.name, spec.model or KNOWN[spec.account].model)
    assert cost(model, Usage(1, 1)) is not None


@pytest.mark.parametrize("model", PRICES)
def test_every_price_belongs_to_a_model_and_none_is_negative(model: str) -> None:
    price = PRICES[model]
    assert str(ModelRef.parse(model)) == model
    assert 0 <= price.cached_in <= price.tokens_in


@given(st.text(st.characters(exclude_categories=())))
def test_an_estimate_is_zero_only_for_no_text(text: str) -> None:
    assert (estimate_tokens(text) == 0) == (text == "")


def test_a_request_is_estimated_with_its_schema_and_tools() -> None:
    bare = ModelRequest((Message("user", "Say hello"),))
    tools = (ToolSpec("edit", "Edits a field.", {"type": "object"}),)
    full = ModelRequest(bare.messages, schema={"type": "object"}, tools=tools)
    assert estimate_request(full) > estimate_request(bare) > 0
