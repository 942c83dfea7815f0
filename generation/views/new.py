"""A new text: the brief, its files, the few options that matter, what it may cost, and the start."""

from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from generation import documents, estimates, pictures, queue_pictures, runs
from generation.asking import Asking, sample, uuids
from generation.models import Run
from generation.recipes.base import Recipe
from generation.registry import RECIPES
from generation.web import engines
from memory import files, sentences, workspaces
from memory.base.errors import BudgetSpent, Conflict, InvalidInput, LimitReached, NotFound
from memory.models import Role, Workspace
from memory.pages import PageRequest, signed_in

DEFAULT = "course"
# What is wrong with what was typed is told beside it, with all that was typed; the rest is told as everywhere.
TOLD_HERE = (InvalidInput, LimitReached, BudgetSpent, Conflict)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def new(request: PageRequest, kind: str = DEFAULT) -> HttpResponse:
    recipe = recipe_of(kind)
    if request.method == "POST":
        return begin(request, recipe)
    named = {name: request.GET[name] for name in ("folder", *recipe.options.model_fields) if name in request.GET}
    workspace = request.membership.workspace_id if request.membership else None
    return form(request, Asking(recipe, request.user, named, workspace=workspace))


@require_POST
@signed_in
def by_hand(request: PageRequest, kind: str) -> HttpResponse:
    """An empty one to fill in oneself, if its kind is made for that: named, and with `parent` in that document."""
    if not recipe_of(kind).by_hand:
        raise NotFound("page")
    title = request.POST.get("title", "").strip()
    if not title:
        raise InvalidInput("title_needed")
    named = uuids([request.POST.get("parent", "")])
    parent = documents.visible(request.user, named[0]) if named else None
    workspace = parent.workspace if parent else workspace_of(request)
    language = parent.language if parent else ""
    begun = documents.create(kind, title, {}, user=request.user, workspace=workspace, parent=parent, language=language)
    return redirect("edit_document", begun.id)


@require_POST
@signed_in
def file(request: PageRequest) -> HttpResponse:
    """One file of a form that is still being filled in: a chip that names it."""
    workspace = workspace_of(request)
    upload = request.FILES.get("file")
    if upload is None:
        raise InvalidInput("file_empty", name="")
    kept = store(request, workspace, upload)
    return render(request, "generation/_new_file.html", {"file": kept})


@require_GET
@signed_in
def estimate(request: PageRequest, kind: str) -> HttpResponse:
    """The estimate alone, for the options as they are typed."""
    asking = Asking(recipe_of(kind), request.user, request.GET.dict())
    return render(request, "generation/_new_estimate.html", foreseen(request, asking, *sizes(request)))


def begin(request: PageRequest, recipe: Recipe) -> HttpResponse:
    """Start what was asked for, once however often it is sent, and show it; or the form again with what is wrong."""
    workspace = workspace_of(request)
    asking = Asking.sent(recipe, request.user, workspace, request.POST)
    if "sample" in request.POST:
        asking.typed = {**asking.typed, "brief": sample(recipe, request.user.language), "difficulty": ""}
    if dropped := request.POST.get("drop"):
        asking.files = [each for each in asking.files if str(each.id) != dropped]
        return form(request, asking)
    if "continue" in request.POST:
        return form(request, asking)
    keep_uploads(request, workspace, asking)
    if asking.refused:
        return form(request, asking, status=422)
    try:
        run = start(request, workspace, asking)
    except TOLD_HERE as error:
        asking.refuse(error)
        return form(request, asking, status=error.status)
    return redirect("document", run.document_id) if run.document_id else redirect("queue")


def start(request: PageRequest, workspace: Workspace, asking: Asking) -> Run:
    try:
        order, key = asking.order(), asking.key()
        return runs.start(asking.recipe, order, user=request.user, workspace=workspace, key=key)[0]
    except Conflict as error:
        if error.code != "conflict.key_reused":
            raise
        # The same form with the same files, stored once more: their ids differ, what they hold does not.
        return pictures.visible(request.user, UUID(error.params["run"]))


def keep_uploads(request: PageRequest, workspace: Workspace, asking: Asking) -> None:
    """Files that came with the form itself. Those that are not taken are named; the others stay chosen."""
    refused: list[tuple[str, str]] = []
    for upload in request.FILES.getlist("upload"):
        try:
            asking.files = [*asking.files, store(request, workspace, upload)]
        except InvalidInput as error:
            refused.append((upload.name or "", sentences.say(error.code, error.params)))
    asking.refused = refused


def store(request: PageRequest, workspace: Workspace, upload: UploadedFile) -> Any:
    return files.store(request.user, workspace, upload.name or "", upload.read())


def workspace_of(request: PageRequest) -> Workspace:
    """The one the form was made for, whatever was chosen since in another tab."""
    named = uuids([request.POST.get("workspace", "")])
    return workspaces.choose(request.user, named[0] if named else None, Role.EDITOR)


def recipe_of(kind: str) -> Recipe:
    if kind not in RECIPES:
        raise NotFound("page")
    return RECIPES[kind]


def form(request: PageRequest, asking: Asking, status: int = 200) -> HttpResponse:
    size = sum(each.size for each in asking.files)
    facts = {
        "place": "home",
        "asking": asking,
        "speech": asking.recipe.speech,
        "kinds": [recipe for recipe in reversed(RECIPES.values()) if recipe.speech],
        "may_write": may_write(request),
        "finds_nothing": asking.recipe.searches and not engines.is_configured(),
        "accepted": ",".join(f".{kind}" for kind in files.CHECKS),
        **foreseen(request, asking, len(asking.brief), size),
    }
    return render(request, "generation/new.html", facts, status=status)


def may_write(request: PageRequest) -> bool:
    return request.membership is not None and Role(request.membership.role).includes(Role.EDITOR)


def foreseen(request: PageRequest, asking: Asking, characters: int, file_bytes: int) -> dict[str, Any]:
    guess = estimates.estimate(asking.recipe, asking.foreseen(), characters, file_bytes)
    return {"guess": guess, "today": queue_pictures.today(request.user)}


def sizes(request: PageRequest) -> tuple[int, int]:
    """Of brief and files, as the page counts them."""
    told = (request.GET.get(name, "") for name in ("characters", "bytes"))
    characters, file_bytes = (int(one) if one.isascii() and one.isdigit() and len(one) < 10 else 0 for one in told)
    return characters, file_bytes
