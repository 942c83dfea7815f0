"""Folders: what lies in one; making, renaming, removing it."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from generation import folders
from generation.asking import uuids
from generation.views import going_on, home
from memory import workspaces
from memory.models import Role
from memory.pages import PageRequest, signed_in


@require_GET
@signed_in
def folder(request: PageRequest, folder_id: UUID) -> HttpResponse:
    return home.show(request, folders.visible(request.user, folder_id))


@require_POST
@signed_in
def make(request: PageRequest) -> HttpResponse:
    named = uuids([request.POST.get("workspace", "")])
    workspace = workspaces.choose(request.user, named[0] if named else None, Role.EDITOR)
    made = folders.make(workspace, request.POST.get("name", ""), request.user)
    return redirect("folder", made.id)


@require_POST
@signed_in
def rename(request: PageRequest, folder_id: UUID) -> HttpResponse:
    found = folders.visible(request.user, folder_id)
    folders.rename(found, request.POST.get("name", ""), request.user)
    return redirect("folder", found.id)


@require_POST
@signed_in
def remove(request: PageRequest, folder_id: UUID) -> HttpResponse:
    """What lies in it moves up."""
    found = folders.visible(request.user, folder_id)
    above = found.parent_id
    folders.remove(found, request.user)
    return going_on.done(request, reverse("folder", args=[above]) if above else reverse("home"))
