"""Whom this house asks, and in which dialect: the environment names one address, and the dialect is its own."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from generation import agents
from generation.gateway import specs
from generation.llm.chat_request import body
from generation.llm.providers import Providers
from generation.llm.specs import KNOWN, ProviderSpec
from generation.llm.values import Message, ModelRequest
from generation.models import Agent

REQUEST = ModelRequest(
    (Message("user", "How many?"),), max_tokens=100, schema={"type": "object", "properties": {}}, schema_name="count"
)


def spoken_at(settings: Settings, url: str) -> tuple[ProviderSpec, dict[str, Any]]:
    settings.OPENAI_BASE_URL = url
    (spec,) = specs()
    return spec, body("some-model", REQUEST, spec)


def test_without_a_provider_there_is_the_demo_and_nobody_else(settings: Settings) -> None:
    (spec,) = specs()
    assert (spec.name, spec.base_url) == ("demo", settings.DEMO_BASE_URL)
    assert [str(model) for model in agents.chain(Agent(name="writer"))] == ["demo:demo"]


@pytest.mark.parametrize("given", [{"OPENAI_API_KEY": "sk-1"}, {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"}])
def test_with_a_provider_no_demo_answers(settings: Settings, given: dict[str, str]) -> None:
    for name, value in given.items():
        setattr(settings, name, value)
    asked = {model.provider for model in agents.chain(Agent(name="writer"))}
    assert asked == {spec.name for spec in specs()} == {"openai"}
    assert all(provider in Providers(specs()) for provider in asked)


def test_a_key_alone_is_openais(settings: Settings) -> None:
    settings.OPENAI_API_KEY = "sk-1"
    spec, wire = spoken_at(settings, "")
    assert (spec.base_url, spec.api_key) == ("https://api.openai.com/v1", "sk-1")
    assert (wire["max_completion_tokens"], wire["stream_options"]) == (100, {"include_usage": True})
    assert wire["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("name", [name for name, spec in KNOWN.items() if spec.kind == "openai"])
def test_each_known_provider_is_spoken_to_as_its_row_says(settings: Settings, name: str) -> None:
    known = KNOWN[name]
    spec, wire = spoken_at(settings, known.base_url)
    assert wire == body("some-model", REQUEST, known)
    assert (spec.name, spec.base_url) == ("openai", known.base_url)
    assert spec.parallel == min(known.parallel, settings.PROVIDER_PARALLEL)


def test_mistral_is_sent_nothing_it_would_refuse(settings: Settings) -> None:
    _, wire = spoken_at(settings, "https://api.mistral.ai/v1/")
    assert wire["max_tokens"] == 100
    assert not {"max_completion_tokens", "stream_options"} & set(wire)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.7:8000/v1",
        "http://127.0.0.1:8000/v1",
        "https://llm.example.org/v1",
        "https://api.openai.com.example.org/v1",
        "https://myapi.openai.com/v1",
        "https://example.org/api.openai.com/v1",
    ],
)
def test_who_is_not_known_is_sent_what_compatible_servers_take(settings: Settings, url: str) -> None:
    spec, wire = spoken_at(settings, url)
    assert wire["max_tokens"] == 100
    assert "max_completion_tokens" not in wire
    assert wire["stream_options"] == {"include_usage": True}
    assert wire["response_format"]["type"] == "json_schema"
    assert (spec.base_url, spec.parallel) == (url, settings.PROVIDER_PARALLEL)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://API.OPENAI.COM:443/v1", "openai"),
        ("http://localhost:11434/v1", "ollama"),
        ("http://[::1]:11434/v1", "ollama"),
    ],
)
def test_a_known_provider_is_known_under_its_other_addresses(settings: Settings, url: str, name: str) -> None:
    spec, wire = spoken_at(settings, url)
    assert spec.base_url == url
    assert wire == body("some-model", REQUEST, KNOWN[name])
