"""Changing an object in place: the form of its fields, the preview of Markdown, the two versions when two have written.

With htmx the form stands where the section stood; without, it is a page of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from generation import documents, forms, places, sections
from generation.desks import Clash, Desk
from generation.forms import Input
from generation.history_pictures import written
from generation.models import Document, Section
from generation.views.documents import render_section
from memory import workspaces
from memory.base.errors import InvalidInput, StaleChange
from memory.base.text import clean_text
from memory.models import Change, Role
from memory.pages import PageRequest, signed_in

MOST_PREVIEWED = 200_000  # characters


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit_section(request: PageRequest, section_id: UUID) -> HttpResponse:
    section = sections.visible(request.user, section_id)
    workspaces.require(request.user, section.home, Role.EDITOR)
    return edit(request, Desk.of_section(section, request.user))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit_document(request: PageRequest, document_id: UUID) -> HttpResponse:
    document = documents.visible(request.user, document_id)
    workspaces.require(request.user, document.home, Role.EDITOR)
    return edit(request, Desk.of_document(document, request.user))


@require_POST
@signed_in
def preview(request: PageRequest) -> HttpResponse:
    """Markdown as the page will show it; of a form with several texts the one that `path` names."""
    text = request.POST.get(request.POST.get("path") or "text", "")
    if len(text) > MOST_PREVIEWED:
        raise InvalidInput("body_too_large", limit=MOST_PREVIEWED)
    return render(request, "generation/_preview.html", {"text": clean_text(text)})


# --- the form


@dataclass(frozen=True)
class Shown:
    """What the form says besides its values."""

    errors: Mapping[str, str] | None = None
    clashes: tuple[Clash, ...] = ()
    focus: str = ""
    previews: bool = False
    status: int = 200


def edit(request: PageRequest, desk: Desk) -> HttpResponse:
    if request.method != "POST":
        return form(request, desk, desk.values(), desk.obj.version, Shown())
    version = version_of(request, desk)
    base = desk.values_at(version)
    values = {**base, **desk.sheet.read(request.POST)}
    if act := request.POST.get("act"):
        focus = forms.arrange(values, act)
        return form(request, desk, values, version, Shown(focus=focus, previews=act == "preview"))
    wanted, errors = desk.sheet.check(values)
    if errors:
        return form(request, desk, values, version, Shown(errors, status=422))
    try:
        return saved(request, desk, desk.write_down(base, wanted, version))
    except StaleChange as refusal:
        if refusal.code != "conflict.changed_since":
            raise
        return merge(request, desk, base, wanted, refusal)


def merge(
    request: PageRequest, desk: Desk, base: dict[str, Any], wanted: dict[str, Any], refusal: StaleChange
) -> HttpResponse:
    """Theirs and mine side by side, and both as one text, to be saved on the newest version."""
    values, clashes = desk.merged(base, wanted, refusal)
    version = desk.obj.version
    if not clashes:  # both wrote the same
        return saved(request, desk, desk.write_down(desk.values(), values, version))
    return form(request, desk, values, version, Shown(clashes=tuple(clashes), status=409))


def version_of(request: PageRequest, desk: Desk) -> int:
    """Raises `validation.version`."""
    said = request.POST.get("version", "")
    if not said.isascii() or not said.isdigit() or len(said) > 9:
        raise InvalidInput("version", version=desk.obj.version)
    return int(said)


def form(request: PageRequest, desk: Desk, values: Mapping[str, Any], version: int, shown: Shown) -> HttpResponse:
    obj = desk.obj
    inputs = desk.sheet.inputs(values, shown.errors or {})
    facts = {
        "inputs": inputs,
        "focus": first_of(inputs, shown.focus),
        "is_touched": request.method == "POST",
        "is_in_place": is_in_place(request) and isinstance(obj, Section),
        "heading": heading(desk) if not request.htmx else "",
        "obj": obj,
        "kind": obj.OBJECT,
        "form_version": version,
        "shown": shown,
        "address": request.path,
        "page": page_of(desk),
        "document": obj.document if isinstance(obj, Section) else obj,
    }
    template = "generation/_edit.html" if request.htmx else "generation/edit.html"
    return render(request, template, facts, status=shown.status)


def first_of(inputs: Sequence[Input], path: str) -> str:
    """Where one goes on typing: in the item that is new, at the list that lost one, else in the longest text."""
    if not path:
        texts = [each.path for each in inputs if each.widget == "markdown"]
        return (texts or [each.path for each in inputs if each.widget != "items"] or [""])[0]
    for each in inputs:
        if each.path == path:
            return path
        for item in each.items:
            if path == item.path:
                return item.inputs[0].path
            if path.startswith(f"{item.path}/"):
                return first_of(item.inputs, path)
    return ""


def heading(desk: Desk) -> str:
    if isinstance(desk.obj, Document):
        return _("Title, language and more")
    return capfirst(places.of(desk.obj.root_id).name(desk.obj.pk))


def is_in_place(request: PageRequest) -> bool:
    """On the page of the document, not on one of the form alone."""
    return bool(request.htmx) and request.htmx.current_url_abs_path != request.path


def page_of(desk: Desk) -> str:
    anchor = f"#section-{desk.obj.pk}" if isinstance(desk.obj, Section) else ""
    return reverse("document", args=[desk.obj.root_id]) + anchor


def saved(request: PageRequest, desk: Desk, changes: list[Change]) -> HttpResponse:
    obj = desk.obj
    if not request.htmx:
        return redirect(page_of(desk))
    if is_in_place(request) and isinstance(obj, Section):
        response = tell(render_section(request, obj.pk), changes, obj)
    else:
        response = HttpResponseClientRedirect(page_of(desk))
    return trigger_client_event(response, "saved", {"id": str(obj.pk)})


def tell(response: HttpResponse, changes: list[Change], *objects: Any, event: str = "changed") -> HttpResponse:
    """The page hears what was changed, as it hears it of others."""
    told = [{**each, "id": str(each["id"])} for each in written(changes, *objects)["objects"]]
    return trigger_client_event(response, event, {"objects": told}, after="settle")
