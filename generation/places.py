"""What parts of a document are called where they are spoken of: "chapter 2, lesson, part 3"."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext as _

from generation import labels
from generation.models import Section

# id, parent, type, whether it shows, title
Row = tuple[UUID, UUID | None, str, bool, str | None]


class Places:
    """The names of a document's sections, those that were removed included; one query, without their texts."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = {row[0]: row for row in rows}
        self.numbers: dict[UUID, int] = {}
        self.counts: Counter[tuple[UUID | None, str]] = Counter()
        for key, parent, kind, present, _title in self.rows.values():
            if present:
                self.counts[parent, kind] += 1
                self.numbers[key] = self.counts[parent, kind]

    def name(self, section_id: UUID) -> str:
        row = self.rows.get(section_id)
        if row is None:
            return ""
        above = self.name(row[1]) if row[1] else ""
        return ", ".join(part for part in (above, self.own_name(row)) if part)

    def own_name(self, row: Row) -> str:
        """Numbered where there are several; by its title once it was removed and has no number."""
        key, parent, kind, present, title = row
        label = labels.of_section(kind)
        if not present:
            return _("%(label)s “%(title)s”") % {"label": label, "title": title} if title else label
        is_one_of_many = self.counts[parent, kind] > 1 or parent is None
        return f"{label} {self.numbers[key]}" if is_one_of_many else label

    def shows(self, section_id: UUID) -> bool:
        """Neither it nor what it stands in was removed."""
        row = self.rows.get(section_id)
        return row is not None and row[3] and (row[1] is None or self.shows(row[1]))

    def title(self, section_id: UUID) -> str:
        return (self.rows[section_id][4] or "") if section_id in self.rows else ""


def of(document_id: UUID) -> Places:
    return of_each([document_id])[document_id]


def of_each(document_ids: Iterable[UUID]) -> dict[UUID, Places]:
    """Of several documents; one query, and none for none."""
    rows: dict[UUID, list[Row]] = {document_id: [] for document_id in document_ids}
    if rows:
        titled = Section.objects.filter(document__in=list(rows)).annotate(words=KeyTextTransform("title", "fields"))
        facts = ("document_id", "id", "parent_id", "type", "present", "words")
        for document_id, *row in titled.order_by("rank", "id").values_list(*facts):
            rows[document_id].append(tuple(row))
    return {document_id: Places(each) for document_id, each in rows.items()}


def among(shown: Iterable[Section]) -> Places:
    """The names of sections that show and were read already, in their order."""
    return Places((row.id, row.parent_id, row.type, True, row.fields.get("title")) for row in shown)


def of_path(path: str) -> str:
    """`questions/ID/answers/ID/text` as "question, answer, text"."""
    names = path.split("/")[::2]
    is_item = len(path.split("/")) % 2 == 0
    last = len(names) - 1
    return ", ".join(
        labels.of_item(name) if n < last or is_item else labels.of_field(name) for n, name in enumerate(names)
    )
