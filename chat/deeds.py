"""What was done by a tool, as a card tells it: in a sentence, with before and after, with its undo, or with its run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generation import labels, places, queue_pictures, telling
from generation.models import Document, Run
from generation.turns import Reader as ChangeReader
from generation.turns import Row as ChangeRow
from generation.turns import is_beside
from memory.models import Change, User

# What each tool did, where it did it, and what it wanted to do.
DONE: dict[str, tuple[Promise, Promise]] = {
    "list_objects": (_("Looked at what this is about"), _("Look at what this is about")),
    "read_object": (_("Read {title}"), _("Read {title}")),
    "search_history": (_("Looked into the history"), _("Look into the history")),
    "update_field": (_("Changed: {field} of {title}"), _("Change: {field}")),
    "update_description": (_("Changed: {field} of {title}"), _("Change: {field}")),
    "insert_section": (_("Added: {title}"), _("Add a section")),
    "rewrite_section": (_("Rewrote {title}"), _("Rewrite a section")),
    "move_section": (_("Moved {title}"), _("Move a section")),
    "remove_section": (_("Removed {title}"), _("Remove a section")),
    "undo_change": (_("Took back: {field} of {title}"), _("Take back a change")),
    "web_search": (telling.LOOKED_UP["web_search"], _("Search the web")),
    "web_extract": (telling.LOOKED_UP["web_extract"], _("Read a page of the web")),
    "start_run": (_("Began: {kind}"), _("Begin: {kind}")),
    "run_action": (_("Has work done on {title}"), _("Have work done on a document")),
    "retry_section": (_("Has {title} written again"), _("Have a section written again")),
}


@dataclass(frozen=True)
class Link:
    """A page of the web that a tool has found or read."""

    title: str
    url: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


@dataclass(frozen=True)
class Deed:
    """`rows` are its changes with what stood before; `run` the work that it began; `links` what it found."""

    name: str
    said: str
    href: str
    title: str
    error: str
    arguments: str
    rows: list[ChangeRow] = field(default_factory=list)
    run: queue_pictures.Row | None = None
    document: UUID | None = None
    version: int | None = None
    links: list[Link] = field(default_factory=list)

    @property
    def can_undo(self) -> bool:
        return any(row.undo is None for row in self.rows)


@dataclass(frozen=True)
class Deeds:
    """What cards are told with: the changes they speak of, and the runs."""

    readers: Mapping[UUID, ChangeReader]
    changes: Mapping[str, Change]
    runs: Mapping[str, queue_pictures.Row]

    def of(self, part: Mapping[str, Any]) -> Deed:
        about = part.get("about") or {}
        changes = [self.changes[key] for key in part.get("changes") or () if key in self.changes]
        run = self.runs.get(part.get("run") or "")
        document = about.get("document")
        return Deed(
            name=part["name"],
            said=self.say(part, run),
            href=reverse("document", args=[document]) if document else "",
            title=about.get("title", ""),
            error=telling.error(part.get("error")),
            arguments=part["arguments"],
            rows=[self.readers[change.root_id].row(change) for change in changes if not is_beside(change, changes)],
            run=run,
            document=UUID(document) if document else None,
            version=changes[-1].version if changes else None,
            links=links_of(about),
        )

    def say(self, part: Mapping[str, Any], run: queue_pictures.Row | None) -> str:
        about = part.get("about") or {}
        done, wanted = DONE.get(part["name"], (_("Used a tool"), _("Use a tool that there is not")))
        title = about.get("title") or next((link.title for link in links_of(about)), "")
        names = {
            "title": gettext("“{name}”").format(name=title) if title else gettext("a document"),
            "query": gettext("“{name}”").format(name=about.get("query", "")),
            "field": places.of_path(about.get("path", "")) if about.get("path") else labels.of_field("description"),
            "kind": run.title if run else "",
        }
        return str(wanted if part.get("error") else done).format(**names)


def links_of(about: Mapping[str, Any]) -> list[Link]:
    """Addresses as the guard wrote them: of the web, and nothing else."""
    return [Link(each["title"], each["url"]) for each in about.get("links", ())]


def read(made: Sequence[Mapping[str, Any]], reader: User) -> Deeds:
    """For all cards at once; what the reader may not see is not told."""
    tools = [part for part in made if part["type"] == "tool"]
    wanted = {key for part in tools for key in part.get("changes") or ()}
    changes = list(Change.objects.visible(reader).filter(id__in=wanted).select_related("user")) if wanted else []
    runs = {part["run"] for part in tools if part.get("run")}
    return Deeds(readers(changes), {str(change.pk): change for change in changes}, rows_of(runs, reader))


def readers(changes: Sequence[Change]) -> dict[UUID, ChangeReader]:
    by_root: defaultdict[UUID, list[Change]] = defaultdict(list)
    for change in changes:
        by_root[change.root_id].append(change)
    documents = Document.whole().in_bulk(list(by_root)) if by_root else {}
    return {
        root: ChangeReader.of(documents[root], places.of(root), own, [change.group for change in own])
        for root, own in by_root.items()
        if root in documents
    }


def rows_of(runs: set[str], reader: User) -> dict[str, queue_pictures.Row]:
    if not runs:
        return {}
    found = Run.objects.visible(reader).filter(id__in=runs).select_related("claim", "document", "user")
    return {str(row.run.id): row for row in queue_pictures.drawn(list(found), reader)}
