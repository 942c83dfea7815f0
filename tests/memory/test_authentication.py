"""Who asks: sessions and tokens, what each may do, and what nobody may do in their name."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client
from django.utils import timezone

from memory import tokens
from memory.authentication import user_of_token
from memory.base.database import db as in_database
from memory.base.errors import PermissionRefused, SignInNeeded
from memory.models import Token, User
from tests.people import People

pytestmark = pytest.mark.django_db


def upload(client: Client, **headers: str) -> tuple[int, str]:
    answer = client.post("/api/v1/files", {"file": SimpleUploadedFile("a.txt", b"a")}, headers=headers)
    return answer.status_code, answer.json().get("error_code", "")


def test_nobody_is_told_to_sign_in(people: People) -> None:
    answer = Client().get("/api/v1/me")
    assert (answer.status_code, answer.json()["error_code"]) == (401, "authentication.needed")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_acts_for_its_user(people: People) -> None:
    answer = Client().get("/api/v1/me", headers=people.bearer(people.stranger, "read"))
    assert answer.json()["username"] == "stranger"


def test_the_token_counts_where_a_session_came_along(people: People) -> None:
    client = people.client(people.owner)
    assert client.get("/api/v1/me", headers=people.bearer(people.stranger)).json()["username"] == "stranger"


def test_a_token_that_only_reads_cannot_write(people: People) -> None:
    assert upload(Client(), **people.bearer(people.owner, "read")) == (403, "permission.scope")
    assert upload(Client(), **people.bearer(people.owner, "write")) == (201, "")


def test_a_token_that_only_writes_cannot_read(people: People) -> None:
    answer = Client().get("/api/v1/me", headers=people.bearer(people.owner, "write"))
    assert answer.json()["error_code"] == "permission.scope"


@pytest.mark.parametrize("secret", ["", "scr_wrong", "\x00", "ü" * 50, "a b c"])
def test_a_wrong_token_opens_nothing(people: People, secret: str) -> None:
    answer = people.client(people.owner).get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["error_code"]) == (401, "authentication.token")


def test_revoked_expired_and_orphaned_tokens_open_nothing(people: People) -> None:
    headers = [people.bearer(user) for user in (people.owner, people.teammate, people.viewer)]
    tokens.revoke(Token.objects.get(user=people.owner))
    Token.objects.filter(user=people.teammate).update(expires_at=timezone.now() - timedelta(seconds=1))
    people.viewer.is_active = False
    people.viewer.save()
    for header in headers:
        assert Client().get("/api/v1/me", headers=header).json()["error_code"] == "authentication.token"


def test_a_session_needs_the_csrf_token_to_write(people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.owner)
    assert upload(client) == (403, "permission.csrf")
    client.get("/api/docs")
    assert upload(client, **{"X-CSRFToken": client.cookies["csrftoken"].value}) == (201, "")


def test_a_token_needs_no_csrf_token(people: People) -> None:
    assert upload(Client(enforce_csrf_checks=True), **people.bearer(people.owner)) == (201, "")


def test_a_strangers_token_stays_a_strangers(people: People) -> None:
    answer = Client().get("/api/v1/workspaces", headers=people.bearer(people.stranger))
    assert [item["name"] for item in answer.json()] == ["Elsewhere"]


def test_sockets_ask_the_same_way(people: People) -> None:
    _, secret = tokens.issue(people.owner, "socket", ["read"])
    assert user_of_token(secret, "read") == people.owner
    with pytest.raises(PermissionRefused):
        user_of_token(secret, "write")
    with pytest.raises(SignInNeeded):
        user_of_token("scr_wrong", "read")


def said(client: Client, path: str = "/api/v1/runs?cursor=x", **headers: str) -> tuple[str, str]:
    """The sentence of an error, and the language it says it is in."""
    answer = client.get(path, headers={"Accept-Language": "en", **headers})
    return answer.json()["message"].split(".")[0], answer.headers["Content-Language"]


ENGLISH, FRENCH = ("This place in the list is unknown", "en"), ("Cet endroit de la liste est inconnu", "fr")


def test_who_is_signed_in_is_answered_in_their_own_language(people: People) -> None:
    assert said(people.client(people.owner)) == ENGLISH
    User.objects.filter(pk=people.owner.pk).update(language="fr")
    assert said(people.client(people.owner)) == FRENCH
    assert said(Client(), **people.bearer(people.owner)) == FRENCH
    assert said(people.client(people.stranger), **{"Accept-Language": "fr"}) == ENGLISH


def test_who_is_refused_is_answered_in_their_own_language_too(people: People) -> None:
    User.objects.filter(pk=people.owner.pk).update(language="fr")
    scope, language = said(Client(), **people.bearer(people.owner, "write"))
    assert ("jeton" in scope, language) == (True, "fr")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.owner)
    assert browser.post("/api/v1/files").headers["Content-Language"] == "fr"


def test_the_unknown_are_answered_in_the_language_of_their_browser(people: People) -> None:
    User.objects.update(language="en")
    assert said(Client())[1] == "en"
    assert said(Client(), **{"Accept-Language": "fr"})[1] == "fr"
    assert said(Client(), **{"Accept-Language": "fr", "Authorization": "Bearer scr_wrong"})[1] == "fr"


async def test_a_view_of_the_other_colour_answers_in_the_users_language(people_committed: People) -> None:
    await in_database(User.objects.filter(pk=people_committed.stranger.pk).update, language="fr")
    client = AsyncClient()
    await client.aforce_login(people_committed.stranger)
    answer: Any = await client.get(f"/api/v1/runs/{uuid4()}/events")
    assert answer.json()["error_code"] == "not_found.run"
    assert answer.headers["Content-Language"] == "fr"
