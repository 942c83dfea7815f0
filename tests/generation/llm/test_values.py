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


def test_a_key_never_shows() -> None:
    spec = ProviderSpec("p", "openai", "http://x", api_key="sk-secret")
    providers = Providers([spec])
    assert "sk-secret" not in f"{spec!r} {spec} {providers!r} {providers['p']!r} {vars(providers['p'])!r}"


def test_an_unknown_provider_is_a_refusal() -> None:
    providers = Providers(KNOWN.values())
    assert "mistral" in providers
    with pytest.raises(ModelRefused, match="unknown_provider"):
        providers["nobody"]


def test_an_unknown_kind_fails_when_the_table_is_read() -> None:
    with pytest.raises(KeyError, match="telepathy"):
        Providers([ProviderSpec("p", "telepathy", "http://x")])
