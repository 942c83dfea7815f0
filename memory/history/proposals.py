"""Proposals: what a recipe would have written where a person's text stands, or a lock is, for a person to decide."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now

from memory.base import paths
from memory.base.errors import StaleChange
from memory.base.ids import new_id
from memory.history.ground import PEOPLE, By, admit, later_changes, load, lock_roots, reload, tell
from memory.history.writing import gated, wishes_of, write
from memory.models import Change, Editable, Proposal, ProposalState, User


@dataclass(frozen=True)
class Written:
    """What became of a recipe's write: changes made, and what waits as a proposal."""

    changes: list[Change]
    proposal: Proposal | None = None


def write_as_recipe(
    obj: Editable,
    values: Mapping[str, Any],
    by: By,
    *,
    read_version: int,
    group: UUID,
    reason: str = "",
    is_stand_in: bool = False,
    keeps_theirs: bool = False,
) -> Written:
    """A machine's write, made on what it read at `read_version`.

    `keeps_theirs`: whatever it read, what people were the last to write stands.

    What people changed since, and everything in a locked object, becomes one proposal; the rest is written. Labels of
    the object (`implied` paths) are the writer's only while some of the text beside them is; paths that mean nothing
    without each other (UNITS) go one way together. A stand-in is never proposed.
    """
    values = gated(values)
    with transaction.atomic():
        lock_roots([obj.root_id])
        reload(obj)
        state = obj.state()
        kept = set(values) if obj.is_locked else touched_by_people(obj, values, read_version)
        kept |= last_by_people(obj, values) if keeps_theirs else set()
        if kept and not set(values) - kept - obj.LABELS:
            kept |= obj.LABELS & set(values)
        held = {
            path: values[path] for path in kept - obj.LABELS if not paths.same(paths.get(state, path), values[path])
        }
        proposal = propose(obj, held, by) if held and not is_stand_in else None
        free = {path: value for path, value in values.items() if path not in kept}
        return Written(write(obj, [wishes_of(obj, free, by)], by, reason, group), proposal)


def touched_by_people(obj: Editable, values: Mapping[str, Any], since: int) -> set[str]:
    """Which of the paths people, or tools on their behalf, changed after this version, or what is one with them.

    To remove the object is to take away all that they wrote in it, and in what stands in it; what they made is theirs.
    """
    theirs = [change.path for change in later_changes(obj, since) if change.author in PEOPLE]
    theirs += [path for unit in obj.UNITS if any(paths.overlaps(path, theirs) for path in unit) for path in unit]
    touched = {path for path in values if paths.overlaps(path, theirs)}
    if values.get("present") is False and (theirs or is_of_people(obj)):
        touched.add("present")
    return touched


NOTHING: tuple[object, ...] = (None, "", [], {})


def last_by_people(obj: Editable, values: Mapping[str, Any]) -> set[str]:
    """Which of the paths hold what people, or tools on their behalf, were the last to write."""
    newest = Change.objects.filter(object_id=obj.pk).order_by("-version", "-id").values_list("path", "author")
    written, state = list(newest), obj.state()
    return {
        path
        for path in values
        if paths.get(state, path) not in NOTHING
        and next((author for known, author in written if paths.overlaps(path, [known])), None) in PEOPLE
    }


def is_of_people(obj: Editable) -> bool:
    """Whether they made it, or wrote in what stands in it."""
    made = Change.objects.filter(object_id=obj.pk, version=1, author__in=PEOPLE)
    return made.exists() or Change.objects.filter(object_id__in=obj.inside(), author__in=PEOPLE).exists()


def propose(obj: Editable, values: Mapping[str, Any], by: By) -> Proposal:
    """One more thing to decide; what an older open proposal says of nothing but the same paths, this one says newer."""
    for older in Proposal.objects.filter(object_id=obj.pk, state=ProposalState.OPEN):
        if set(older.values) <= set(values):
            Proposal.objects.filter(pk=older.pk).update(state=ProposalState.SUPERSEDED, decided_at=now())
    proposal = Proposal.objects.create(
        workspace=obj.home,
        root_id=obj.root_id,
        object_type=obj.OBJECT,
        object_id=obj.pk,
        values=dict(values),
        run_id=by.run_id,
        step=by.step,
    )
    tell(obj)
    return proposal


def accept(proposal: Proposal, by: User) -> list[Change]:
    """Write what was proposed. Raises `conflict.decided` once somebody has decided."""
    with transaction.atomic():
        obj = decide(proposal, by, ProposalState.ACCEPTED)
        changes = write(obj, [wishes_of(obj, proposal.values, By.person(by))], By.person(by), "proposal", new_id())
        if not changes:  # it stood there already
            tell(obj)
        return changes


def reject(proposal: Proposal, by: User) -> None:
    """Leave everything as it is. Raises `conflict.decided` once somebody has decided."""
    with transaction.atomic():
        tell(decide(proposal, by, ProposalState.REJECTED))


def decide(proposal: Proposal, by: User, state: ProposalState) -> Editable:
    lock_roots([proposal.root_id])
    obj = load({(proposal.object_type, proposal.object_id)})[proposal.object_id]
    admit(By.person(by), [obj])
    decided = Proposal.objects.filter(pk=proposal.pk, state=ProposalState.OPEN).update(
        state=state, decided_by=by, decided_at=now()
    )
    if not decided:
        raise StaleChange("decided", proposal=str(proposal.pk))
    return obj
