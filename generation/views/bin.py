"""The bin: what lies in it, putting a document in and taking it out, emptying it for good."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from generation import documents, entries
from generation.views import going_on, home
from memory import workspaces
from memory.models import Role
from memory.pages import PageRequest, signed_in


@require_GET
@signed_in
def binned(request: PageRequest) -> HttpResponse:
    return home.show(request, is_bin=True)


@require_POST
@signed_in
def put(request: PageRequest, document_id: UUID) -> HttpResponse:
    documents.bin(documents.visible(request.user, document_id), request.user)
    return going_on.done(request)


@require_POST
@signed_in
def take_out(request: PageRequest, document_id: UUID) -> HttpResponse:
    documents.unbin(documents.visible(request.user, document_id), request.user)
    return going_on.done(request)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def empty(request: PageRequest, workspace_id: UUID) -> HttpResponse:
    """For good, and only by owners: the page says what will go, its button does it."""
    workspace = workspaces.choose(request.user, workspace_id, Role.OWNER)
    if request.method == "POST":
        documents.empty_bin(workspace, request.user)
        return redirect("bin")
    facts = {"place": "home", "workspace": workspace, **entries.counts(request.user, workspace)}
    return render(request, "generation/bin_empty.html", facts)
