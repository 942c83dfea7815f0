"""What somebody has before them while they change an object: its sheet, what stood when they began, what stands now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.text import capfirst

from generation import documents, folders, forms, labels, merging, sections
from generation.diffs import Diff, diff
from generation.fields import Fields, line
from generation.forms import Sheet, Values
from generation.models import Document, Section, Standing
from generation.wording import in_words
from memory import history
from memory.base.errors import InvalidInput, StaleChange
from memory.history import By
from memory.models import Change, Editable, User


class Language(StrEnum):
    EN = "en"
    FR = "fr"


class Head(Fields):
    """What every document has, whatever its kind."""

    title: str | None = line(200)
    language: Language | None = None
    status: Standing | None = None
    folder: str | None = None


@dataclass(frozen=True)
class Clash:
    """Both changed this field: what they wrote, what I wrote, each against what both began from."""

    name: str
    who: str
    at: datetime | None
    theirs: Diff
    mine: Diff
    is_in_one_place: bool

    @property
    def label(self) -> str:
        return capfirst(labels.of_field(self.name))


@dataclass(frozen=True)
class Desk:
    obj: Editable
    sheet: Sheet
    user: User

    @classmethod
    def of_section(cls, section: Section, user: User) -> "Desk":
        shape = section.shape
        return cls(section, Sheet((shape.fields,), without=frozenset(shape.made_from)), user)

    @classmethod
    def of_document(cls, document: Document, user: User) -> "Desk":
        listed = folders.listing(user, document.workspace_id)
        choices = {"folder": [(str(folder.id), folder.name) for folder in listed]}
        return cls(document, Sheet((Head, document.shape.fields), choices=choices), user)

    def values(self) -> Values:
        return self.only_filled_in(self.obj.state())

    def values_at(self, version: int) -> Values:
        """As they stood then. Raises `validation.version` for one that has not been."""
        if not 0 <= version <= self.obj.version:
            raise InvalidInput("version", version=self.obj.version)
        if version == self.obj.version:
            return self.values()
        until = Change.objects.filter(object_id=self.obj.pk, version__lte=version)
        return self.only_filled_in(history.replay(until.order_by("version", "id")))

    def only_filled_in(self, state: Mapping[str, Any]) -> Values:
        names = {name for name, _ in self.sheet.fields()}
        return {name: value for name, value in state.items() if name in names}

    def write_down(self, base: Values, wanted: Values, version: int) -> list[Change]:
        """Raises `conflict.changed_since` and what the verbs raise."""
        values = forms.changes(base, wanted)
        if isinstance(self.obj, Section):
            return sections.edit(self.obj, values, By.person(self.user), version)
        if isinstance(self.obj, Document):
            return documents.edit(self.obj, values, By.person(self.user), version)
        raise NotImplementedError

    def merged(self, base: Values, wanted: Values, refusal: StaleChange) -> tuple[Values, list[Clash]]:
        """What I wrote on what stands now; no clash when nothing is left to decide."""
        now = self.values()
        by_name = {each["path"].split("/")[0]: each for each in refusal.params.get("changes", ())}
        values: Values = {}
        clashes: list[Clash] = []
        for name in {**base, **now, **wanted}:
            was, theirs, mine = base.get(name), now.get(name), wanted.get(name)
            merged = merging.merge(was, theirs, mine)
            values[name] = merged.value
            if name in by_name and forms.changes({name: theirs}, {name: mine}):
                words = [in_words(value, name) for value in (was, theirs, mine)]
                about = by_name[name]
                clashes.append(
                    Clash(
                        name=name,
                        who=about.get("user") or "",
                        at=parse_datetime(about["at"]),
                        theirs=diff(words[0], words[1]),
                        mine=diff(words[0], words[2]),
                        is_in_one_place=merged.clashes,
                    )
                )
        return values, clashes
