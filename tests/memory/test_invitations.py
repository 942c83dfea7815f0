"""Invitations: a link lets one person in, once, within seven days, and never makes anybody less than they are."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from memory import invitations, workspaces
from memory.models import Invitation, Membership, Role, User
from tests.people import People
from tests.races import overtaken

pytestmark = pytest.mark.django_db

NEW = {"username": "claire", "email": "claire@example.org", "password": "a longer secret"}


@pytest.fixture
def path(people: People) -> str:
    """Of a link that makes an editor."""
    return invitations.path_for(invitations.invite(people.workspace, Role.EDITOR, by=people.owner)[1])


def role_of(people: People, user: User) -> str | None:
    held = Membership.objects.filter(workspace=people.workspace, user=user).first()
    return held.role if held else None


def told(answer: Any, code: str) -> bool:
    return answer.status_code == 409 and code in answer.content.decode()


def test_an_owner_gets_a_link_to_send_once(people: People, settings: Settings) -> None:
    client = people.client(people.owner)
    place = f"/workspaces/{people.workspace.id}/"
    answer = client.post(place + "invitations/", {"role": "viewer", "email": "claire@example.org"})
    link = answer.context["link"]
    assert link.startswith(f"{settings.PUBLIC_URL}/invitations/")
    assert link in answer.content.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    again = client.get(place).content.decode()
    assert "claire@example.org" in again
    assert link not in again
    assert Invitation.objects.get().digest not in again
    assert link.split("/")[-2] not in str(Invitation.objects.values())


@pytest.mark.parametrize(("who", "status"), [("teammate", 403), ("viewer", 403), ("stranger", 404)])
def test_nobody_else_invites(people: People, who: str, status: int) -> None:
    client = people.client(getattr(people, who))
    assert client.post(f"/workspaces/{people.workspace.id}/invitations/", {"role": "owner"}).status_code == status
    assert not Invitation.objects.exists()


def test_the_link_says_who_invites_to_what_and_as_what(people: People, path: str) -> None:
    for client in (Client(), people.client(people.stranger)):
        page = client.get(path).content.decode()
        assert re.search(r"owner invites you to\W+Scriptorium", page)
        assert "You come as editor." in page


def test_looking_at_the_link_changes_nothing(people: People, path: str) -> None:
    client = people.client(people.stranger)
    for _ in range(2):
        assert client.get(path).status_code == 200
    assert role_of(people, people.stranger) is None


def test_one_button_joins_who_has_signed_in(people: People, path: str) -> None:
    client = people.client(people.stranger)
    assert "sign-up" not in client.get(path).content.decode()
    assert client.post(path + "accept/").headers["Location"] == "/"
    assert role_of(people, people.stranger) == "editor"
    assert f'data-workspace="{people.workspace.id}"' in client.get("/").content.decode()


def test_who_has_an_account_signs_in_and_comes_back(people: People, path: str) -> None:
    page = Client().get(path).content.decode()
    way = re.search(r'href="(/sign-in/\?next=[^"]+)"', page)
    assert way
    client = Client()
    form = {"username": "stranger", "password": "correct horse"}
    assert client.post(way[1].replace("&amp;", "&"), form).headers["Location"] == path


def test_a_new_account_joins_in_one_step(people: People, path: str) -> None:
    client = Client()
    assert client.post(path + "sign-up/", NEW, headers={"Accept-Language": "fr"}).headers["Location"] == "/"
    claire = User.objects.get(username="claire")
    assert role_of(people, claire) == "editor"
    assert claire.language == "fr"
    assert not claire.is_staff
    assert client.get("/api/v1/me").json()["email"] == "claire@example.org"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("username", "owner", "Somebody has this name already."),
        ("username", "OWNER", "Somebody has this name already."),
        ("username", "stranger@example.org", "A user name has no @."),
        ("username", "a b", "valid username"),
        ("email", "Owner@Example.org", "Somebody has signed up with this address already."),
        ("email", "nothing", "valid email"),
        ("password", "short", "too short"),
        ("password", "", "required"),
        ("password", "claire123", "too similar"),
    ],
)
def test_an_account_that_will_not_do_uses_nothing_up(
    people: People, path: str, field: str, value: str, said: str
) -> None:
    before = User.objects.count()
    answer = Client().post(path + "sign-up/", {**NEW, field: value})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert said in page
    assert f'id="sign-up-{field}_error"' in page
    assert "a longer secret" not in page
    assert User.objects.count() == before
    assert Client().post(path + "sign-up/", NEW).status_code == 302


def test_it_works_once(people: People, path: str) -> None:
    Client().post(path + "sign-up/", NEW)
    stranger = people.client(people.stranger)
    assert told(Client().get(path), "conflict.invitation_used")
    assert told(stranger.post(path + "accept/"), "conflict.invitation_used")
    assert told(Client().post(path + "sign-up/", {**NEW, "username": "b", "email": "b@x.org"}), "invitation_used")
    assert role_of(people, people.stranger) is None
    assert not User.objects.filter(username="b").exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_it_at_once_one_comes_in(people_committed: People) -> None:
    people = people_committed
    secret = invitations.invite(people.workspace, Role.EDITOR, by=people.owner)[1]
    guest = User.objects.create_user("guest", "guest@example.org")
    refused = overtaken(
        lambda: invitations.accept(secret, people.stranger),
        lambda: invitations.accept(secret, guest),
    )
    assert refused == ["conflict.invitation_used"]
    assert role_of(people, people.stranger) == "editor"
    assert role_of(people, guest) is None


def test_it_grows_old(people: People, path: str) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = people.client(people.stranger).post(path + "accept/")
    assert told(answer, "conflict.invitation_expired")
    assert "Ask owner for a new one." in answer.content.decode()


def test_it_lives_for_seven_days(people: People, path: str) -> None:
    left = Invitation.objects.get().expires_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_an_owner_withdraws_it(people: People, path: str) -> None:
    found = Invitation.objects.get()
    address = f"/workspaces/{people.workspace.id}/invitations/{found.id}/revoke/"
    for who, status in ((people.teammate, 403), (people.stranger, 404), (people.owner, 302)):
        assert people.client(who).post(address).status_code == status
    assert told(people.client(people.stranger).post(path + "accept/"), "conflict.invitation_revoked")


def test_an_owner_of_another_workspace_withdraws_nothing_here(people: People, path: str) -> None:
    elsewhere = people.stranger.memberships.get().workspace_id
    address = f"/workspaces/{elsewhere}/invitations/{Invitation.objects.get().id}/revoke/"
    assert people.client(people.stranger).post(address).status_code == 404
    assert Invitation.objects.get().revoked_at is None


def test_who_owns_no_longer_has_left_no_way_back(people: People, path: str) -> None:
    workspaces.change_role(people.workspace, people.teammate.pk, Role.OWNER, by=people.owner)
    workspaces.remove_member(people.workspace, people.owner.pk, by=people.teammate)
    assert told(people.client(people.owner).post(path + "accept/"), "conflict.invitation_revoked")
    assert role_of(people, people.owner) is None


@pytest.mark.parametrize("who", ["owner", "teammate"])
def test_who_belongs_already_is_told_so_and_nobodys_role_is_lowered(people: People, path: str, who: str) -> None:
    user = getattr(people, who)
    before = role_of(people, user)
    client = people.client(user)
    page = client.get(path).content.decode()
    assert "already" in page
    assert "accept/" not in page
    assert told(client.post(path + "accept/"), "conflict.member")
    assert role_of(people, user) == before
    assert people.client(people.stranger).post(path + "accept/").status_code == 302


def test_a_member_who_would_become_more_does(people: People, path: str) -> None:
    client = people.client(people.viewer)
    assert "You come as editor." in client.get(path).content.decode()
    client.post(path + "accept/")
    assert role_of(people, people.viewer) == "editor"


def test_whose_session_has_ended_stands_before_the_same_link(people: People, path: str) -> None:
    answer = Client().post(path + "accept/")
    assert (answer.status_code, answer.headers["Location"]) == (302, path)
    assert Client().post(path + "sign-up/", NEW).status_code == 302


def test_a_link_that_was_never_made_opens_nothing(people: People) -> None:
    for client in (Client(), people.client(people.stranger)):
        answer = client.get("/invitations/nonsense/")
        assert answer.status_code == 404
        assert "not_found.invitation" in answer.content.decode()
    assert people.client(people.stranger).post("/invitations/nonsense/accept/").status_code == 404


def test_the_buttons_need_the_csrf_token(people: People, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.stranger)
    assert client.post(path + "accept/").status_code == 403
    assert Client(enforce_csrf_checks=True).post(path + "sign-up/", NEW).status_code == 403
