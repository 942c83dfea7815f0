"""The history of a document as readers see it: its changes, the states to go back to, what machines propose."""

from collections.abc import Container, Iterable
from typing import Any
from uuid import UUID

import orjson

from generation.models import Document
from generation.paging import page
from memory import history
from memory.base.errors import InvalidInput, NotFound
from memory.models import Change, ChangeQuerySet, Editable, Proposal, ProposalState, Snapshot, User

LONGEST = 500  # characters of a value in a list


def change(user: User, change_id: UUID) -> Change:
    """The change, if this user may see it; `not_found.change` otherwise, whether it exists or not."""
    found = Change.objects.visible(user).filter(id=change_id).select_related("user").first()
    if found is None:
        raise NotFound("change")
    return found


def snapshot(user: User, snapshot_id: UUID) -> Snapshot:
    found = Snapshot.objects.visible(user).filter(id=snapshot_id).first()
    if found is None:
        raise NotFound("snapshot")
    return found


def proposal(user: User, proposal_id: UUID) -> Proposal:
    found = Proposal.objects.visible(user).filter(id=proposal_id).select_related("decided_by").first()
    if found is None:
        raise NotFound("proposal")
    return found


def changes(document: Document, cursor: str | None, obj: UUID | None, group: UUID | None) -> dict[str, Any]:
    """A page of the document's changes, of one object or one group if asked for; long values are shortened."""
    found: ChangeQuerySet = Change.objects.filter(root_id=document.id)
    if obj:
        found = found.filter(object_id=obj)
    if group:
        found = found.filter(group=group)
    rows, following = page(found.select_related("user"), cursor)
    undone = history.undone_in(document.id)
    return {"items": [draw_short(row, undone) for row in rows], "cursor": following}


def picture(user: User, change_id: UUID) -> dict[str, Any]:
    """One change, whole."""
    found = change(user, change_id)
    return draw(found, history.undone_in(found.root_id))


def draw_short(change: Change, undone: Container[UUID]) -> dict[str, Any]:
    before, after = shortened(change.before), shortened(change.after)
    is_shortened = (before, after) != (change.before, change.after)
    return {**draw(change, undone), "before": before, "after": after, "is_shortened": is_shortened}


def shortened(value: Any) -> Any:
    """The value, or the beginning of it as text."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return value if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def draw(change: Change, undone: Container[UUID]) -> dict[str, Any]:
    return {
        "id": change.id,
        "at": change.created_at,
        "author": change.author,
        "user": draw_user(change.user),
        "object": draw_object(change.object_type, change.object_id, change.version),
        "path": change.path,
        "before": change.before,
        "after": change.after,
        "is_shortened": False,
        "reason": change.reason,
        "group": change.group,
        "run": change.run_id,
        "step": change.step,
        "undoes": change.undoes_id,
        "is_undone": change.id in undone,
    }


def snapshots(document: Document, cursor: str | None) -> dict[str, Any]:
    rows, following = page(Snapshot.objects.filter(root_id=document.id).defer("state"), cursor)
    return {"items": [draw_snapshot(row) for row in rows], "cursor": following}


def draw_snapshot(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "at": snapshot.created_at,
        "object": draw_object(snapshot.object_type, snapshot.object_id, snapshot.version),
        "group": snapshot.group,
    }


def proposals(document: Document, cursor: str | None, state: str | None) -> dict[str, Any]:
    """Raises `validation.choice` for a state there is not."""
    found = Proposal.objects.filter(root_id=document.id).select_related("decided_by")
    if state:
        if state not in ProposalState.values:
            raise InvalidInput("choice", field="state", allowed=ProposalState.values)
        found = found.filter(state=state)
    rows, following = page(found, cursor)
    return {"items": [draw_proposal(row) for row in rows], "cursor": following}


def draw_proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "at": proposal.created_at,
        "object": {"type": proposal.object_type, "id": proposal.object_id},
        "values": proposal.values,
        "state": proposal.state,
        "run": proposal.run_id,
        "step": proposal.step,
        "decided_by": draw_user(proposal.decided_by),
        "decided_at": proposal.decided_at,
    }


def draw_user(user: User | None) -> dict[str, Any] | None:
    return {"id": user.pk, "username": user.username} if user else None


def written(changes: Iterable[Change], *objects: Editable) -> dict[str, Any]:
    """What a verb changed: each object with the version it has now. `objects` are named even if nothing changed."""
    made = list(changes)
    now = {obj.pk: draw_object(obj.OBJECT, obj.pk, obj.version) for obj in objects}
    for each in sorted(made, key=lambda each: each.version):
        now[each.object_id] = draw_object(each.object_type, each.object_id, each.version)
    return {
        "group": made[0].group if made else None,
        "changes": [each.id for each in made],
        "objects": list(now.values()),
    }


def draw_object(type: str, id: UUID, version: int) -> dict[str, Any]:
    return {"type": type, "id": id, "version": version}
