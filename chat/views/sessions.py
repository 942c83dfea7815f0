"""The pages of conversations: the list with a new one, one of them, one that is shared; and what is done to one."""

from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from chat import days, messages, rows, sessions
from chat.models import Message, Session, SessionState
from chat.speakers import SLOTS
from generation import documents
from generation.models import Agent, Document
from generation.paging import page
from generation.web import engines
from memory import files
from memory.base.errors import InvalidInput
from memory.base.text import clean_text
from memory.pages import PageRequest, may_write, signed_in

MOST_OFFERED = 8
DOCK = "dock-"


@require_GET
@signed_in
def chat(request: PageRequest) -> HttpResponse:
    """A new conversation, beside the list of those there are."""
    if request.GET.get("part") == "sessions":
        here = sessions.visible(request.user, uuid_of(request, "here")) if "here" in request.GET else None
        return render(request, "chat/_sessions.html", listed(request, here))
    about = documents.visible(request.user, uuid_of(request, "document")) if "document" in request.GET else None
    facts = {"talk": talk(request, None, [about] if about else []), **listed(request)}
    return render(request, "chat/chat.html", facts)


@require_GET
@signed_in
def session(request: PageRequest, session_id: UUID) -> HttpResponse:
    """The branch that shows, from its end; `?before=` a message, what came earlier; `?part=said` or
    `about` its rows, or what it is about, alone."""
    one = sessions.visible(request.user, session_id)
    if "before" in request.GET:
        told = rows.branch(one, request.user, messages.within(one, uuid_of(request, "before")))
        if request.htmx:
            return render(request, "chat/_rows.html", {"talk": {**talk(request, one, read=False), **told}})
        facts = {**talk(request, one, read=False), **told, "is_earlier": True}
        return render(request, "chat/chat.html", {"talk": facts, **listed(request, one)})
    if request.GET.get("part") == "said":
        return said(request, one)
    if request.GET.get("part") == "about":
        return render(request, "chat/_about.html", {"talk": {"session": one, "about": sessions.about(one)}})
    return render(request, "chat/chat.html", {"talk": talk(request, one), **listed(request, one)})


@require_GET
@signed_in
def shared(request: PageRequest, secret: UUID) -> HttpResponse:
    """What somebody lets the members of the workspace read: no more than that."""
    one = sessions.shared(request.user, secret)
    before = messages.within(one, uuid_of(request, "before")) if "before" in request.GET else None
    facts = {"session": one, "is_shared": True, "now_at": request.path, **rows.branch(one, request.user, before)}
    return render(request, "chat/shared.html", {"talk": facts})


@require_GET
@signed_in
def dock(request: PageRequest) -> HttpResponse:
    """The conversation of the dock: on a page of a document the latest about it, else the latest of all."""
    about = documents.visible(request.user, uuid_of(request, "document")) if request.GET.get("document") else None
    if request.GET.get("session"):
        one: Session | None = sessions.visible(request.user, uuid_of(request, "session"))
    elif "new" in request.GET or request.membership is None:
        one = None
    else:
        workspace, document = request.membership.workspace_id, about.id if about else None
        one = sessions.listing(request.user, workspace=workspace, document=document).order_by("-place").first()
    return in_dock(request, one, [about] if about else [])


# --- what is done to one


@require_POST
@signed_in
def change(request: PageRequest, session_id: UUID) -> HttpResponse:
    """Name it, archive it, choose who answers."""
    one = sessions.visible(request.user, session_id)
    given = {name: request.POST[name] for name in ("title", "agent") if name in request.POST}
    archived = {"1": True, "0": False}.get(request.POST.get("archived", ""))
    sessions.change(one, **given, archived=archived)
    return redirect("chat" if archived else reverse("chat_session", args=[one.id]))


@require_POST
@signed_in
def delete(request: PageRequest, session_id: UUID) -> HttpResponse:
    sessions.delete(sessions.visible(request.user, session_id))
    return redirect("chat")


@require_POST
@signed_in
def fork(request: PageRequest, session_id: UUID) -> HttpResponse:
    one = sessions.visible(request.user, session_id)
    last = messages.within(one, uuid_in(request.POST["message"], "message")) if request.POST.get("message") else None
    return redirect("chat_session", messages.fork(one, last).id)


@require_POST
@signed_in
def share(request: PageRequest, session_id: UUID) -> HttpResponse:
    one = sessions.visible(request.user, session_id)
    sessions.share(one, request.POST.get("shared") != "0")
    return redirect(f"{reverse('chat_session', args=[one.id])}#share")


@require_POST
@signed_in
def link(request: PageRequest, session_id: UUID) -> HttpResponse:
    """It is about this document, too."""
    one = sessions.visible(request.user, session_id)
    sessions.link(one, documents.visible(request.user, uuid_in(request.POST.get("document", ""), "document")))
    return badges(request, one)


@require_POST
@signed_in
def unlink(request: PageRequest, session_id: UUID, document_id: UUID) -> HttpResponse:
    one = sessions.visible(request.user, session_id)
    sessions.unlink(one, document_id)
    return badges(request, one)


@require_GET
@signed_in
def offered(request: PageRequest) -> HttpResponse:
    """Documents that a conversation might be about, by the words of their titles."""
    workspace = request.membership.workspace_id if request.membership else None
    found = documents.listing(request.user, workspace=workspace, q=clean_text(request.GET.get("q", "")[:200]))
    return render(request, "chat/_offered.html", {"documents": list(found[:MOST_OFFERED])})


# --- answers


def listed(request: PageRequest, one: Session | None = None) -> dict[str, Any]:
    """The list beside: by days, with words to look for, and its next page."""
    membership = request.membership
    workspace = membership.workspace_id if membership else None
    q, state = clean_text(request.GET.get("q", "")[:200]), request.GET.get("state", "")
    if state not in ("", SessionState.ARCHIVED):
        raise InvalidInput("choice", field="state", allowed=[SessionState.ARCHIVED])
    found, cursor = page(
        sessions.listing(request.user, workspace=workspace, q=q, state=state), request.GET.get("cursor"), by="place"
    )
    return {"place": "chat", "days": days.of(found), "cursor": cursor, "q": q, "state": state, "here": one}


def talk(
    request: PageRequest,
    one: Session | None,
    about: list[Document] | None = None,
    *,
    read: bool = True,
    taken: Message | None = None,
) -> dict[str, Any]:
    """All that a conversation shows; not `read`, without what was said. `taken`: what was withdrawn, to be typed."""
    workspace_id = one.workspace_id if one else request.membership.workspace_id if request.membership else None
    told = rows.branch(one, request.user) if one and read else {"rows": [], "before": None}
    return {
        **told,
        "session": one,
        "about": sessions.about(one) if one else about or [],
        "agents": speakers(),
        "is_searching": engines.is_configured(),
        "may_write": workspace_id is not None and may_write(request, workspace_id),
        "workspace_id": workspace_id,
        "key": str(uuid4()),
        "text": taken.text if taken else "",
        "limit": settings.MESSAGE_MAX_CHARACTERS,
        "accepted": ",".join(f".{kind}" for kind in files.CHECKS),
        "now_at": request.path,
        "at": place_of(request),
    }


def place_of(request: PageRequest) -> str:
    """What the ids begin with that stand in the dock: its page may have the same."""
    return DOCK if "dock" in request.GET or "dock" in request.POST else ""


def speakers() -> list[Agent]:
    found = Agent.objects.in_bulk(list(SLOTS))
    return [found[name] for name in SLOTS if name in found]


def said(request: PageRequest, one: Session) -> HttpResponse:
    """The rows alone."""
    return render(request, "chat/_said.html", {"talk": talk(request, one)})


def badges(request: PageRequest, one: Session) -> HttpResponse:
    if not request.htmx:
        return redirect("chat_session", one.id)
    facts = {"talk": {"session": one, "about": sessions.about(one)}}
    return render(request, "chat/_about.html", facts)


def in_dock(request: PageRequest, one: Session | None, about: list[Document]) -> HttpResponse:
    return render(request, "chat/_dock.html", {"talk": {**talk(request, one, about), "at": DOCK}})


def began(request: PageRequest, one: Session, is_new: bool) -> HttpResponse:
    """After something was said: the rows as they stand now; a conversation that is new gets its own page."""
    if not request.htmx:
        return redirect("chat_session", one.id)
    if is_new and place_of(request):
        return in_dock(request, sessions.visible(request.user, one.id), [])
    if is_new:
        return HttpResponseClientRedirect(reverse("chat_session", args=[one.id]))
    return said(request, sessions.visible(request.user, one.id))


def uuid_of(request: PageRequest, name: str) -> UUID:
    return uuid_in(request.GET.get(name, ""), name)


def uuid_in(value: str, name: str) -> UUID:
    """Raises `validation.choice`."""
    try:
        return UUID(value)
    except ValueError:
        raise InvalidInput("choice", field=name, allowed=[]) from None
