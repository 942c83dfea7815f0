"""The page of a document: its outline, its text as it is written, what was done to it."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from generation import (
    actions,
    attempt_pictures,
    completions,
    document_pictures,
    documents,
    leaves,
    questions,
    saying,
    sections,
)
from generation.leaf import Leaf
from generation.leaf_sections import size_drawings
from generation.outlines import outline
from generation.views import going_on
from memory.base.ids import new_id
from memory.models import Role
from memory.pages import PageRequest, may, may_write, signed_in

MOST_PIECES = 60  # sections asked for at once


@require_GET
@signed_in
def document(request: PageRequest, document_id: UUID) -> HttpResponse:
    """Whole as long as it is short; of a long one the beginning, or what begins with `?from=` a section."""
    shown = leaf(request, document_id, with_text=not request.htmx)  # a live page has the text already
    if request.htmx:
        asked = uuid_or_none(request.GET.get("from"))
        is_there = asked is None or [each["id"] for each in shown["sections"][:1]] == [asked]
        return render(request, "generation/_sections.html", shown) if is_there else HttpResponse()
    return render(request, "generation/document.html", shown)


@require_GET
@signed_in
def pieces(request: PageRequest, document_id: UUID) -> HttpResponse:
    """Of the page of one moment what a live page may have to replace: its frame, and the sections named by `id`.

    The page shows the sections `from` that one to the one it has not come to yet: `more`.
    """
    read = leaves.read(request.user, document_id)
    named = set(request.GET.getlist("id")[:MOST_PIECES])
    chosen = [each for each in read.sections if str(each["id"]) in named]
    furnish(request, read, chosen)
    first, more = (uuid_or_none(request.GET.get(name)) for name in ("from", "more"))
    ids = [each["id"] for each in read.sections]
    begin = ids.index(first) if first in ids else 0
    on_page = list(takewhile(lambda each: each != more, ids[begin:]))
    return render(request, "generation/_pieces.html", {**context(request, read, on_page), "sections": chosen})


@require_GET
@signed_in
def section(request: PageRequest, section_id: UUID) -> HttpResponse:
    """A fragment for a page that shows it; whoever opens its address by hand is led to that page."""
    if request.htmx:
        return render_section(request, section_id)
    home = sections.visible(request.user, section_id).document_id
    return redirect(f"{reverse('document', args=[home])}?from={section_id}#section-{section_id}")


def render_section(request: PageRequest, section_id: UUID) -> HttpResponse:
    """One section as its page shows it: what a live update, an edit or an undo puts in its place."""
    read = leaves.read_with(request.user, section_id)
    shown = next((each for each in read.sections if each["id"] == section_id), None)
    if shown is None:
        return HttpResponse()  # it was removed: nothing stands in its place
    furnish(request, read, [shown])
    return render(request, "generation/_section.html", {**context(request, read), "section": shown})


def leaf(request: PageRequest, document_id: UUID, *, with_text: bool = False) -> dict[str, Any]:
    """What the template of the page is given."""
    read = leaves.read(request.user, document_id, with_text=with_text)
    page, more = read.from_section(uuid_or_none(request.GET.get("from")))
    furnish(request, read, page)
    on_page = [each["id"] for each in page]
    return {
        **context(request, read, on_page),
        "sections": page,
        "more": more,
        "is_later": bool(page) and page[0] is not read.sections[0],
        "elsewhere": [live for each in read.sections if each["id"] not in set(on_page) for live in each["live"]],
    }


def furnish(request: PageRequest, read: Leaf, shown: Sequence[dict[str, Any]]) -> None:
    """The sections that are shown get the room of their drawings, and what this reader has learnt in them."""
    size_drawings(read.document, shown)
    attempt_pictures.dress(request.user, shown)


def context(request: PageRequest, read: Leaf, on_page: Sequence[UUID] = ()) -> dict[str, Any]:
    is_writer = may_write(request, read.document.workspace_id)
    chapters = ticked(request, read)
    for run in read.runs:
        run["form"] = questions.question_form(run["question"]) if run["question"] else []
    return {
        "leaf": read,
        "document": read.document,
        "outline": outline(read, on_page),
        "stamps": " ".join(f"{each['id']}:{each['stamp']}" for each in read.sections),
        "may_write": is_writer,
        "may_comment": may(request, read.document.workspace_id, Role.COMMENTER) and read.document.present,
        "proposals": document_pictures.drawn(read.proposals, read.document.id),
        "chapters": chapters,
        "kind": saying.kind(read.document.kind),
        "new_kind": saying.new(read.document.kind),
        "actions": [questions.action_form(action) for action in read.actions] if is_writer else [],
        "place": "home",
    }


def ticked(request: PageRequest, read: Leaf) -> tuple[int, int]:
    """How many chapters this reader has finished, of how many; each chapter knows it from then on."""
    chapters = [each for each in read.sections if each["type"] == completions.TYPE]
    done = completions.among(request.user, [each["id"] for each in chapters]) if chapters else set()
    for each in chapters:
        each["is_complete"] = each["id"] in done
    return len(done), len(chapters)


def uuid_or_none(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


@require_POST
@signed_in
def act(request: PageRequest, document_id: UUID, action: str) -> HttpResponse:
    """One of the actions of its kind, with options from the form that its schema made."""
    document = documents.visible(request.user, document_id)
    known = actions.action_of(questions.recipe(document), action)
    options = questions.values(known.options.model_json_schema(), request.POST)
    actions.act(document, action, options, user=request.user, key=request.POST.get("key") or str(new_id()))
    return going_on.begun(request, reverse("document", args=[document.id]))


@require_POST
@signed_in
def retry_section(request: PageRequest, section_id: UUID) -> HttpResponse:
    """Write it again, or the steps of it that are named."""
    section = sections.visible(request.user, section_id)
    key = request.POST.get("key") or str(new_id())
    actions.retry_section(section, request.user, request.POST.getlist("step"), key=key)
    return going_on.begun(request, f"{reverse('document', args=[section.document_id])}#section-{section.id}")
