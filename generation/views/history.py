"""The history of a document: its turns, their undo and redo, states to go back to, what machines propose."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRefresh, reswap, retarget, trigger_client_event

from generation import documents, history_pictures, last_change, places, turns
from generation.models import Document
from generation.turns import Which
from generation.views.documents import render_section
from generation.views.edits import tell
from memory import history
from memory.base.errors import InvalidInput, StaleChange
from memory.models import Change, Proposal
from memory.pages import PageRequest, may_write, signed_in

STRUCTURE = ("present", "parent", "rank")


@require_GET
@signed_in
def history_page(request: PageRequest, document_id: UUID) -> HttpResponse:
    document = documents.visible(request.user, document_id)
    return told(request, document)


@require_GET
@signed_in
def change(request: PageRequest, change_id: UUID) -> HttpResponse:
    """One change with all its words, in its place; as a page for who has the address."""
    found = history_pictures.change(request.user, change_id)
    document = documents.visible(request.user, found.root_id)
    row = turns.whole(document, found)
    if request.htmx:
        return render(request, "generation/_diff.html", {"diff": row.diff})
    facts = {"document": document, "row": row, "may_write": may_write(request, document.workspace_id)}
    return render(request, "generation/change.html", facts)


@require_GET
@signed_in
def latest(request: PageRequest, document_id: UUID) -> HttpResponse:
    """What was done last, with its undo: the bar at the foot of a document."""
    return bar(request, documents.visible(request.user, document_id))


@require_POST
@signed_in
def undo_change(request: PageRequest, change_id: UUID) -> HttpResponse:
    found = history_pictures.change(request.user, change_id)
    document = documents.visible(request.user, found.root_id)
    try:
        return done(request, document, history.undo(found, request.user))
    except StaleChange as refusal:
        return refused(request, document, refusal, f"refused-{change_id}")


@require_POST
@signed_in
def undo_group(request: PageRequest, group_id: UUID) -> HttpResponse:
    """All that was done together, on this document and on others."""
    document = history_pictures.document_of_group(request.user, group_id)
    try:
        return done(request, document, history.undo_group(group_id, request.user))
    except StaleChange as refusal:
        return refused(request, document, refusal, f"refused-{group_id}")


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def restore(request: PageRequest, snapshot_id: UUID) -> HttpResponse:
    """What would change, then, when it is confirmed, the state of then."""
    saved = history_pictures.snapshot(request.user, snapshot_id)
    document = documents.visible(request.user, saved.root_id)
    if request.method == "POST":
        history.restore(saved, request.user)
        return redirect("history", document.id)
    facts = {"document": document, "saved": saved, **history_pictures.restoring(document, saved)}
    return render(request, "generation/restore.html", {**facts, "may_write": may_write(request, document.workspace_id)})


@require_POST
@signed_in
def accept_proposal(request: PageRequest, proposal_id: UUID) -> HttpResponse:
    proposal = history_pictures.proposal(request.user, proposal_id)
    return decided(request, proposal, history.accept(proposal, request.user))


@require_POST
@signed_in
def reject_proposal(request: PageRequest, proposal_id: UUID) -> HttpResponse:
    proposal = history_pictures.proposal(request.user, proposal_id)
    history.reject(proposal, request.user)
    return decided(request, proposal, [])


# --- answers


def told(request: PageRequest, document: Document, status: int = 200) -> HttpResponse:
    """The list in its page, or alone where it stands already."""
    which, is_proposals, named = which_of(request), "proposals" in request.GET, places.of(document.id)
    cursor = request.GET.get("cursor")
    facts: dict[str, Any] = {
        "document": document,
        "which": which,
        "query": query_of(which),
        "may_write": may_write(request, document.workspace_id),
        "is_proposals": is_proposals,
        "proposals": history_pictures.proposals_told(document, named, cursor if is_proposals else None, is_proposals),
        "narrowed": named.name(which.obj) if which.obj else "",
    }
    if not is_proposals:
        facts["told"] = turns.page(document, named, which, cursor)
    if request.htmx:
        return render(request, "generation/_history.html", facts, status=status)
    return render(request, "generation/history.html", {**facts, "authors": turns.authors(document)}, status=status)


def which_of(request: PageRequest) -> Which:
    return Which(uuid_in(request, "object"), uuid_in(request, "group"), request.GET.get("who", ""))


def query_of(which: Which) -> str:
    asked = {"object": which.obj, "group": which.group, "who": which.who}
    return "&".join(f"{name}={value}" for name, value in asked.items() if value)


def uuid_in(request: PageRequest, name: str) -> UUID | None:
    """Raises `validation.choice`."""
    said = request.GET.get(name)
    try:
        return UUID(said) if said else None
    except ValueError:
        raise InvalidInput("choice", field=name, allowed=[]) from None


def bar(request: PageRequest, document: Document) -> HttpResponse:
    last = last_change.of(document.id, request.user)
    facts = {"document": document, "last": last, "may_write": may_write(request, document.workspace_id)}
    return render(request, "generation/_last_change.html", facts)


def done(request: PageRequest, document: Document, changes: list[Change]) -> HttpResponse:
    """On a document its bar says what was done, and its sections hear of it; on its history the list is told again."""
    if request.htmx.target != "last-change":
        return redirect(page_after(request, document))
    response = tell(bar(request, document), changes, event="undone")
    return trigger_client_event(response, "reshaped", after="settle") if reshape(changes) else response


def page_after(request: PageRequest, document: Document) -> str:
    """Back to where it was asked: the document, or its history with the same filter."""
    if request.POST.get("back") == "document":
        return reverse("document", args=[document.id])
    asked = query_of(which_of(request))
    return reverse("history", args=[document.id]) + (f"?{asked}" if asked else "")


def reshape(changes: list[Change]) -> bool:
    """Whether more than the text of a section has changed: then the page is read anew."""
    return any(each.path in STRUCTURE or each.object_type == "document" for each in changes)


def refused(request: PageRequest, document: Document, refusal: StaleChange, place: str) -> HttpResponse:
    """Who stands in the way, what they wrote, and what can be done about it: in the place of the change."""
    facts = {
        "document": document,
        "obstacles": history_pictures.obstacles(document, refusal),
        "is_in_bar": request.htmx.target == "last-change",
    }
    if not request.htmx:
        return render(request, "generation/refused.html", facts, status=refusal.status)
    response = render(request, "generation/_refused.html", facts, status=refusal.status)
    return reswap(retarget(response, "#told" if facts["is_in_bar"] else f"#{place}"), "innerHTML")


def decided(request: PageRequest, proposal: Proposal, changes: list[Change]) -> HttpResponse:
    is_section = proposal.object_type == "section"
    anchor = f"#section-{proposal.object_id}" if is_section else ""
    if not request.htmx or request.POST.get("back") == "history":
        back = "history" if request.POST.get("back") == "history" else "document"
        return redirect(reverse(back, args=[proposal.root_id]) + (anchor if back == "document" else ""))
    if not is_section or reshape(changes):
        return HttpResponseClientRefresh()
    return tell(render_section(request, proposal.object_id), changes)
