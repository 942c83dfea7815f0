"""What is said about documents: the threads of one, those that concern the reader, what is done to a thread."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from generation import comments, documents, labels, mentions, places, sections, thread_pictures, threads
from generation.asking import uuids
from generation.models import Document, Section
from generation.views import going_on
from memory import workspaces
from memory.base.errors import InvalidInput
from memory.models import Role
from memory.pages import PageRequest, may, signed_in

MOST_CHOICES = 200  # members to choose from


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def of_document(request: PageRequest, document_id: UUID) -> HttpResponse:
    """The threads of a document, and one more: of the whole, or (`?section=`) of one of its sections."""
    document = documents.visible(request.user, document_id)
    if request.method == "POST":
        return begin(request, document)
    section = named_section(request, document)
    facts = {**listed(request, document, section), **form(request, document, section)}
    return render(request, template(request, "generation/comments.html"), facts)


def begin(request: PageRequest, document: Document) -> HttpResponse:
    said = request.POST
    section = named_section(request, document)
    threads.begin(
        section or document,
        said.get("text", ""),
        request.user,
        field=said.get("field", ""),
        quote=said.get("quote", ""),
        assignee=said.get("assignee", ""),
        key=said.get("key"),
    )
    if not request.htmx:
        return redirect(address(document.id, section))
    facts = {**listed(request, document, section, of=threads.OPEN), **form(request, document, section)}
    return render(request, "generation/_comments.html", facts)


@require_GET
@signed_in
def mine(request: PageRequest) -> HttpResponse:
    """The open threads that concern the reader, in all their workspaces."""
    facts = {"place": "comments", "of": threads.MINE, **thread_pictures.mine(request.user, request.GET.get("cursor"))}
    return render(request, template(request, "generation/my_comments.html"), {**facts, "now_at": request.path})


@require_GET
@signed_in
def members(request: PageRequest, document_id: UUID) -> HttpResponse:
    """Whom one may mention: those whose name holds `?q=`."""
    document = documents.visible(request.user, document_id)
    facts = {"members": mentions.offered(document.workspace, request.GET.get("q", "")[:100])}
    return render(request, "generation/_members.html", facts)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def unread(request: PageRequest) -> HttpResponse:
    """How many threads hold something new for the reader; those sent by `id` they have just looked at."""
    if request.method == "POST":
        threads.look(request.user, uuids(request.POST.getlist("id")))
    return HttpResponse(str(threads.unread(request.user)), content_type="text/plain")


# --- a thread


@require_GET
@signed_in
def thread(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """A fragment for a page that lists it; whoever opens its address by hand is led to such a page."""
    return again(request, thread_id)


@require_POST
@signed_in
def reply(request: PageRequest, thread_id: UUID) -> HttpResponse:
    found = threads.visible(request.user, thread_id)
    comments.reply(found, request.POST.get("text", ""), request.user, request.POST.get("key"))
    return again(request, thread_id)


@require_POST
@signed_in
def close(request: PageRequest, thread_id: UUID) -> HttpResponse:
    threads.close(threads.visible(request.user, thread_id), request.user)
    return again(request, thread_id)


@require_POST
@signed_in
def reopen(request: PageRequest, thread_id: UUID) -> HttpResponse:
    threads.reopen(threads.visible(request.user, thread_id), request.user)
    return again(request, thread_id)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def assign(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """The members to choose from; then the one who was chosen, or nobody."""
    found = threads.visible(request.user, thread_id)
    workspace = found.document.workspace
    if request.method == "POST":
        name = request.POST.get("assignee", "")
        threads.assign(found, threads.member(workspace, name) if name else None, request.user)
        return again(request, thread_id)
    workspaces.require(request.user, workspace, threads.needed(found, request.user))
    shown = thread_pictures.picture(request.user, thread_id)
    facts = {"thread": shown, "members": workspaces.members(workspace)[:MOST_CHOICES], "place": "comments"}
    return render(request, "generation/_assign.html" if request.htmx else "generation/assign.html", facts)


@require_POST
@signed_in
def edit_comment(request: PageRequest, comment_id: UUID) -> HttpResponse:
    comment = comments.visible(request.user, comment_id)
    comments.edit(comment, request.POST.get("text", ""), request.user)
    return again(request, comment.thread_id)


@require_POST
@signed_in
def delete_comment(request: PageRequest, comment_id: UUID) -> HttpResponse:
    comment = comments.visible(request.user, comment_id)
    if comments.delete(comment, request.user):
        return again(request, comment.thread_id)
    if request.htmx:
        return HttpResponse()  # nothing stands in its place
    return redirect("comments", comment.thread.document_id)


def again(request: PageRequest, thread_id: UUID) -> HttpResponse:
    """The thread as it is now, where it stands."""
    shown = thread_pictures.picture(request.user, thread_id)
    if request.htmx:
        return render(request, "generation/_thread.html", {"thread": shown, "of": request.GET.get("of", "")})
    of = {} if shown["state"] == threads.OPEN else {"of": threads.ALL}
    return going_on.done(request, address(shown["document"], None, **of) + f"#thread-{thread_id}")


# --- lists


def listed(request: PageRequest, document: Document, section: Section | None, of: str | None = None) -> dict[str, Any]:
    of = of or request.GET.get("of", threads.OPEN)
    cursor = request.GET.get("cursor") if request.method != "POST" else None
    found = thread_pictures.listing(request.user, document, of, section.id if section else None, cursor)
    which = {"of": of, **({"section": str(section.id)} if section else {})}
    now_at = f"{reverse('comments', args=[document.id])}?{urlencode(which)}"
    facts = {"place": "comments", "document": document, "section": section, "of": of, "states": states()}
    return {**facts, "now_at": now_at, **found}


def states() -> list[tuple[str, str]]:
    """Which threads a list may show."""
    words = {threads.OPEN: _("Open"), threads.MINE: _("Mine"), threads.CLOSED: _("Closed"), threads.ALL: _("All")}
    return list(words.items())


def form(request: PageRequest, document: Document, section: Section | None) -> dict[str, Any]:
    """What the form of a new thread is given."""
    may_comment = may(request, document.workspace_id, Role.COMMENTER) and document.present
    asked = request.GET.get("quote", "") if request.method != "POST" else ""
    return {
        "may_comment": may_comment,
        "section_name": capfirst(places.of(document.id).name(section.id)) if section else "",
        "fields": [(name, capfirst(labels.of_field(name))) for name in threads.fields(section or document)],
        "members": workspaces.members(document.workspace)[:MOST_CHOICES] if may_comment else (),
        "quote": asked[: threads.MOST_QUOTE],
        "key": uuid4(),
        "limit": comments.MOST_TEXT,
    }


def named_section(request: PageRequest, document: Document) -> Section | None:
    """Raises `not_found.section`, also for one of another document."""
    named = (request.POST if request.method == "POST" else request.GET).get("section", "")
    if not named:
        return None
    found = uuids([named])
    if not found:
        raise InvalidInput("path", path="section")
    return sections.within(document, found[0])


def address(document_id: UUID, section: Section | None, **which: str) -> str:
    query = {**which, **({"section": str(section.id)} if section else {})}
    return reverse("comments", args=[document_id]) + (f"?{urlencode(query)}" if query else "")


def template(request: PageRequest, page: str) -> str:
    """The page; for the dock all that is on it, and `?part=threads` its list, or what follows in it."""
    if not request.htmx:
        return page
    if request.GET.get("part") != "threads":
        return "generation/_comments.html"
    return "generation/_thread_rows.html" if request.GET.get("cursor") else "generation/_threads.html"
