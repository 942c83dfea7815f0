"""The same people in every test: owner, teammate and viewer of one workspace, and a stranger with another."""

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from memory import tokens, workspaces
from memory.models import Role, User, Workspace
from tests.password import PASSWORD


@dataclass
class People:
    workspace: Workspace
    owner: User
    teammate: User
    viewer: User
    stranger: User

    def client(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    def bearer(self, user: User, *scopes: str) -> dict[str, str]:
        """Headers of a program that acts for this user."""
        _, secret = tokens.issue(user, "test", scopes or tokens.SCOPES)
        return {"Authorization": f"Bearer {secret}"}


def staff(name: str, *rights: str) -> User:
    """Somebody of the staff with these rights (codenames), and no others."""
    user = User.objects.create_user(name, f"{name}@example.org", PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return user


def make_people() -> People:
    owner, teammate, viewer, stranger = (
        User.objects.create_user(name, f"{name}@example.org", PASSWORD)
        for name in ("owner", "teammate", "viewer", "stranger")
    )
    workspace = workspaces.create("Scriptorium", owner)
    workspaces.add_member(workspace, teammate, Role.EDITOR, by=owner)
    workspaces.add_member(workspace, viewer, Role.VIEWER, by=owner)
    workspaces.create("Elsewhere", stranger)
    return People(workspace, owner, teammate, viewer, stranger)


@pytest.fixture
def people(db: None) -> People:
    return make_people()


@pytest.fixture
def people_committed(transactional_db: None) -> People:
    """For tests in which other threads and connections look at the rows."""
    return make_people()
