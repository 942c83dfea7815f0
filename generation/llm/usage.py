"""What a request costs: reported tokens times a table of prices, and an estimate of tokens where none are reported."""

from collections.abc import Mapping
from decimal import Decimal

import orjson

from generation.llm.prices import PRICES, Price
from generation.llm.values import ModelRef, ModelRequest, Usage

BYTES_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
MILLION = Decimal(1_000_000)


def cost(model: ModelRef, usage: Usage, prices: Mapping[str, Price] = PRICES) -> Decimal | None:
    """US dollars, exact; None where the price of the model is not known, never 0 for want of a price."""
    price = prices.get(str(model)) or prices.get(f"{model.provider}:*")
    if price is None:
        return None
    fresh = max(0, usage.tokens_in - usage.cached_in)
    return (fresh * price.tokens_in + usage.cached_in * price.cached_in + usage.tokens_out * price.tokens_out) / MILLION


def estimate_tokens(text: str) -> int:
    """A rough count, 0 only for no text; bytes rather than characters, since rarer scripts take more tokens."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // BYTES_PER_TOKEN)


def estimate_request(request: ModelRequest) -> int:
    """A rough count of what a request puts into the model: messages, calls in them, schema and tools."""
    texts = [message.content for message in request.messages]
    texts += [call.name + call.arguments for message in request.messages for call in message.tool_calls]
    texts += [tool.name + tool.description + _json(tool.parameters) for tool in request.tools]
    if request.schema is not None:
        texts.append(_json(request.schema))
    return sum(map(estimate_tokens, texts)) + TOKENS_PER_MESSAGE * len(request.messages)


def _json(value: object) -> str:
    return orjson.dumps(value, default=dict).decode()
