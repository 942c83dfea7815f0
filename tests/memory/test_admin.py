"""Staff at people and workspaces: by permission, never above themselves, and without a secret on any page."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from memory import invitations, tokens
from memory.models import Membership, Role, Token, User
from tests.people import People

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(db: None) -> User:
    return User.objects.create_superuser("keeper", "keeper@example.org")


def staff(*permissions: str) -> User:
    user = User.objects.create_user("staff", "staff@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_stranger_is_sent_to_sign_in(people: People) -> None:
    assert "/admin/login/" in people.client(people.stranger).get("/admin/memory/user/").headers["Location"]


def test_staff_sees_what_it_has_a_permission_for(people: People) -> None:
    client = signed_in(staff("view_workspace"))
    assert client.get(f"/admin/memory/workspace/{people.workspace.id}/change/").status_code == 200
    assert client.get("/admin/memory/token/").status_code == 403


def test_members_are_changed_beside_their_workspace(people: People, keeper: User) -> None:
    page = f"/admin/memory/workspace/{people.workspace.id}/change/"
    viewer = Membership.objects.get(user=people.viewer)
    form = {"name": "Scriptorium", "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 1}
    form |= {"memberships-0-id": viewer.pk, "memberships-0-workspace": str(people.workspace.id)}
    form |= {"memberships-0-user": str(people.viewer.pk), "memberships-0-role": "editor"}
    assert signed_in(keeper).post(page, form).status_code == 302
    viewer.refresh_from_db()
    assert viewer.role == "editor"


def members_form(people: People, *roles: tuple[User, str, bool]) -> dict[str, object]:
    form: dict[str, object] = {"name": "Scriptorium", "memberships-TOTAL_FORMS": len(roles)}
    form["memberships-INITIAL_FORMS"] = len(roles)
    for n, (user, role, is_gone) in enumerate(roles):
        form |= {f"memberships-{n}-id": Membership.objects.get(workspace=people.workspace, user=user).pk}
        form |= {f"memberships-{n}-workspace": str(people.workspace.id), f"memberships-{n}-user": str(user.pk)}
        form |= {f"memberships-{n}-role": role} | ({f"memberships-{n}-DELETE": "on"} if is_gone else {})
    return form


@pytest.mark.parametrize(("role", "is_gone"), [("editor", False), ("owner", True)])
def test_staff_leaves_no_workspace_without_an_owner(people: People, keeper: User, role: str, is_gone: bool) -> None:
    page = f"/admin/memory/workspace/{people.workspace.id}/change/"
    client = signed_in(keeper)
    answer = client.post(page, members_form(people, (people.owner, role, is_gone)))
    assert "A workspace keeps at least one owner." in answer.content.decode()
    assert Membership.objects.get(user=people.owner).role == "owner"
    form = members_form(people, (people.owner, role, is_gone), (people.viewer, "owner", False))
    assert client.post(page, form).status_code == 302
    assert Membership.objects.get(workspace=people.workspace, role="owner").user == people.viewer


def test_no_page_shows_the_digest_of_an_invitation(people: People, keeper: User) -> None:
    made, secret = invitations.invite(people.workspace, Role.EDITOR, by=people.owner, email="claire@example.org")
    for page in ("/admin/memory/invitation/", f"/admin/memory/invitation/{made.id}/change/"):
        told = signed_in(keeper).get(page).content.decode()
        assert "claire@example.org" in told
        assert made.digest not in told
        assert secret not in told


def test_the_queues_of_jobs_are_offered_to_superusers_alone(people: People, keeper: User) -> None:
    assert "/admin/rq/" in signed_in(keeper).get("/admin/").content.decode()
    assert signed_in(keeper).get("/admin/rq/").status_code == 200
    client = signed_in(staff("view_workspace"))
    page = client.get("/admin/").content.decode()
    assert "/admin/memory/workspace/" in page
    assert "/admin/rq/" not in page
    assert "/admin/memory/token/" not in page


def test_a_user_is_made_with_an_address(people: People, keeper: User) -> None:
    form = {"username": "new", "email": "new@example.org", "usable_password": "false"}
    assert signed_in(keeper).post("/admin/memory/user/add/", form).status_code == 302
    assert not User.objects.get(username="new").has_usable_password()


def test_no_page_shows_the_digest_of_a_token(people: People, keeper: User) -> None:
    token, secret = tokens.issue(people.owner, "laptop")
    for page in ("/admin/memory/token/", f"/admin/memory/token/{token.id}/change/"):
        told = signed_in(keeper).get(page).content.decode()
        assert "laptop" in told
        assert token.digest not in told
        assert secret not in told


def test_a_token_is_revoked_and_the_deed_is_recorded(people: People, keeper: User) -> None:
    token, _ = tokens.issue(people.owner, "laptop")
    form = {"action": "revoke", "_selected_action": str(token.id)}
    signed_in(keeper).post("/admin/memory/token/", form)
    assert tokens.state(Token.objects.get()) == "revoked"
    assert LogEntry.objects.get().object_id == str(token.id)


def test_who_may_only_look_revokes_nothing(people: People) -> None:
    token, _ = tokens.issue(people.owner, "laptop")
    form = {"action": "revoke", "_selected_action": str(token.id)}
    signed_in(staff("view_token")).post("/admin/memory/token/", form)
    assert tokens.state(Token.objects.get()) == "live"


def test_tokens_are_not_made_here(keeper: User) -> None:
    assert signed_in(keeper).get("/admin/memory/token/add/").status_code == 403


def test_who_edits_users_cannot_rise_above_themselves(people: People, keeper: User) -> None:
    user = staff("view_user", "change_user", "delete_user")
    client = signed_in(user)
    own_page = client.get(f"/admin/memory/user/{user.pk}/change/").content.decode()
    assert 'name="is_superuser"' not in own_page
    assert 'name="email"' in own_page
    assert client.post(f"/admin/memory/user/{keeper.pk}/change/", {"email": "mine@example.org"}).status_code == 403
    assert client.get(f"/admin/memory/user/{keeper.pk}/password/").status_code == 403
    assert client.post(f"/admin/memory/user/{keeper.pk}/delete/", {"post": "yes"}).status_code == 403
