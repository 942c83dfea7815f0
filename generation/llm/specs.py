"""Facts about providers, as data: where they are, what they accept, how much they are asked at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
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
    model: str = ""  # who answers where nobody named a model
    account_of: str = ""  # the provider whose key and address it shares
    beside_tools: Mapping[str, Any] = field(default_factory=dict, hash=False)  # what a request with tools says, too
    # How the names begin of its models that answer at once; new ones reason first. None: as if all answered at once.
    plain: tuple[str, ...] | None = None

    @property
    def account(self) -> str:
        return self.account_of or self.name

    def reasons(self, model: str) -> bool:
        return self.plain is not None and not model.startswith(self.plain)


GPT = ("gpt-3.5", "gpt-4", "chatgpt-4o", "ft:gpt-3.5", "ft:gpt-4")  # those that somebody trained, too
CLAUDE = ("claude-3", "claude-haiku-4", "claude-sonnet-4", *(f"claude-opus-4-{minor}" for minor in "01256"))

# Public endpoints; settings add the key with `dataclasses.replace`. The first that is configured answers by default.
KNOWN: dict[str, ProviderSpec] = {
    spec.name: spec
    for spec in (
        # OpenAI's reasoning models refuse `max_tokens`; all of its models take the newer field.
        ProviderSpec(
            "openai", "openai", "https://api.openai.com/v1",
            limit_field="max_completion_tokens", model="gpt-4.1-nano", plain=GPT,
        ),
        # The same models by the API that shows how they reason.
        ProviderSpec(
            "openai-responses", "responses", "https://api.openai.com/v1", account_of="openai", plain=GPT
        ),
        ProviderSpec(
            "anthropic", "anthropic", "https://api.anthropic.com", model="claude-haiku-4-5", plain=CLAUDE
        ),
        # Mistral reports usage unasked and has no `stream_options`.
        ProviderSpec(
            "mistral", "openai", "https://api.mistral.ai/v1", ask_usage=False, model="mistral-small-latest"
        ),
        # After a call of a tool, DeepSeek wants back what it thought before it; that is kept for people only.
        ProviderSpec(
            "deepseek", "openai", "https://api.deepseek.com/v1", schema="object", model="deepseek-flash",
            beside_tools={"thinking": {"type": "disabled"}},
        ),
        ProviderSpec(
            "gemini", "openai", "https://generativelanguage.googleapis.com/v1beta/openai/",
            model="gemini-3.1-flash-lite",
        ),
        ProviderSpec("openrouter", "openai", "https://openrouter.ai/api/v1", model="openrouter/auto"),
        ProviderSpec("ollama", "openai", "http://127.0.0.1:11434/v1", parallel=4, model="qwen3:8b"),
    )
}  # fmt: skip

# What servers that call themselves compatible (vLLM, llama.cpp, LiteLLM, LM Studio) take: the older name of the limit.
COMPATIBLE = ProviderSpec("compatible", "openai", "")

LOOPBACK = {"localhost", "::1"}
PORTS = {"http": 80, "https": 443}


def at(url: str) -> ProviderSpec:
    """The dialect of Chat Completions spoken at this address: of the known provider whose host it is (or a part of
    it), else COMPATIBLE."""
    host, port = place_of(url)
    for spec in KNOWN.values():
        known, known_port = place_of(spec.base_url)
        if spec.kind == "openai" and port == known_port and (host == known or host.endswith(f".{known}")):
            return replace(spec, base_url=url)
    return replace(COMPATIBLE, base_url=url)


def place_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return "127.0.0.1" if host in LOOPBACK else host, parts.port or PORTS.get(parts.scheme, 0)
