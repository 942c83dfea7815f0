"""REST of runs: start, look, cancel, retry, answer. Events are in `views.events`."""

from typing import Any
from uuid import UUID

from ninja import Router, Status

from generation import actions, pictures, runs
from generation.api.parameters import Cursor, Key
from generation.models import Run
from generation.orders import Order
from generation.registry import recipe_of
from generation.schemas import AnswerIn, OrderIn, RetryIn, RunOut, RunPage
from memory import workspaces
from memory.http import SignedInRequest
from memory.models import Role

router = Router(tags=["runs"])


def drawn(run: Run, request: SignedInRequest) -> dict[str, Any]:
    return pictures.picture(request.user, run.id)


@router.post("/runs", response={202: RunOut}, summary="Start a run")
def start(request: SignedInRequest, order: OrderIn, idempotency_key: Key = None) -> Status[dict[str, Any]]:
    """The same Idempotency-Key with the same order answers with the run that it started the first time."""
    recipe = recipe_of(order.kind)
    workspace = workspaces.choose(request.user, order.workspace, Role.EDITOR)
    asked = Order(
        order.brief,
        order.title,
        order.options,
        order.files,
        order.language or "",
        parent=order.parent,
        folder=order.folder,
    )
    run, _ = runs.start(recipe, asked, user=request.user, workspace=workspace, key=idempotency_key)
    return Status(202, drawn(run, request))


@router.get("/runs", response=RunPage, summary="Runs, newest first")
def index(
    request: SignedInRequest, state: str | None = None, mine: bool = False, cursor: Cursor = None
) -> dict[str, Any]:
    return pictures.listing(request.user, state, mine, cursor)


@router.get("/runs/{uuid:run_id}", response=RunOut, exclude_unset=True, summary="A run as of its last_seq")
def show(request: SignedInRequest, run_id: UUID, text: bool = False) -> dict[str, Any]:
    """With `text=1` the text of open steps is joined; follow the events from `last_seq`."""
    return pictures.picture(request.user, run_id, with_text=text)


@router.post("/runs/{uuid:run_id}/cancel", response={202: RunOut}, summary="Stop a run and its children")
def cancel(request: SignedInRequest, run_id: UUID) -> Status[dict[str, Any]]:
    run = pictures.visible(request.user, run_id)
    runs.cancel(run, by=request.user)
    return Status(202, drawn(run, request))


@router.post("/runs/{uuid:run_id}/retry", response={202: RunOut}, summary="A new run that keeps the good steps")
def retry(
    request: SignedInRequest,
    run_id: UUID,
    body: RetryIn | None = None,
    idempotency_key: Key = None,
) -> Status[dict[str, Any]]:
    run = pictures.visible(request.user, run_id)
    new, _ = actions.retry(run, by=request.user, steps=body.steps if body else (), key=idempotency_key)
    return Status(202, drawn(new, request))


@router.post("/runs/{uuid:run_id}/answers", response={202: RunOut}, summary="Answer a run that waits for a person")
def answer(request: SignedInRequest, run_id: UUID, body: AnswerIn) -> Status[dict[str, Any]]:
    run = pictures.visible(request.user, run_id)
    runs.answer(run, by=request.user, step=body.step, value=body.value)
    return Status(202, drawn(run, request))
