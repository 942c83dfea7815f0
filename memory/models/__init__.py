"""The rows of this floor: people and what is theirs, what they gave, and what was done."""

from memory.models.files import File, FileQuerySet, Reading
from memory.models.history import (
    AuthorKind,
    Basis,
    Change,
    ChangeQuerySet,
    Editable,
    Proposal,
    ProposalQuerySet,
    ProposalState,
    Snapshot,
    SnapshotQuerySet,
)
from memory.models.people import Invitation, Membership, Role, Theme, Token, User, Workspace, WorkspaceQuerySet

__all__ = [
    "AuthorKind",
    "Basis",
    "Change",
    "ChangeQuerySet",
    "Editable",
    "File",
    "FileQuerySet",
    "Invitation",
    "Membership",
    "Proposal",
    "ProposalQuerySet",
    "ProposalState",
    "Reading",
    "Role",
    "Snapshot",
    "SnapshotQuerySet",
    "Theme",
    "Token",
    "User",
    "Workspace",
    "WorkspaceQuerySet",
]
