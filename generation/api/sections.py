"""REST of sections: add, look, change, move, remove, lock, approve, write again."""

from typing import Any
from uuid import UUID

from ninja import Router, Status

from generation import actions, document_pictures, documents, pictures, sections
from generation.api.parameters import Key
from generation.document_schemas import SectionEditIn, SectionIn, SectionOut
from generation.history_pictures import written
from generation.history_schemas import ChangedOut
from generation.models import Section
from generation.schemas import RetryIn, RunOut
from memory.history import By
from memory.http import SignedInRequest

router = Router(tags=["sections"])


@router.post("/documents/{uuid:document_id}/sections", response={201: SectionOut}, summary="Add a section by hand")
def add(request: SignedInRequest, document_id: UUID, body: SectionIn) -> Status[dict[str, Any]]:
    document = documents.visible(request.user, document_id)
    place = sections.place(document, body.parent, body.after)
    by = By.person(request.user)
    section = sections.add(document, body.type, body.fields, by, parent=place.parent, after=place.after)
    return Status(201, document_pictures.section_picture(request.user, section.id))


@router.get("/sections/{uuid:section_id}", response=SectionOut, summary="A section, without those in it")
def show(request: SignedInRequest, section_id: UUID) -> dict[str, Any]:
    return document_pictures.section_picture(request.user, section_id)


@router.patch("/sections/{uuid:section_id}", response=ChangedOut, summary="Change or move a section")
def edit(request: SignedInRequest, section_id: UUID, body: SectionEditIn) -> dict[str, Any]:
    """Fields of its type, and `status`, by path; both at once are one group of changes."""
    section = sections.visible(request.user, section_id)
    moves = body.model_fields_set & {"parent", "after"}
    to = sections.place(section.document, parent_of(section, body), body.after) if moves else None
    changes = sections.edit(section, body.fields, By.person(request.user), body.expected_version, to)
    return written(changes, section)


@router.delete("/sections/{uuid:section_id}", response=ChangedOut, summary="Remove a section with all that is in it")
def remove(request: SignedInRequest, section_id: UUID) -> dict[str, Any]:
    """Undo brings it back."""
    section = sections.visible(request.user, section_id)
    return written(sections.remove(section, By.person(request.user)), section)


@router.post("/sections/{uuid:section_id}/lock", response=ChangedOut, summary="Let machines only propose here")
def lock(request: SignedInRequest, section_id: UUID) -> dict[str, Any]:
    section = sections.visible(request.user, section_id)
    return written(sections.lock(section, By.person(request.user)), section)


@router.post("/sections/{uuid:section_id}/unlock", response=ChangedOut, summary="Let machines write here again")
def unlock(request: SignedInRequest, section_id: UUID) -> dict[str, Any]:
    section = sections.visible(request.user, section_id)
    return written(sections.lock(section, By.person(request.user), locked=False), section)


@router.post("/sections/{uuid:section_id}/approve", response=ChangedOut, summary="Say that a section is good")
def approve(request: SignedInRequest, section_id: UUID) -> dict[str, Any]:
    section = sections.visible(request.user, section_id)
    return written(sections.approve(section, By.person(request.user)), section)


@router.post("/sections/{uuid:section_id}/retry", response={202: RunOut}, summary="Write a section again")
def retry(
    request: SignedInRequest,
    section_id: UUID,
    body: RetryIn | None = None,
    idempotency_key: Key = None,
) -> Status[dict[str, Any]]:
    """A new run, with what is good; `steps` names some of the section's, without them it is all."""
    section = sections.visible(request.user, section_id)
    steps = body.steps if body else ()
    run, _ = actions.retry_section(section, request.user, steps, key=idempotency_key)
    return Status(202, pictures.picture(request.user, run.id))


def parent_of(section: Section, body: SectionEditIn) -> UUID | None:
    """Where it moves: into the parent that is named, else to what it follows, else within the one it has."""
    if "parent" in body.model_fields_set or body.after:
        return body.parent
    return section.parent_id
