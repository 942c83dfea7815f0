"""What a tool works with: whom it works for, in which conversation, and the objects it may touch.

Each object is loaded by the same query as the pages', as the asking user, and only if the conversation is about it.
What a tool writes is one group of changes with all else that the turn writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from chat import sessions
from chat.models import Session
from generation import documents, sections
from generation.models import Document, Run, Section
from memory import workspaces
from memory.base.errors import NotFound, ScriptoriumError, StaleChange, ToolFailed
from memory.history import By
from memory.models import AuthorKind, Change, Editable, Role, User

Object = Document | Section


@dataclass(frozen=True)
class Hand:
    """`seen`: the versions of objects that the model has read in this turn, by id; by id/field where it was not shown
    the whole object."""

    run: Run
    session: Session
    step: str
    seen: Mapping[str, int]

    @property
    def user(self) -> User:
        return self.run.user

    @property
    def by(self) -> By:
        return By(AuthorKind.TOOL, self.user, self.run.id, self.step, group=self.run.id)

    @property
    def key(self) -> str:
        """What the step begins elsewhere, it begins once."""
        return f"{self.keys}{self.step}"

    @property
    def keys(self) -> str:
        """How the keys begin of all that this turn begins elsewhere."""
        return f"turn-{self.run.id}-"

    @cached_property
    def documents(self) -> dict[UUID, Document]:
        return {document.id: document for document in sessions.within_reach(self.session)}

    def require_writing(self) -> None:
        workspaces.require(self.user, self.session.workspace, Role.EDITOR)

    def document(self, document_id: UUID) -> Document:
        """Raises `not_found.document`, `tool.not_linked`."""
        return self.admit(documents.visible(self.user, document_id))

    def section(self, section_id: UUID) -> Section:
        """Raises `not_found.section`, `tool.not_linked`."""
        section = sections.visible(self.user, section_id)
        self.admit(section.document)
        return section

    def object(self, object_id: UUID) -> Object:
        """A document or a section of one. Raises `not_found.object`, `tool.not_linked`."""
        for find in (self.document, self.section):
            try:
                return find(object_id)
            except NotFound:
                continue
        raise NotFound("object", objects=[str(object_id)])

    def admit(self, document: Document) -> Document:
        if document.id not in self.documents:
            raise ToolFailed("not_linked", id=str(document.id), title=document.title)
        return document

    def version(self, obj: Editable, path: str = "") -> int:
        """The one that the model knows, of a field of the object or of all it was shown of it: what others changed
        since is not overwritten.

        Raises `tool.not_read`, `tool.not_whole` for a field of which it was shown only a part.
        """
        whole = str(obj.pk)
        shown = {key: version for key, version in self.seen.items() if key.split("/")[0] == whole}
        if not shown:
            raise ToolFailed("not_read", id=whole)
        if not path:
            return min(shown.values())
        known = [shown[key] for key in (whole, f"{whole}/{path.split('/')[0]}") if key in shown]
        if not known:
            raise ToolFailed("not_whole", id=whole)
        return max(known)

    def change(self, change_id: UUID) -> Change:
        """A change of something that the conversation is about. Raises `not_found.change`."""
        found = Change.objects.visible(self.user).select_related("user").filter(id=change_id)
        change = found.filter(root_id__in=self.documents).first()
        if change is None:
            raise NotFound("change")
        return change

    def check_unlocked(self, change: Change) -> None:
        """Raises `conflict.locked`: where machines may only propose, a tool takes nothing back either."""
        if change.object_type == Section.OBJECT:
            section = Section.whole().filter(id=change.object_id).first()
            if section is not None and section.is_locked:
                raise StaleChange("locked", object=str(section.id))
            if section is not None and change.path == "present":
                sections.check_unlocked_inside(section)


def is_wrong(error: ScriptoriumError) -> bool:
    """Whether the model can do better: what it named or wrote does not fit."""
    return error.family in ("validation", "tool", "not_found", "conflict", "permission", "run", "limit")
