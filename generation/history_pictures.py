"""The history of a document as readers see it: its changes, the states to go back to, what machines propose."""

from collections.abc import Container, Iterable
from typing import Any
from uuid import UUID

import orjson
from django.db.models import OuterRef, Subquery
from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst

from generation import comparisons, documents, places, turns
from generation.diffs import glimpse
from generation.models import Document, Section
from generation.paging import page
from generation.places import Places
from generation.wording import in_words
from memory import history
from memory.base.errors import InvalidInput, NotFound, StaleChange
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


def document_of_group(user: User, group_id: UUID) -> Document:
    """Where it was done, if this user may see it. Raises `not_found.group`."""
    found = Change.objects.visible(user).filter(group=group_id).first()
    if found is None:
        raise NotFound("group")
    return documents.visible(user, found.root_id)


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


# --- for pages


def obstacles(document: Document, refusal: StaleChange) -> list[dict[str, Any]]:
    """Of a refused undo: for each change what it wrote, what stands there now, and whose that is."""
    named = places.of(document.id)
    return [obstacle(named, each) for each in refusal.params.get("changes", ())]


def obstacle(named: Places, shown: dict[str, Any]) -> dict[str, Any]:
    name = shown["path"].split("/")[-1]
    before, after, now = (in_words(shown[when], name) for when in ("before", "after", "now"))
    later = next(iter(shown["in_the_way"]), None)
    is_said = shown["path"].split("/")[0] in turns.SAID
    place = named.name(UUID(shown["object"]["id"]))
    field = "" if is_said else places.of_path(shown["path"])
    return {
        "heading": capfirst(", ".join(part for part in (place, field) if part)),
        "object": shown["object"],
        "later": later and {**later, "at": parse_datetime(later["at"])},
        "change": None if is_said else glimpse(before, after),
        "since": None if is_said else glimpse(after, now),
        "back": None if is_said else glimpse(now, before),
        "is_gone": not is_said and not now,
    }


def restoring(document: Document, saved: Snapshot) -> dict[str, Any]:
    """What would change if this state came back. Raises `not_found.object`."""
    obj = Editable.types[saved.object_type].whole().filter(pk=saved.object_id).first()
    if obj is None:
        raise NotFound("object", objects=[str(saved.object_id)])
    name = places.of(document.id).name(saved.object_id)
    return {"place": capfirst(name), "differences": comparisons.differences(obj.state(), saved.state)}


def proposals_told(document: Document, named: Places, cursor: str | None, is_all: bool) -> dict[str, Any]:
    """The open ones, or all; each against what stands, the decided ones by what they said."""
    stands = Section.objects.filter(id=OuterRef("object_id")).values("fields")[:1]
    found = Proposal.objects.filter(root_id=document.id).select_related("decided_by").annotate(stands=Subquery(stands))
    rows, following = page(found if is_all else found.filter(state=ProposalState.OPEN), cursor)
    return {"rows": [tell_proposal(row, document, named) for row in rows], "cursor": following}


def tell_proposal(proposal: Any, document: Document, named: Places) -> dict[str, Any]:
    stands = (proposal.stands or document.state()) if proposal.state == ProposalState.OPEN else {}
    return {
        **draw_proposal(proposal),
        "heading": capfirst(named.name(proposal.object_id)) or document.title,
        "differences": comparisons.against(proposal.values, stands, glimpse),
        "decider": proposal.decided_by.name if proposal.decided_by else "",
    }
