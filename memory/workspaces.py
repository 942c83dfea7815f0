"""Workspaces and their members: the one place that says who may do what where."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from memory.base.errors import InvalidInput, NotFound, PermissionRefused
from memory.base.text import clean_text
from memory.models import Membership, Role, User, Workspace


@transaction.atomic
def create(name: str, owner: User) -> Workspace:
    name = clean_text(name).strip()
    if not name:
        raise InvalidInput("name_empty")
    workspace = Workspace.objects.create(name=name[:200])
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    return workspace


@transaction.atomic
def add_member(workspace: Workspace, user: User, role: Role, by: User) -> Membership:
    """Add the user, or change their role. Only an owner may."""
    require(by, workspace, Role.OWNER)
    membership, _ = Membership.objects.update_or_create(workspace=workspace, user=user, defaults={"role": role})
    return membership


def memberships(user: User) -> QuerySet[Membership]:
    """The user's workspaces with the role held in each, oldest first."""
    return Membership.objects.filter(user=user).select_related("workspace").order_by("workspace_id")


def require(user: User, workspace: Workspace, role: Role) -> None:
    """Pass when the user has at least this role; to a stranger the workspace does not exist."""
    held = Membership.objects.filter(workspace=workspace, user=user).values_list("role", flat=True).first()
    if held is None:
        raise NotFound("workspace")
    if not Role(held).includes(role):
        raise PermissionRefused("role", needed=role.value, held=held)


def choose(user: User, workspace: UUID | None, role: Role) -> Workspace:
    """The named workspace, or the user's oldest one where they hold this role.

    Raises `not_found.workspace` when there is none, `permission.role` when the named one grants less.
    """
    if workspace is not None:
        found = Workspace.objects.visible(user).filter(id=workspace).first()
        if found is None:
            raise NotFound("workspace")
        require(user, found, role)
        return found
    roles = [held.value for held in Role if held.includes(role)]
    mine = Membership.objects.filter(user=user, role__in=roles).select_related("workspace").order_by("id").first()
    if mine is None:
        raise NotFound("workspace")
    return mine.workspace
