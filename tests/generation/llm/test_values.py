import asyncio

import pytest

from generation.llm.providers import Providers
from generation.llm.specs import KNOWN, ProviderSpec
from generation.llm.values import Message, ModelRef
from memory.base.errors import ModelRefused


def test_a_reference_reads_as_it_is_written() -> None:
    assert ModelRef.parse("openai:gpt-4.1-nano") == ModelRef("openai", "gpt-4.1-nano")
    assert str(ModelRef.parse(" ollama:qwen3:8b ")) == "ollama:qwen3:8b"


@pytest.mark.parametrize("text", ["", "openai", "openai:", ":gpt"])
def test_half_a_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a model reference"):
        ModelRef.parse(text)


def test_values_are_equal_by_content() -> None:
    assert {Message("user", "a"), Message("user", "a")} == {Message("user", "a")}


async def test_a_key_never_shows() -> None:
    spec = ProviderSpec("p", "openai", "http://x", api_key="sk-secret")
    providers = Providers([spec])
    provider = await providers.open("p")
    assert "sk-secret" not in f"{spec!r} {spec} {providers!r} {provider!r} {vars(provider)!r}"


async def test_a_provider_keeps_its_connections_from_call_to_call() -> None:
    providers = Providers([ProviderSpec("p", "openai", "http://x")])
    first, second = await asyncio.gather(providers.open("p"), providers.open("p"))
    assert first is second is await providers.open("p")


async def test_an_unknown_provider_is_a_refusal() -> None:
    providers = Providers(KNOWN.values())
    assert "mistral" in providers
    with pytest.raises(ModelRefused, match="unknown_provider"):
        await providers.open("nobody")


def test_an_unknown_kind_fails_when_the_table_is_read() -> None:
    with pytest.raises(KeyError, match="telepathy"):
        Providers([ProviderSpec("p", "telepathy", "http://x")])
