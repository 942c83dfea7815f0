"""What is kept in the process is what stands in the rows, whoever changed them and by whatever way."""

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from generation import in_force, prompts
from generation.models import Agent, Prompt, PromptVersion
from memory.base.errors import NotFound
from tests import instructions

SLOT = "note/section"


@pytest.fixture(autouse=True)
def synced(db: None) -> None:
    instructions.give()


def test_nothing_is_read_again_while_the_rows_stand(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    known = in_force.find(SLOT)
    with django_assert_num_queries(1):
        assert in_force.find(SLOT).version is known.version


def test_a_change_of_the_prompt_or_its_version_or_the_agent_is_seen_by_the_next_call() -> None:
    found = in_force.find(SLOT)
    version, agent = found.version, found.agent
    Agent.objects.filter(name=agent.name).update(temperature=1.5)
    assert in_force.find(SLOT).agent.temperature == 1.5
    Prompt.objects.filter(slot=SLOT).update(variables=["brief"])
    assert in_force.find(SLOT).version.prompt.variables == ["brief"]
    PromptVersion.objects.filter(pk=version.pk).update(text="[user]\nAnother")
    assert in_force.find(SLOT).version.text == "[user]\nAnother"
    newer = prompts.add_version(version.prompt, "[user]\nNewer")
    Prompt.objects.filter(slot=SLOT).update(production=newer)
    assert in_force.find(SLOT).version == newer


def test_another_agent_may_be_asked_for() -> None:
    assert in_force.find(SLOT, "critic").agent.name == "critic"
    Prompt.objects.filter(slot=SLOT).update(agent="planner")
    assert in_force.find(SLOT).agent.name == "planner"
    assert in_force.find(SLOT, "critic").agent.name == "critic"


def test_the_environments_version_is_used_from_when_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    version = in_force.find(SLOT).version
    other = prompts.add_version(version.prompt, "[user]\nOther")
    monkeypatch.setenv(prompts.override_name(SLOT), str(other.number))
    assert in_force.find(SLOT).version == other


def test_what_is_not_there_any_more_is_not_found() -> None:
    in_force.find(SLOT, "critic")
    Agent.objects.filter(name="critic").delete()
    with pytest.raises(NotFound):
        in_force.find(SLOT, "critic")
    with connection.cursor() as sql:
        sql.execute("UPDATE generation_prompt SET production_id = NULL WHERE slot = %s", [SLOT])
    with pytest.raises(NotFound):
        in_force.find(SLOT)
