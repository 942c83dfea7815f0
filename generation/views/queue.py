"""The queue: what runs, what waits, what has ended; as a page and in the dock."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from generation import queue_pictures
from memory.models import Role
from memory.pages import PageRequest, signed_in

ALL = "all"


@require_GET
@signed_in
def queue(request: PageRequest) -> HttpResponse:
    facts = {"place": "queue", **listed(request)}
    if request.GET.get("part") == "queue":
        return render(request, "generation/_queue.html", facts)
    return render(request, "generation/queue.html", {**facts, "today": queue_pictures.today(request.user)})


@require_GET
@signed_in
def dock(request: PageRequest) -> HttpResponse:
    """The user's own: what is open, and the last that ended."""
    return render(request, "generation/_queue_dock.html", listed(request, ended=queue_pictures.ENDED_IN_DOCK))


def listed(request: PageRequest, ended: int = 0) -> dict[str, Any]:
    membership = request.membership
    if membership is None:
        return {"running": [], "waiting": [], "ended": [], "open": 0}
    may_see_all = membership.role == Role.OWNER
    is_all = may_see_all and not ended and request.GET.get("of") == ALL
    found = queue_pictures.queue(request.user, membership.workspace, is_all, request.GET.get("cursor"), ended=ended)
    may_write = Role(membership.role).includes(Role.EDITOR)
    return {**found, "is_all": is_all, "may_see_all": may_see_all, "may_write": may_write, "now_at": request.path}
