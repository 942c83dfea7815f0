"""A step's hand on the document of its run: what it writes is one transaction with the step's record.

Everything a run writes is one group of changes, so that it can be undone as a whole. What people changed since the run
read it, and what is locked, becomes a proposal.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from generation import issues
from generation.events import Draft, objects_changed
from generation.issues import Finding
from generation.models import Document, Run, Section, Standing
from memory import history
from memory.base.paths import without_nulls
from memory.base.ranks import between
from memory.history import By
from memory.models import AuthorKind, Change, Editable, Proposal

Read = Mapping[str, int]  # versions of sections, by key, as the run read them; "" is the document


class Scribe:
    """`fallback` is the error's data when the step could not do better than a stand-in; its sections say so."""

    def __init__(
        self,
        run: Run,
        step: str,
        read: Read,
        fallback: dict[str, Any] | None = None,
        document: Document | None = None,
    ) -> None:
        self.run = run
        self.own = document
        self.by = By(AuthorKind.RECIPE, run.user, run.id, step)
        self.read = read
        self.fallback = fallback
        self.changes: list[Change] = []
        self.proposals: list[Proposal] = []

    @property
    def document(self) -> Document:
        found = self.own or self.run.document
        if found is None:
            raise ValueError(f"{self.run} writes no document")
        return found

    def beside(self, document: Document) -> "Scribe":
        """The same hand on a document that belongs to this one; what it does is told with the rest."""
        other = Scribe(self.run, self.by.step, self.read, self.fallback, document)
        other.changes, other.proposals = self.changes, self.proposals
        return other

    def begin_document(self, id: UUID, kind: str, title: str, values: Mapping[str, Any]) -> Document:
        """A document that belongs to this one, in the language of the run."""
        begun = Document(
            id=id,
            workspace=self.document.workspace,
            kind=kind,
            title=title,
            fields=dict(values),
            language=self.run.language,
            parent=self.document,
            user=self.run.user,
        )
        self.changes += history.create(begun, self.by, group=self.run.id)
        return begun

    def write_document(self, values: Mapping[str, Any]) -> None:
        key = str(self.own.id) if self.own else ""
        self.write(self.document, values, self.read.get(key, 1))

    def append(self, name: str, ids: Sequence[str]) -> None:
        """More at the end of a list of ids: whoever has put it in order, what stands there stays as it is."""
        there = self.standing().fields.get(name) or []
        whole = [*there, *(each for each in ids if each not in there)]
        self.changes += history.edit(self.document, {name: whole}, self.by, group=self.run.id)

    def put_away(self, document: Document) -> None:
        """Into the bin with a document that belongs to this one; where people ever wrote in it, that is proposed."""
        self.write(document, {"present": False}, read_version=1)

    def write_section(
        self, key: str, values: Mapping[str, Any], type: str = "", parent: Section | None = None
    ) -> Section:
        """Write a section, made where it is not there; it is ready then, or labelled as a stand-in.

        A stand-in never takes the place of a text that was written.
        """
        known = self.sections.get(key)
        if self.fallback and known and self.is_written(known):
            return known
        labels = {"fallback": self.fallback, "status": Standing.DRAFT if self.fallback else Standing.READY}
        return self.put_section(key, type, {**values, **labels}, parent)

    def plan_section(self, key: str, type: str, values: Mapping[str, Any], parent: Section | None = None) -> Section:
        """A section that will be written later; one that is there is brought to these values."""
        return self.put_section(key, type, values, parent)

    def write_fields(self, key: str, values: Mapping[str, Any]) -> None:
        """Write some fields of a section that another step answers for: its labels stay as they are."""
        self.put_section(key, "", values, None)

    def put_section(self, key: str, type: str, values: Mapping[str, Any], parent: Section | None) -> Section:
        known = self.sections.get(key)
        if known is not None:
            self.write(known, {**values, "present": True} if type else values, self.read.get(key, 1))
            return known
        section = Section(document=self.document, parent=parent, type=type, key=key)
        section.rank = self.next_rank(section)
        section.take({**section.state(), **without_nulls(dict(values))})
        is_closed = parent is not None and parent.is_locked
        section.present = not is_closed
        self.changes += history.create(section, self.by, group=self.run.id)
        if is_closed and not self.fallback:  # it waits, unseen, until somebody lets it in; a stand-in asks nobody
            self.proposals.append(history.propose(section, {"present": True}, self.by))
        self.sections[key] = section
        return section

    def is_written(self, section: Section) -> bool:
        """Whether it holds a text, a machine's or a person's, and no stand-in for one."""
        if section.fallback is not None:
            return False
        holds = section.shape.only_holds and any(
            each.is_text for each in self.sections.values() if each.parent_id == section.id
        )
        return holds or section.status != Standing.DRAFT or section.shape.body in section.fields

    def next_rank(self, section: Section) -> str:
        """Behind its siblings, and where nothing ever stood."""
        siblings = [each.rank for each in self.sections.values() if each.parent_id == section.parent_id]
        rank = between(max(siblings, default=""), "")
        while rank in self.ranks:
            rank = between(rank, "")
        self.ranks.add(rank)
        return rank

    @cached_property
    def sections(self) -> dict[str, Section]:
        """All of the document's, by key, as they stand now that nobody else writes in it."""
        history.lock_roots([self.document.id])
        return {section.key: section for section in Section.whole().filter(document=self.document)}

    @cached_property
    def ranks(self) -> set[object]:
        ranks = Change.objects.filter(root_id=self.document.id, path="rank")
        return set(ranks.values_list("after", flat=True))

    def keep_only(self, parent: Section | None, keys: Iterable[str]) -> None:
        """What an earlier writing put there and is not among these goes, unless all we have is a stand-in."""
        parent_id = parent.id if parent else None
        there = [each for each in self.sections.values() if each.parent_id == parent_id and each.present]
        for section in there if self.fallback is None else ():
            if section.key not in set(keys):
                self.write(section, {"present": False}, self.read.get(section.key, 1))

    def found(self, findings: Sequence[Finding], types: Collection[str], paths: Collection[str] | None = None) -> None:
        """What is wrong with what this step has written. Whatever was found of these types before, in these fields (in
        any, without), and is not found any more, is resolved."""
        issues.find(self.document, findings, types, paths, run=self.run.id, step=self.by.step)

    def write(self, obj: Editable, values: Mapping[str, Any], read_version: int) -> None:
        written = history.write_as_recipe(
            obj,
            values,
            self.by,
            read_version=read_version,
            group=self.run.id,
            is_stand_in=self.fallback is not None,
            keeps_theirs=self.keeps_theirs(obj),
        )
        self.changes += written.changes
        if written.proposal:
            self.proposals.append(written.proposal)

    def keeps_theirs(self, obj: Editable) -> bool:
        """Of a document that is made of fields people's words stand, but for fields that this run was asked for."""
        return isinstance(obj, Document) and bool(obj.shape.body) and not self.run.options.get("fields")

    def standing(self) -> Document:
        """The document as it stands, and as it stands until this transaction ends."""
        history.lock_roots([self.document.id])
        return Document.whole().get(id=self.document.id)

    def drafts(self) -> list[Draft]:
        """What followers are told: each object that changed, once, and what waits for a person."""
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
        return [*objects_changed(self.changes, self.by.step), *waiting]


def versions(run: Run, document: Document) -> dict[str, int]:
    """What the run reads of its document as it begins: versions by key, "" for the document itself.

    Of a section that this run was not asked to make again, its newest version by a machine: what people wrote since
    stands.
    """
    read = {"": Document.objects.get(id=document.id).version}
    read |= {str(child): version for child, version in document.children.values_list("id", "version")}
    for section in Section.objects.filter(document=document):
        asked = any(step == section.key or section.key.startswith(f"{step}/") for step in run.again)
        read[section.key] = section.version if asked else version_by_machine(section)
    return read


def version_by_machine(section: Section) -> int:
    newest = Change.objects.filter(object_id=section.pk, author=AuthorKind.RECIPE).order_by("-version")
    return newest.values_list("version", flat=True).first() or 1
