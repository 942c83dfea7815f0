"""Workspaces and their members: the one place that says who may do what where.

Whatever takes an owner's role away locks the workspace first, so that of two owners who leave at once one stays.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from memory.base.errors import Conflict, InvalidInput, NotFound, PermissionRefused
from memory.base.text import clean_text
from memory.models import Membership, Role, User, Workspace


@transaction.atomic
def create(name: str, owner: User) -> Workspace:
    workspace = Workspace.objects.create(name=cleaned(name))
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    return workspace


@transaction.atomic
def rename(workspace: Workspace, name: str, by: User) -> None:
    require(by, workspace, Role.OWNER)
    workspace.name = cleaned(name)
    workspace.save(update_fields=["name"])


def cleaned(name: str) -> str:
    name = clean_text(name).strip()
    if not name:
        raise InvalidInput("name_empty")
    return name[:200]


@transaction.atomic
def add_member(workspace: Workspace, user: User, role: Role, by: User) -> Membership:
    """Add the user, or change their role. Only an owner may."""
    lock(workspace)
    require(by, workspace, Role.OWNER)
    held = Membership.objects.filter(workspace=workspace, user=user).first()
    if held is not None:
        return give(held, role)
    return Membership.objects.create(workspace=workspace, user=user, role=role)


@transaction.atomic
def change_role(workspace: Workspace, user_id: UUID, role: Role, by: User) -> Membership:
    """Only an owner may, themselves included while another owner stays."""
    lock(workspace)
    require(by, workspace, Role.OWNER)
    return give(member(workspace, user_id), role)


@transaction.atomic
def remove_member(workspace: Workspace, user_id: UUID, by: User) -> None:
    """What they wrote stays. Only an owner may."""
    lock(workspace)
    require(by, workspace, Role.OWNER)
    dismiss(member(workspace, user_id))


@transaction.atomic
def leave(workspace: Workspace, user: User) -> None:
    lock(workspace)
    require(user, workspace, Role.VIEWER)
    dismiss(member(workspace, user.pk))


def lock(workspace: Workspace) -> None:
    """Until the end of the transaction nobody else changes its members; rows that belong to it are still written."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)


def give(membership: Membership, role: Role) -> Membership:
    if role != Role.OWNER:
        keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    return membership


def dismiss(membership: Membership) -> None:
    keep_an_owner(membership)
    membership.delete()


def keep_an_owner(without: Membership) -> None:
    """`conflict.last_owner` when nobody could look after the workspace any more."""
    others = Membership.objects.filter(workspace_id=without.workspace_id, role=Role.OWNER).exclude(pk=without.pk)
    if without.role == Role.OWNER and not others.exists():
        raise Conflict("last_owner")


def memberships(user: User) -> QuerySet[Membership]:
    """The user's workspaces with the role held in each, oldest first."""
    return Membership.objects.filter(user=user).select_related("workspace").order_by("workspace_id")


def members(workspace: Workspace, after: int = 0) -> QuerySet[Membership]:
    """Who belongs to it and came after this one, who came first first."""
    return Membership.objects.filter(workspace=workspace, pk__gt=after).select_related("user").order_by("pk")


def member(workspace: Workspace, user_id: UUID) -> Membership:
    found = Membership.objects.filter(workspace=workspace, user_id=user_id).first()
    if found is None:
        raise NotFound("member")
    return found


def visible(user: User, workspace_id: UUID) -> Membership:
    """The user's part in this workspace; to a stranger the workspace does not exist."""
    found = memberships(user).filter(workspace_id=workspace_id).first()
    if found is None:
        raise NotFound("workspace")
    return found


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
