"""Documents and sections as readers see them: rows of one moment, with the condition they are in."""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson

from generation import conditions, documents, history_pictures, sections
from generation.conditions import Work
from generation.manuscripts import Manuscript
from generation.models import Document, Folder, Run, Section
from generation.paging import page
from generation.registry import RECIPES
from generation.replay import one_moment
from memory import bases
from memory.base.errors import InvalidInput
from memory.models import Proposal, ProposalState, User

Proposals = Mapping[UUID, Sequence[Proposal]]


def listing(user: User, cursor: str | None = None, **which: Any) -> dict[str, Any]:
    """A page of the user's documents; `which` as in `documents.listing`. As many queries for fifty as for one."""
    rows, following = page(documents.listing(user, **which), cursor)
    running = {run.document_id: run for run in conditions.open_runs(row.id for row in rows)}
    states = conditions.of_documents(rows)
    return {"items": [line(row, states[row.id], running.get(row.id)) for row in rows], "cursor": following}


def picture(user: User, document_id: UUID) -> dict[str, Any]:
    """The document with all its sections, in as many queries for two hundred as for one."""
    with one_moment():
        document = documents.visible(user, document_id)
        return draw_document(document, open_proposals(document))


def draw_document(document: Document, proposals: Proposals) -> dict[str, Any]:
    rows = documents.sections_of(document)
    work = conditions.work_on(document, conditions.empty_places(rows))
    stale = bases.stale(document.id)
    state = conditions.of_documents([document])[document.id]
    return {
        **line(document, state, work.runs[-1] if work.runs else None),
        "brief": document.brief,
        "fields": document.fields,
        "proposals": drawn(proposals, document.id),
        "sections": tree(rows, work, proposals, stale),
    }


def section_picture(user: User, section_id: UUID) -> dict[str, Any]:
    """One section, without those in it."""
    with one_moment():
        section = sections.visible(user, section_id)
        document = section.document
        stale = bases.stale(document.id)
        holds = section.sections.filter(present=True).exists()
        work = conditions.work_on(document, () if holds else conditions.empty_places([section]))
        return draw(section, work, open_proposals(document), stale)


def manuscript(user: User, document_id: UUID) -> Manuscript:
    """The document as an export sets it, with its picture but without what machines only propose.

    Raises `validation.export_kind`.
    """
    with one_moment():
        document = documents.visible(user, document_id)
        recipe = RECIPES.get(document.kind)
        if recipe is None or recipe.manuscript is None:
            raise InvalidInput("export_kind", kind=document.kind)
        picture = orjson.loads(orjson.dumps(draw_document(document, {})))
        return replace(recipe.manuscript(document), data=picture)


def line(document: Document, state: str, run: Run | None) -> dict[str, Any]:
    """The document in a list; `run` is the newest that is open."""
    return {
        "id": document.id,
        "kind": document.kind,
        "title": document.title,
        "language": document.language,
        "status": document.status,
        "state": state,
        "progress": run.progress if run else None,
        "label": run.label if run else None,
        "version": document.version,
        "workspace": document.workspace_id,
        "folder": document.folder_id,
        "parent": document.parent_id,
        "run": run.id if run else document.run_id,
        "is_binned": not document.present,
        "created_at": document.created_at,
    }


def tree(rows: Sequence[Section], work: Work, proposals: Proposals, stale: Container[UUID]) -> list[dict[str, Any]]:
    """Sections in their parents; `rows` come parents first."""
    top: list[dict[str, Any]] = []
    below: dict[UUID, list[dict[str, Any]]] = {}
    for section in rows:
        drawing = draw(section, work, proposals, stale)
        below[section.id] = drawing["sections"] = []
        (below[section.parent_id] if section.parent_id else top).append(drawing)
    return top


def draw(section: Section, work: Work, proposals: Proposals, stale: Container[UUID]) -> dict[str, Any]:
    return {
        "id": section.id,
        "document": section.document_id,
        "parent": section.parent_id,
        "type": section.type,
        "key": section.key,
        "state": conditions.of_section(section, work, stale),
        "status": section.status,
        "version": section.version,
        "fields": section.fields,
        "fallback": section.fallback,
        "locked": section.locked,
        "is_removed": not section.present,
        "proposals": drawn(proposals, section.id),
    }


def open_proposals(document: Document) -> Proposals:
    waiting: defaultdict[UUID, list[Proposal]] = defaultdict(list)
    found = Proposal.objects.filter(root_id=document.id, state=ProposalState.OPEN).select_related("decided_by")
    for proposal in found.order_by("id"):
        waiting[proposal.object_id].append(proposal)
    return waiting


def drawn(proposals: Proposals, object_id: UUID) -> list[dict[str, Any]]:
    return [history_pictures.draw_proposal(proposal) for proposal in proposals.get(object_id, ())]


def draw_folder(folder: Folder) -> dict[str, Any]:
    return {"id": folder.id, "name": folder.name, "workspace": folder.workspace_id, "parent": folder.parent_id}
