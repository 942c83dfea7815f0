"""Before anything starts: one command that leaves a house one can enter, and that may run again."""

import io
import json

import pytest
from django.core.management import call_command
from django.test import Client

from generation.models import Agent, Prompt
from memory.models import Role, User
from tests.people import People

pytestmark = pytest.mark.django_db


def prepare() -> str:
    out = io.StringIO()
    call_command("prepare", "--json", stdout=out, stderr=io.StringIO())
    return str(json.loads(out.getvalue().splitlines()[-1])["sign_in_path"])


def test_an_empty_house_gets_an_owner_with_a_workspace_and_a_way_in() -> None:
    path = prepare()
    owner = User.objects.get()
    assert owner.is_superuser
    assert not owner.has_usable_password()
    membership = owner.memberships.get()
    assert (membership.workspace.name, membership.role) == ("Scriptorium", Role.OWNER)
    assert path.startswith(f"/sign-in/{owner.pk}/")


def test_prompts_and_agents_are_there() -> None:
    prepare()
    assert Prompt.objects.filter(slot="note/outline", production__isnull=False).exists()
    assert Agent.objects.filter(name="writer").exists()


def test_a_second_time_makes_nobody_and_nothing() -> None:
    prepare()
    before = Agent.objects.count(), Prompt.objects.count()
    prepare()
    assert User.objects.count() == 1
    assert (Agent.objects.count(), Prompt.objects.count()) == before


def test_a_house_with_people_and_no_superuser_is_entered_by_password(people: People) -> None:
    assert prepare() == "/sign-in/"
    assert User.objects.count() == 4


def test_the_link_opens_the_house() -> None:
    client = Client()
    answer = client.post(prepare())
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/").status_code == 200
    assert client.get("/admin/").status_code == 200
