"""Facts about providers, as data: where they are, what they accept, how much they are asked at once."""

from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

# How far a provider holds an answer to a JSON schema: to its letter, to "some JSON object", not at all.
SchemaSupport = Literal["strict", "object", "none"]


@dataclass(frozen=True, slots=True)
class ProviderSpec:
    """One provider. `kind` names the adapter; the key never shows in a repr."""

    name: str
    kind: str
    base_url: str
    api_key: str = field(default="", repr=False)
    parallel: int = 100_000  # what it stands at once; what we ask of any is in the settings
    schema: SchemaSupport = "strict"
    limit_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    ask_usage: bool = True


# Public endpoints; settings add the key with `dataclasses.replace`.
KNOWN: dict[str, ProviderSpec] = {
    spec.name: spec
    for spec in (
        # OpenAI's reasoning models refuse `max_tokens`; all of its models take the newer field.
        ProviderSpec("openai", "openai", "https://api.openai.com/v1", limit_field="max_completion_tokens"),
        # Mistral reports usage unasked and has no `stream_options`.
        ProviderSpec("mistral", "openai", "https://api.mistral.ai/v1", ask_usage=False),
        ProviderSpec("deepseek", "openai", "https://api.deepseek.com/v1", schema="object"),
        ProviderSpec("gemini", "openai", "https://generativelanguage.googleapis.com/v1beta/openai/"),
        ProviderSpec("openrouter", "openai", "https://openrouter.ai/api/v1"),
        ProviderSpec("ollama", "openai", "http://127.0.0.1:11434/v1", parallel=4),
    )
}

# What servers that call themselves compatible (vLLM, llama.cpp, LiteLLM, LM Studio) take: the older name of the limit.
COMPATIBLE = ProviderSpec("compatible", "openai", "")

LOOPBACK = {"localhost", "::1"}
PORTS = {"http": 80, "https": 443}


def at(url: str) -> ProviderSpec:
    """The dialect spoken at this address: of the known provider whose host it is (or a part of it), else COMPATIBLE."""
    host, port = place_of(url)
    for spec in KNOWN.values():
        known, known_port = place_of(spec.base_url)
        if port == known_port and (host == known or host.endswith(f".{known}")):
            return replace(spec, base_url=url)
    return replace(COMPATIBLE, base_url=url)


def place_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return "127.0.0.1" if host in LOOPBACK else host, parts.port or PORTS.get(parts.scheme, 0)
