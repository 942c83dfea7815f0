"""A step's hand on the document of its run: what it writes is one transaction with the step's record.

Everything a run writes is one group of changes, so that it can be undone as a whole. What people changed since the run
read it, and what is locked, becomes a proposal.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from generation.events import Draft
from generation.models import Document, Run, Section, Standing
from generation.sections import free_rank
from memory import history
from memory.base.paths import without_nulls
from memory.history import By
from memory.models import AuthorKind, Change, Editable, Proposal

Read = Mapping[str, int]  # versions of sections, by key, as the run read them; "" is the document


class Scribe:
    """`fallback` is the error's data when the step could not do better than a stand-in; its sections say so."""

    def __init__(self, run: Run, step: str, read: Read, fallback: dict[str, Any] | None = None) -> None:
        if run.document is None:
            raise ValueError(f"{run} writes no document")
        self.run = run
        self.document = run.document
        self.by = By(AuthorKind.RECIPE, run.user, run.id, step)
        self.read = read
        self.fallback = fallback
        self.changes: list[Change] = []
        self.proposals: list[Proposal] = []

    def write_document(self, values: Mapping[str, Any]) -> None:
        self.write(self.document, values, self.read.get("", 1))

    def write_section(
        self, key: str, values: Mapping[str, Any], type: str = "", parent: Section | None = None
    ) -> Section:
        """Write a section, made where it is not there; it is ready then, or labelled as a stand-in."""
        labels = {"fallback": self.fallback, "status": Standing.DRAFT if self.fallback else Standing.READY}
        return self.put_section(key, type, {**values, **labels}, parent)

    def plan_section(self, key: str, type: str, values: Mapping[str, Any], parent: Section | None = None) -> Section:
        """A section that will be written later; one that is there is brought to these values."""
        return self.put_section(key, type, values, parent)

    def section(self, key: str) -> Section:
        """The section as it stands now."""
        section: Section = Section.whole().get(document=self.document, key=key)
        return section

    def write_fields(self, key: str, values: Mapping[str, Any]) -> None:
        """Write some fields of a section that another step answers for: its labels stay as they are."""
        self.put_section(key, "", values, None)

    def put_section(self, key: str, type: str, values: Mapping[str, Any], parent: Section | None) -> Section:
        history.lock_roots([self.document.id])
        section = Section.whole().filter(document=self.document, key=key).first()
        if section is not None:
            self.write(section, {**values, "present": True} if type else values, self.read.get(key, 1))
            return section
        section = Section(document=self.document, parent=parent, type=type, key=key)
        siblings = Section.objects.filter(document=self.document, parent=parent).order_by("-rank")
        section.rank = free_rank(section, siblings.values_list("rank", flat=True).first() or "", "")
        section.take({**section.state(), **without_nulls(dict(values))})
        self.changes += history.create(section, self.by, group=self.run.id)
        return section

    def keep_only(self, parent: Section | None, keys: Iterable[str]) -> None:
        """What stood there from an earlier writing and is not among these goes."""
        there = Section.whole().filter(document=self.document, parent=parent, present=True)
        for section in there.exclude(key__in=list(keys)):
            self.write(section, {"present": False}, self.read.get(section.key, 1))

    def write(self, obj: Editable, values: Mapping[str, Any], read_version: int) -> None:
        written = history.write_as_recipe(obj, values, self.by, read_version=read_version, group=self.run.id)
        self.changes += written.changes
        if written.proposal:
            self.proposals.append(written.proposal)

    def drafts(self) -> list[Draft]:
        """What followers are told: each object that changed, once, and what waits for a person."""
        latest = {change.object_id: change for change in self.changes}
        changed = [
            Draft.of(
                "object",
                object=change.object_type,
                id=str(change.object_id),
                version=change.version,
                change=str(change.pk),
                step=self.by.step,
            )
            for change in latest.values()
        ]
        waiting = [
            Draft.of(
                "object",
                object=proposal.object_type,
                id=str(proposal.object_id),
                proposal=str(proposal.pk),
                step=self.by.step,
            )
            for proposal in self.proposals
        ]
        return [*changed, *waiting]


def versions(run: Run, document: Document) -> dict[str, int]:
    """What the run reads of its document as it begins: versions by key, "" for the document itself.

    Of a section that this run was not asked to make again, its newest version by a machine: what people wrote since
    stands.
    """
    read = {"": Document.objects.get(id=document.id).version}
    for section in Section.objects.filter(document=document):
        asked = any(step == section.key or section.key.startswith(f"{step}/") for step in run.again)
        read[section.key] = section.version if asked else version_by_machine(section)
    return read


def version_by_machine(section: Section) -> int:
    newest = Change.objects.filter(object_id=section.pk, author=AuthorKind.RECIPE).order_by("-version")
    return newest.values_list("version", flat=True).first() or 1
