"""Whom this house asks, and in which dialect: the environment names keys and addresses, the table says the rest."""

import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.views.debug import SafeExceptionReporterFilter
from pytest_django.fixtures import Settings

from config import providers
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


def configure(settings: Settings, **environment: str) -> None:
    """As the environment would."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        settings.MODEL_KEYS = providers.keys()
        settings.MODEL_URLS = providers.urls()
        settings.MODEL_NAMES = providers.models()


def spoken_at(settings: Settings, url: str) -> tuple[ProviderSpec, dict[str, Any]]:
    configure(settings, OPENAI_BASE_URL=url)
    spec = specs()[0]
    return spec, body("some-model", REQUEST, spec)


def test_without_a_provider_there_is_the_demo_and_nobody_else(settings: Settings) -> None:
    (spec,) = specs()
    assert (spec.name, spec.base_url) == ("demo", settings.DEMO_BASE_URL)
    assert [str(model) for model in agents.chain(Agent(name="writer"))] == ["demo:demo"]


@pytest.mark.parametrize("name", providers.ACCOUNTS)
@pytest.mark.parametrize("what", ["API_KEY", "BASE_URL"])
def test_with_a_provider_no_demo_answers(settings: Settings, name: str, what: str) -> None:
    configure(settings, **{f"{name.upper()}_{what}": "http://127.0.0.1:8000/v1"})
    (asked,) = agents.chain(Agent(name="writer"))
    assert asked.provider == name
    assert {spec.account for spec in specs()} == {name}
    assert asked.provider in Providers(specs())


@pytest.mark.parametrize("name", providers.ACCOUNTS)
def test_a_key_alone_is_for_the_providers_own_address_and_the_tables_model(settings: Settings, name: str) -> None:
    configure(settings, **{f"{name.upper()}_API_KEY": "sk-1"})
    spec, known = specs()[0], KNOWN[name]
    assert (spec.name, spec.kind, spec.base_url, spec.api_key) == (name, known.kind, known.base_url, "sk-1")
    assert known.model
    assert agents.default_model() == f"{name}:{known.model}"


@pytest.mark.parametrize("name", [name for name in providers.ACCOUNTS if name != "openai"])
def test_another_address_and_another_model_change_nothing_else(settings: Settings, name: str) -> None:
    url = "https://llm.example.org/v1"
    configure(settings, **{f"{name.upper()}_BASE_URL": url, f"{name.upper()}_MODEL": "its-own"})
    spec, known = specs()[0], KNOWN[name]
    assert (spec.name, spec.kind, spec.schema, spec.ask_usage) == (name, known.kind, known.schema, known.ask_usage)
    assert (spec.base_url, agents.default_model()) == (url, f"{name}:its-own")


def test_of_several_the_first_of_the_table_answers_by_default_and_all_can_be_named(settings: Settings) -> None:
    configure(settings, MISTRAL_API_KEY="k", ANTHROPIC_API_KEY="k", OLLAMA_BASE_URL="http://127.0.0.1:11434/v1")
    assert agents.default_model() == f"anthropic:{KNOWN['anthropic'].model}"
    assert {spec.name for spec in specs()} == {"anthropic", "mistral", "ollama"}


def test_a_model_alone_configures_nobody(settings: Settings) -> None:
    configure(settings, ANTHROPIC_MODEL="claude-opus-5")
    assert agents.default_model() == "demo:demo"


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("", ["openai", "openai-responses"]),
        ("https://eu.api.openai.com/v1", ["openai", "openai-responses"]),
        ("https://llm.example.org/v1", ["openai"]),
        ("https://api.mistral.ai/v1", ["openai"]),
    ],
)
def test_openais_key_is_good_for_both_its_apis_but_no_stranger_is_asked_for_responses(
    settings: Settings, url: str, names: list[str]
) -> None:
    configure(settings, OPENAI_API_KEY="sk-1", OPENAI_BASE_URL=url)
    assert [spec.name for spec in specs()] == names
    assert {(spec.base_url, spec.api_key) for spec in specs()} == {(url or "https://api.openai.com/v1", "sk-1")}


def test_keys_are_in_no_repr_and_on_no_page_about_settings(settings: Settings) -> None:
    configure(settings, ANTHROPIC_API_KEY="sk-canary", OPENAI_API_KEY="sk-canary")
    shown = SafeExceptionReporterFilter().get_safe_settings()
    assert shown["MODEL_KEYS"] != django_settings.MODEL_KEYS
    assert "sk-canary" not in f"{shown} {specs()!r} {Providers(specs())!r}"


def test_no_sdk_is_imported_before_a_model_is_asked() -> None:
    code = (
        "import django; django.setup(); import sys, generation.gateway, chat.consumers;"
        " print(sorted({'openai', 'anthropic', 'httpx2', 'aiohttp'} & set(sys.modules)))"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)
    assert shown.stdout == "[]\n"


def test_openai_is_sent_the_newer_limit(settings: Settings) -> None:
    _, wire = spoken_at(settings, "https://api.openai.com/v1")
    assert (wire["max_completion_tokens"], wire["stream_options"]) == (100, {"include_usage": True})
    assert wire["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("name", [name for name, spec in KNOWN.items() if spec.kind == "openai"])
def test_at_openais_address_each_known_provider_is_spoken_to_as_its_row_says(settings: Settings, name: str) -> None:
    known = KNOWN[name]
    spec, wire = spoken_at(settings, known.base_url)
    assert wire == body("some-model", REQUEST, known)
    assert (spec.name, spec.base_url, spec.model) == ("openai", known.base_url, known.model)
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
        "https://api.anthropic.com/v1",  # where they speak Chat Completions, too
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
