"""Before anything starts: one command that leaves a house one can enter, and that may run again."""

import io
import json
import os
import subprocess
import sys

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from generation.models import Agent, Prompt
from memory.models import Role, User
from tests.patience import PATIENCE_SECONDS
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


def test_two_machines_prepare_one_empty_database_at_once() -> None:
    """The second waits, and holds nothing that the first one's indexes would have to wait for."""
    target = connection.settings_dict
    name = f"at_once_{os.getpid()}"
    with psycopg.connect(host=target["HOST"], user=target["USER"], dbname="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        url = f"postgresql://{target['USER']}@/{name}?host={target['HOST']}"
        environment = {**os.environ, "DATABASE_URL": url, "PROCESS": "command"}
        machines = [
            subprocess.Popen([sys.executable, "manage.py", "prepare"], env=environment, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        try:
            told = [machine.communicate(timeout=PATIENCE_SECONDS)[1].decode() for machine in machines]
        finally:
            for machine in machines:
                machine.kill()
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert [machine.returncode for machine in machines] == [0, 0], told
