"""Prices, as data: US dollars per million tokens."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Price:
    tokens_in: Decimal
    cached_in: Decimal
    tokens_out: Decimal


def price(tokens_in: str, cached_in: str, tokens_out: str) -> Price:
    return Price(Decimal(tokens_in), Decimal(cached_in), Decimal(tokens_out))


# List prices from the providers' pricing pages as collected by LiteLLM's price list, August 2026. Where a provider
# gives no discount for cached input, its price stands twice. `provider:*` prices every model of a provider.
PRICES: dict[str, Price] = {
    "openai:gpt-4.1": price("2", "0.50", "8"),
    "openai:gpt-4.1-mini": price("0.40", "0.10", "1.60"),
    "openai:gpt-4.1-nano": price("0.10", "0.025", "0.40"),
    "openai:gpt-4o": price("2.50", "1.25", "10"),
    "openai:gpt-4o-mini": price("0.15", "0.075", "0.60"),
    "openai:gpt-5": price("1.25", "0.125", "10"),
    "openai:gpt-5-mini": price("0.25", "0.025", "2"),
    "openai:gpt-5-nano": price("0.05", "0.005", "0.40"),
    "openai:gpt-5.4": price("2.50", "0.25", "15"),
    "openai:gpt-5.4-mini": price("0.75", "0.075", "4.50"),
    "openai:gpt-5.4-nano": price("0.20", "0.02", "1.25"),
    "mistral:mistral-small-latest": price("0.06", "0.06", "0.18"),
    "mistral:mistral-medium-latest": price("1.50", "1.50", "7.50"),
    "mistral:mistral-large-latest": price("0.50", "0.50", "1.50"),
    "mistral:ministral-8b-latest": price("0.15", "0.15", "0.15"),
    # From DeepSeek's own page, November 2026: what it asks at its busy hours, in others half of it. So nothing is ever
    # said to cost less than it did. The older name of Flash is answered by the new one.
    "deepseek:deepseek-flash": price("0.30", "0.006", "1.20"),
    "deepseek:deepseek-v4-flash": price("0.30", "0.006", "1.20"),
    "deepseek:deepseek-v4-pro": price("1.32", "0.044", "3.96"),
    "gemini:gemini-2.5-flash": price("0.30", "0.03", "2.50"),
    "gemini:gemini-2.5-flash-lite": price("0.10", "0.01", "0.40"),
    "gemini:gemini-3.1-flash-lite": price("0.25", "0.025", "1.50"),
    "gemini:gemini-3.5-flash": price("1.50", "0.15", "9"),
    "anthropic:claude-haiku-4-5": price("1", "0.10", "5"),
    "anthropic:claude-sonnet-4-6": price("3", "0.30", "15"),
    "anthropic:claude-sonnet-5": price("2", "0.20", "10"),
    "anthropic:claude-opus-4-6": price("5", "0.50", "25"),
    "anthropic:claude-opus-5": price("5", "0.50", "25"),
    # From Anthropic's own pages of these models, October 2026. Haiku 5.5 is missing: its price depends on the length of
    # the prompt, and one price for all would be too low for long ones.
    "anthropic:claude-sonnet-5-5": price("2", "0.20", "10"),
    "anthropic:claude-opus-5-5": price("4", "0.20", "20"),
    # The demo model and models on one's own machine cost nothing per token.
    "demo:*": price("0", "0", "0"),
    "ollama:*": price("0", "0", "0"),
}
# By their other API, the same models cost the same.
PRICES |= {name.replace("openai:", "openai-responses:"): PRICES[name] for name in PRICES if name.startswith("openai:")}
