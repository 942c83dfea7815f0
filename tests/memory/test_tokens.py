"""`manage.py token`: the secret is shown once; afterwards there is a hash, a list, and a way to take it back."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from memory.models import Token
from tests.people import People

pytestmark = pytest.mark.django_db


def token(*arguments: str) -> str:
    out = io.StringIO()
    call_command("token", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def status(secret: str) -> int:
    return Client().get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code


def test_it_prints_a_secret_that_works_and_is_not_kept(people: People) -> None:
    secret = token("owner", "--name", "laptop", "--scope", "read", "--days", "2")
    assert status(secret) == 200
    kept = Token.objects.get()
    assert (kept.name, kept.scopes) == ("laptop", ["read"])
    assert kept.expires_at is not None
    assert secret not in str(vars(kept))


def test_a_revoked_token_opens_nothing(people: People) -> None:
    secret = token("owner")
    token("--revoke", str(Token.objects.get().id))
    assert status(secret) == 401


def test_the_list_shows_states_and_no_secret(people: People) -> None:
    secret = token("owner", "--name", "laptop")
    token("stranger", "--name", "phone")
    token("--revoke", str(Token.objects.get(name="phone").id))
    assert "laptop" in token("--list", "owner")
    assert "phone" not in token("--list", "owner")
    listed = token("--list")
    assert "live" in listed
    assert "revoked" in listed
    assert secret not in listed


@pytest.mark.parametrize("arguments", [["nobody"], [], ["--revoke", "01a1f91e-b4d5-7a92-9585-9f65f4aef5f7"]])
def test_what_is_not_there_is_said(people: People, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        token(*arguments)
