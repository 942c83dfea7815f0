"""Invitations: a link that lets one person into a workspace, once, within seven days.

Whoever sent it must still own the workspace when it is used: who was removed cannot have left themselves a way back.
"""

import secrets
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from memory import users, workspaces
from memory.base.errors import Conflict, NotFound
from memory.models import Invitation, Membership, Role, User, Workspace
from memory.tokens import digest

LIFE = timedelta(days=7)


@transaction.atomic
def invite(workspace: Workspace, role: Role, by: User, email: str = "") -> tuple[Invitation, str]:
    """A new invitation and the secret of its link, which is kept nowhere and cannot be shown again."""
    workspaces.require(by, workspace, Role.OWNER)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        workspace=workspace,
        role=role,
        email=email,
        digest=digest(secret),
        invited_by=by,
        expires_at=timezone.now() + LIFE,
    )
    return invitation, secret


def path_for(secret: str) -> str:
    return f"/invitations/{secret}/"


def find(secret: str) -> Invitation:
    """The invitation of this link, usable or not; `not_found.invitation` when there is none."""
    rows = Invitation.objects.select_related("workspace", "invited_by")
    found = rows.filter(digest=digest(secret)).first()
    if found is None:
        raise NotFound("invitation")
    return found


def check(invitation: Invitation) -> None:
    """Pass when it can still be used; otherwise say why not."""
    who = invitation.invited_by.name
    found = state(invitation)
    if found == "used":
        raise Conflict("invitation_used", by=who)
    if found == "expired":
        raise Conflict("invitation_expired", by=who)
    if found == "revoked" or not is_backed(invitation):
        raise Conflict("invitation_revoked")


def state(invitation: Invitation) -> str:
    """`used`, `revoked`, `expired` or `live`."""
    if invitation.accepted_at:
        return "used"
    if invitation.revoked_at:
        return "revoked"
    return "expired" if invitation.expires_at <= timezone.now() else "live"


def is_backed(invitation: Invitation) -> bool:
    sender = invitation.invited_by
    held = Membership.objects.filter(workspace=invitation.workspace_id, user=sender, role=Role.OWNER)
    return sender.is_active and held.exists()


def raises(invitation: Invitation, user: User) -> bool:
    """Whether it gives the user more than they have. Nobody's role is lowered by one."""
    held = held_in(invitation.workspace, user)
    return held is None or not Role(held.role).includes(Role(invitation.role))


def held_in(workspace: Workspace, user: User) -> Membership | None:
    return Membership.objects.filter(workspace=workspace, user=user).first()


@transaction.atomic
def accept(secret: str, user: User) -> Membership:
    """The user becomes a member, or gets the higher role; `conflict.member` when it would give them nothing."""
    invitation = find(secret)
    workspaces.lock(invitation.workspace)
    invitation = find(secret)  # as it stands under the lock: of two who use the link at once, one comes in
    held = held_in(invitation.workspace, user)
    if held and not raises(invitation, user):
        raise Conflict("member", held=held.role)
    check(invitation)
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    if held:
        return workspaces.give(held, Role(invitation.role))
    return Membership.objects.create(workspace=invitation.workspace, user=user, role=invitation.role)


@transaction.atomic
def sign_up(secret: str, username: str, email: str, password: str, language: str) -> User:
    """A new user who is a member at once: both or neither."""
    check(find(secret))
    user = users.sign_up(username, email, password, language)
    accept(secret, user)
    return user


def standing(workspace: Workspace, by: User) -> QuerySet[Invitation]:
    """Those that nobody has used yet, newest first. Only an owner may see them."""
    workspaces.require(by, workspace, Role.OWNER)
    unused = Invitation.objects.filter(workspace=workspace, accepted_at=None, revoked_at=None)
    return unused.filter(expires_at__gt=timezone.now()).select_related("invited_by").order_by("-id")


@transaction.atomic
def revoke(workspace: Workspace, invitation_id: UUID, by: User) -> None:
    """Its link opens nothing any more. Only an owner may."""
    workspaces.require(by, workspace, Role.OWNER)
    rows = Invitation.objects.filter(workspace=workspace, id=invitation_id)
    if not rows.exists():
        raise NotFound("invitation")
    rows.filter(accepted_at=None, revoked_at=None).update(revoked_at=timezone.now())
