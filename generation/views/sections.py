"""What is done to a section besides writing in it: add, move, remove, lock, approve, trace. Its menu."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_POST

from generation import documents, places, sections, tools, traces
from generation.models import Section
from generation.views.documents import render_section
from generation.views.edits import tell
from memory import staff, workspaces
from memory.base.errors import InvalidInput
from memory.history import By
from memory.models import Change, Role
from memory.pages import PageRequest, signed_in


@require_GET
@signed_in
def section_tools(request: PageRequest, section_id: UUID) -> HttpResponse:
    section = sections.visible(request.user, section_id)
    workspaces.require(request.user, section.home, Role.EDITOR)
    template = "generation/_tools.html" if request.htmx else "generation/tools.html"
    facts: dict[str, Any] = {"section": section, "tools": tools.of_section(section)}
    if not request.htmx:
        facts["place"] = capfirst(places.of(section.document_id).name(section.id))
    return render(request, template, facts)


@require_GET
@signed_in
def trace(request: PageRequest, section_id: UUID) -> HttpResponse:
    """From the words of a section to the calls that wrote them, for staff who have a part in the workspace."""
    section = sections.visible(request.user, section_id)
    staff.require(request.user, "generation.view_call")
    calls = urlencode(traces.of_section(section))
    return redirect(f"{reverse('admin:generation_call_changelist')}?{calls}")


@require_POST
@signed_in
def add_section(request: PageRequest, document_id: UUID) -> HttpResponse:
    """Empty, and open to be written."""
    document = documents.visible(request.user, document_id)
    place = sections.place(document, uuid_of(request, "parent"), uuid_of(request, "after"))
    if request.POST.get("at") == "end":
        place = tools.end_of(document, place.parent)
    kind, by = request.POST.get("type", ""), By.person(request.user)
    added = sections.add(document, kind, {}, by, parent=place.parent, after=place.after)
    if added.shape.only_holds:
        return to(added)
    return redirect("edit_section", added.id)


@require_POST
@signed_in
def remove_section(request: PageRequest, section_id: UUID) -> HttpResponse:
    section = sections.visible(request.user, section_id)
    sections.remove(section, By.person(request.user))
    return to(section)


@require_POST
@signed_in
def move_section(request: PageRequest, section_id: UUID) -> HttpResponse:
    """`to=up`, `to=down`, or into `parent`, at its end."""
    section = sections.visible(request.user, section_id)
    place = tools.place(section, request.POST.get("to", ""), uuid_of(request, "parent"))
    sections.move(section, By.person(request.user), parent=place.parent, after=place.after)
    return to(section)


@require_POST
@signed_in
def lock_section(request: PageRequest, section_id: UUID) -> HttpResponse:
    section = sections.visible(request.user, section_id)
    return again(request, section, sections.lock(section, By.person(request.user)))


@require_POST
@signed_in
def unlock_section(request: PageRequest, section_id: UUID) -> HttpResponse:
    section = sections.visible(request.user, section_id)
    return again(request, section, sections.lock(section, By.person(request.user), locked=False))


@require_POST
@signed_in
def approve_section(request: PageRequest, section_id: UUID) -> HttpResponse:
    section = sections.visible(request.user, section_id)
    return again(request, section, sections.approve(section, By.person(request.user)))


@require_POST
@signed_in
def document_status(request: PageRequest, document_id: UUID) -> HttpResponse:
    """Draft, ready, approved or archived."""
    document = documents.visible(request.user, document_id)
    documents.edit(document, {"status": request.POST.get("status", "")}, By.person(request.user))
    return redirect("document", document.id)


def uuid_of(request: PageRequest, name: str) -> UUID | None:
    said = request.POST.get(name)
    try:
        return UUID(said) if said else None
    except ValueError:
        raise InvalidInput("path", path=name) from None


def again(request: PageRequest, section: Section, changes: list[Change]) -> HttpResponse:
    """The section as it is now, where it stands."""
    if not request.htmx:
        return to(section)
    return tell(render_section(request, section.id), changes, section)


def to(section: Any) -> HttpResponse:
    anchor = section.id if section.shows else section.parent_id
    return redirect(reverse("document", args=[section.document_id]) + (f"#section-{anchor}" if anchor else ""))
