"""The first page: what is being written, and the documents of a workspace, by kind, by folder, by words."""

from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from generation import documents, entries, folders, queue_pictures, saying
from generation.asking import sample
from generation.models import Folder
from generation.registry import RECIPES
from generation.views import going_on
from memory.base.errors import InvalidInput
from memory.history import By
from memory.models import Role
from memory.pages import PageRequest, signed_in

SAMPLE = "course"
FRAGMENTS = {
    "rail": "generation/_rail.html",
    "running": "generation/_running.html",
    "documents": "generation/_documents.html",
}


@require_GET
@signed_in
def home(request: PageRequest) -> HttpResponse:
    return show(request)


@require_POST
@signed_in
def move(request: PageRequest, document_id: UUID) -> HttpResponse:
    """Into a folder, or out of all."""
    document = documents.visible(request.user, document_id)
    documents.edit(document, {"folder": request.POST.get("folder") or None}, By.person(request.user))
    return going_on.done(request)


def show(request: PageRequest, folder: Folder | None = None, is_bin: bool = False) -> HttpResponse:
    """The page, or the part of it that is asked for (`?part=`): what stands on it is drawn again when it changes."""
    part = request.GET.get("part", "")
    if part and part not in FRAGMENTS:
        raise InvalidInput("choice", field="part", allowed=sorted(FRAGMENTS))
    facts = around(request, folder, is_bin)
    if facts["is_all"] and part in ("", "running"):
        facts["running"] = at_work(request)
    if part in ("", "documents"):
        facts |= listed(request, facts)
    if request.membership and part != "running":
        facts |= entries.counts(request.user, request.membership.workspace)
    return render(request, FRAGMENTS[part] if part else "generation/home.html", facts)


def around(request: PageRequest, folder: Folder | None, is_bin: bool) -> dict[str, Any]:
    """Which documents are wanted, and what may be done to them."""
    which = {name: value for name in ("kind", "q", "state") if (value := request.GET.get(name, "").strip())}
    membership = request.membership
    return {
        "place": "home",
        "folder": folder,
        "is_bin": is_bin,
        "which": which,
        "is_all": not (which or folder or is_bin or request.GET.get("cursor")),
        "heading": saying.kinds(which["kind"]) if "kind" in which else "",
        "query": urlencode(which),
        "folders": folders.listing(request.user, membership.workspace_id) if membership else [],  # read once, if shown
        "may_write": membership is not None and Role(membership.role).includes(Role.EDITOR),
        "is_owner": membership is not None and membership.role == Role.OWNER,
        "sample": partial(sample, RECIPES[SAMPLE], request.user.language),
        "key": uuid4(),
        "now_at": request.path if not which else f"{request.path}?{urlencode(which)}",
    }


def at_work(request: PageRequest) -> list[queue_pictures.Row]:
    if request.membership is None:
        return []
    return queue_pictures.at_work(request.user, request.membership.workspace)


def listed(request: PageRequest, facts: dict[str, Any]) -> dict[str, Any]:
    if request.membership is None:
        return {"entries": [], "cursor": None}
    return entries.listing(
        request.user,
        request.GET.get("cursor"),
        request.GET.get("down_to"),
        is_idle=facts["is_all"] or not (facts["which"] or facts["folder"] or facts["is_bin"]),
        workspace=request.membership.workspace_id,
        folder=facts["folder"].id if facts["folder"] else None,
        is_binned=facts["is_bin"],
        **facts["which"],
    )
