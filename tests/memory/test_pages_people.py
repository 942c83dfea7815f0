"""Signing in and out, and the profile: each small form is saved alone, and what it changes holds at once."""

from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from memory import tokens
from memory.models import Membership, Token, User
from tests.password import PASSWORD
from tests.people import People

pytestmark = pytest.mark.django_db


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def sign_in(username: str, password: str = PASSWORD, **more: str) -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/sign-in/", {"username": username, "password": password, **more})


# --- signing in and out


@pytest.mark.parametrize("given", ["owner", "owner@example.org", "Owner@Example.ORG"])
def test_a_name_or_an_address_signs_in(people: People, given: str) -> None:
    client, answer = sign_in(given)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert "owner" in text_of(client, "/profile/")


def test_a_wrong_password_is_told_quietly_and_gives_no_hint_who_exists(people: People) -> None:
    told = [sign_in(name, "wrong")[1] for name in ("owner", "nobody")]
    assert [answer.status_code for answer in told] == [400, 400]
    said = [answer.content.decode() for answer in told]
    assert all("Name and password do not fit together." in page for page in said)
    assert 'value="owner"' in said[0]
    assert "wrong" not in said[0]


def test_the_page_asked_for_is_kept_over_a_wrong_password_and_ours_alone(people: People) -> None:
    _, answer = sign_in("owner", "wrong", next="/queue/?a=1")
    assert 'name="next" value="/queue/?a=1"' in answer.content.decode()
    assert sign_in("owner", next="/queue/?a=1")[1].headers["Location"] == "/queue/?a=1"
    assert sign_in("owner", next="//evil.example/")[1].headers["Location"] == "/"


def test_who_is_in_goes_on_and_comes_back_only_by_signing_out(people: People) -> None:
    client = people.client(people.owner)
    assert client.get("/sign-in/?next=/queue/").headers["Location"] == "/queue/"
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert client.get("/profile/").headers["Location"] == "/sign-in/?next=%2Fprofile%2F"


def test_tries_are_counted(people: People, settings: Settings) -> None:
    settings.RATE_LIMIT_ENABLED, settings.RATE_LIMIT_RPM = True, 3
    codes = [sign_in("owner", "wrong")[1].status_code for _ in range(4)]
    assert codes == [400, 400, 400, 429]


def test_a_name_that_is_an_address_is_the_name_first(people: People) -> None:
    User.objects.create_user("owner@example.org", "other@example.org", "other horse")
    client, _ = sign_in("owner@example.org", "other horse")
    assert client.get("/api/v1/me").json()["email"] == "other@example.org"


# --- the profile


def save(client: Client, form: str, **fields: str) -> str:
    """The page one is led to after a form of the profile was saved."""
    answer = client.post(f"/profile/{form}/", fields)
    assert answer.headers["Location"] == f"/profile/#{form}"
    return text_of(client, "/profile/")


def test_a_stranger_to_the_house_is_sent_to_sign_in() -> None:
    for path in ("about", "reading", "password", "tokens"):
        assert Client().post(f"/profile/{path}/").headers["Location"].startswith("/sign-in/")


def test_name_and_study_level_are_saved_and_said_once(people: People) -> None:
    client = people.client(people.owner)
    page = save(client, "about", name="Claire Delannoy", study_level="adult beginner")
    assert page.count("Saved.") == 1
    assert ">CD<" in page
    assert 'value="adult beginner"' in page
    assert "Saved." not in text_of(client, "/profile/")


def test_a_name_is_shown_as_text(people: People) -> None:
    client = people.client(people.owner)
    assert "<b>Claire" not in save(client, "about", name="<b>Claire")


def test_a_name_that_is_too_long_is_told_beside_its_field(people: People) -> None:
    answer = people.client(people.owner).post("/profile/about/", {"name": "C" * 151})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'id="about-name_error"' in page
    assert 'aria-invalid="true"' in page


def test_the_language_changes_every_page_at_once(people: People) -> None:
    client = people.client(people.owner)
    page = save(client, "reading", language="fr", theme="dark")
    assert '<html lang="fr" data-theme="dark">' in page
    assert "Enregistré." in page
    assert "Espaces" in text_of(client, "/workspaces/")
    assert client.get("/nowhere/", headers={"Accept-Language": "en"}).headers["Content-Language"] == "fr"
    client.post("/sign-out/")
    assert '<html lang="fr">' in text_of(client, "/sign-in/")


def test_a_language_of_no_house_is_refused(people: People) -> None:
    client = people.client(people.owner)
    assert client.post("/profile/reading/", {"language": "xx"}).status_code == 400
    people.owner.refresh_from_db()
    assert people.owner.language == "en"


@pytest.mark.parametrize(
    ("chosen", "shown", "turned"),
    [("", "dark", "light"), ("", "light", "dark"), ("", "", "dark"), ("dark", "light", "light"), ("light", "", "dark")],
)
def test_the_theme_turns_from_what_is_shown(people: People, chosen: str, shown: str, turned: str) -> None:
    User.objects.update(theme=chosen)
    client = people.client(people.owner)
    assert client.post("/profile/theme/", {"shown": shown, "next": "/profile/"}).headers["Location"] == "/profile/"
    assert f'data-theme="{turned}"' in text_of(client, "/profile/")


def test_a_changed_password_ends_the_other_sessions_and_not_this_one(people: People) -> None:
    here, other = people.client(people.owner), people.client(people.owner)
    assert "Saved." in save(here, "password", old=PASSWORD, new="a longer secret")
    assert here.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302
    assert sign_in("owner", "a longer secret")[1].status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("wrong", "a longer secret", "This is not your password."),
        (PASSWORD, "short", "too short"),
        (PASSWORD, "password", "too common"),
        (PASSWORD, "owner@example", "too similar"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(people: People, old: str, new: str, said: str) -> None:
    answer = people.client(people.owner).post("/profile/password/", {"old": old, "new": new})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert sign_in("owner")[1].status_code == 302


def test_who_came_by_a_link_sets_a_password_without_an_old_one(people: People) -> None:
    people.owner.set_unusable_password()
    people.owner.save()
    client = people.client(people.owner)
    assert 'name="old"' not in text_of(client, "/profile/")
    save(client, "password", new="a longer secret")
    assert sign_in("owner", "a longer secret")[1].status_code == 302


# --- tokens


def test_a_token_is_shown_once_and_opens_what_it_says(people: People) -> None:
    client = people.client(people.owner)
    answer = client.post("/profile/tokens/", {"name": "laptop", "scopes": "read"})
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    assert secret not in text_of(client, "/profile/")
    assert "laptop" in text_of(client, "/profile/")
    headers = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/me", headers=headers).status_code == 200
    assert Client().post("/api/v1/folders", headers=headers).status_code == 403


def test_a_token_is_revoked_by_its_own_person_alone(people: People) -> None:
    token, _ = tokens.issue(people.owner, "laptop")
    for other in (people.teammate, people.stranger):
        assert people.client(other).post(f"/profile/tokens/{token.id}/revoke/").status_code == 404
        assert "laptop" not in text_of(people.client(other), "/profile/")
    client = people.client(people.owner)
    assert client.post(f"/profile/tokens/{token.id}/revoke/").headers["Location"] == "/profile/#token"
    page = text_of(client, "/profile/")
    assert "Revoked." in page
    assert "laptop" not in page
    assert tokens.state(Token.objects.get()) == "revoked"


# --- without a workspace


@pytest.fixture
def lone(people: People) -> Client:
    Membership.objects.filter(user=people.stranger).delete()
    return people.client(people.stranger)


@pytest.mark.parametrize("path", ["/", "/queue/"])
def test_who_belongs_nowhere_is_offered_to_make_a_workspace(lone: Client, path: str) -> None:
    page = text_of(lone, path)
    assert "You belong to no workspace yet." in page
    assert 'href="/profile/"' in page
    assert "data-workspace" not in page


def test_their_first_workspace_opens_the_house(lone: Client) -> None:
    assert lone.post("/workspaces/", {"name": "Mine"}).status_code == 302
    page = text_of(lone, "/")
    assert "You belong to no workspace yet." not in page
    assert "Mine" in page


def test_who_belongs_nowhere_has_a_profile_and_is_told_of_what_is_not_theirs(people: People, lone: Client) -> None:
    assert "Sign out" in text_of(lone, "/profile/")
    assert "no workspace yet" in text_of(lone, "/workspaces/")
    assert lone.get(f"/workspaces/{people.workspace.id}/").status_code == 404


def test_the_profile_asks_little(people: People, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for n in range(5):
        tokens.issue(people.owner, f"laptop {n}")
    client = people.client(people.owner)
    with django_assert_max_num_queries(6):
        text_of(client, "/profile/")
