"""What pages ask of a run: how it went, stop, go on, hear an answer."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from generation import actions, pictures, questions, queue_pictures, run_pictures, runs
from generation.models import OPEN_STATES, Run
from generation.views import going_on
from memory.models import Role
from memory.pages import PageRequest, may_write, signed_in


@require_GET
@signed_in
def run(request: PageRequest, run_id: UUID) -> HttpResponse:
    """How it went; while it goes on, the place where it can be watched."""
    found = pictures.visible(request.user, run_id)
    if found.claim.state in OPEN_STATES:
        return redirect(place_of(found))
    may_see_all = request.membership is not None and request.membership.role == Role.OWNER
    facts = {"may_write": may_write(request, found.workspace_id), "may_see_all": may_see_all, "place": "queue"}
    return render(request, "generation/run.html", {**run_pictures.ended(request.user, run_id), **facts})


@require_POST
@signed_in
def cancel(request: PageRequest, run_id: UUID) -> HttpResponse:
    run = pictures.visible(request.user, run_id)
    runs.cancel(run, by=request.user)
    return going_on.begun(request, place_of(run))


@require_POST
@signed_in
def retry(request: PageRequest, run_id: UUID) -> HttpResponse:
    """Make what is missing; what is good stays. A run is retried once, however often the button is pressed: then its
    retry can be.
    """
    run = pictures.visible(request.user, run_id)
    new, _ = actions.retry(run, request.user, key=f"retry-{run.id}")
    return going_on.begun(request, place_of(new))


@require_POST
@signed_in
def answer(request: PageRequest, run_id: UUID) -> HttpResponse:
    """The form of its question, as the value that it waits for."""
    run = pictures.visible(request.user, run_id)
    step = request.POST.get("step", "")[:200]
    is_asked = run.question is not None and run.question["step"] == step
    value = questions.answer(run.question, request.POST) if is_asked else {}
    runs.answer(run, by=request.user, step=step, value=value)
    return going_on.begun(request, place_of(run))


def place_of(run: Run) -> str:
    return queue_pictures.place_of(run) or reverse("queue")
