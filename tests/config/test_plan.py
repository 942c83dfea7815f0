"""What `up` would start here: whatever the environment already offers is not started."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config import providers
from config.services import PostgreSQL, Redis
from config.supervisor import house
from config.supervisor.plan import Plan, of_this_machine

OFFERS = ("DATABASE_URL", "REDIS_URL", *providers.VARIABLES)

Planned = Callable[..., Plan]


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Planned]:
    made: list[Plan] = []

    def plan(**offered: str) -> Plan:
        for name in OFFERS:
            monkeypatch.setenv(name, offered.get(name, ""))
        made.append(of_this_machine(tmp_path, 8000))
        return made[-1]

    yield plan
    for service in (service for plan in made for service in plan.services):
        service.tidy()


def test_where_nothing_is_offered_everything_is_started(planned: Planned) -> None:
    plan = planned()
    assert [type(service) for service in plan.services] == [PostgreSQL, Redis]
    (demo,) = plan.models
    assert (demo.name, demo.argv[1:-1]) == ("demo", ("-m", "generation.demo", "--port"))
    url = f"http://127.0.0.1:{demo.argv[-1]}/v1"
    assert {process.name: process.env["DEMO_BASE_URL"] for process in plan.processes} == dict.fromkeys(
        ("web", "high", "default", "low"), url
    )


@pytest.mark.parametrize(
    "offered",
    [
        {"OPENAI_API_KEY": "sk-1"},
        {"OPENAI_BASE_URL": "https://api.mistral.ai/v1"},
        {"ANTHROPIC_API_KEY": "sk-1"},
        {"OLLAMA_BASE_URL": "http://127.0.0.1:11434/v1"},
    ],
)
def test_no_demo_model_stands_beside_a_provider(planned: Planned, offered: dict[str, str]) -> None:
    plan = planned(**offered)
    assert plan.models == ()
    assert all(offered.items() <= process.env.items() for process in plan.processes)
    assert len(plan.services) == 2


def test_services_of_ones_own_are_not_started_again(planned: Planned) -> None:
    plan = planned(DATABASE_URL="postgresql://db/x", REDIS_URL="redis://r/0")
    assert plan.services == ()
    assert all(process.env["DATABASE_URL"] == "postgresql://db/x" for process in plan.processes)


def test_every_variable_of_a_provider_reaches_the_processes_of_the_compose_file() -> None:
    lines = (house.BASE / "deploy" / "compose.yaml").read_text().splitlines()
    assert {f"    {name}: ${{{name}:-}}" for name in providers.VARIABLES} <= set(lines)
