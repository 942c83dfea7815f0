"""Learning: exercises on the page of a course, evaluations on a page of their own, and finished chapters."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from generation import attempt_pictures, attempts, completions, document_pictures, sections
from generation.attempts import Given
from generation.models import Attempt, Section
from memory.base.errors import InvalidInput
from memory.pages import PageRequest, signed_in

ASKED, ANSWER = "asked-", "answer-"


@require_GET
@signed_in
def evaluation(request: PageRequest, section_id: UUID) -> HttpResponse:
    """Before it the start, during it the paper, with what was reached earlier."""
    return render(request, "generation/evaluation.html", attempt_pictures.evaluation(request.user, section_id))


@require_POST
@signed_in
def begin(request: PageRequest, section_id: UUID) -> HttpResponse:
    section = sections.visible(request.user, section_id)
    attempt = attempts.begin(section, request.user, whole(request, "number"))
    return answered(request, attempt)


@require_POST
@signed_in
def exercise(request: PageRequest, section_id: UUID) -> HttpResponse:
    """Keep what was answered; the button `check` has it corrected."""
    section = sections.visible(request.user, section_id)
    attempt = attempts.begin(section, request.user, whole(request, "number"), whole(request, "version"))
    if "check" in request.POST:
        return answered(request, attempts.finish(attempt, request.user, given(request, attempt)))
    return kept(request, attempts.answer(attempt, request.user, given(request, attempt)))


@require_POST
@signed_in
def answer(request: PageRequest, attempt_id: UUID) -> HttpResponse:
    attempt = attempts.visible(request.user, attempt_id)
    return kept(request, attempts.answer(attempt, request.user, given(request, attempt)))


@require_POST
@signed_in
def finish(request: PageRequest, attempt_id: UUID) -> HttpResponse:
    attempt = attempts.visible(request.user, attempt_id)
    return answered(request, attempts.finish(attempt, request.user, given(request, attempt)))


@require_POST
@signed_in
def grade(request: PageRequest, attempt_id: UUID) -> HttpResponse:
    attempt = attempts.visible(request.user, attempt_id)
    return answered(request, attempts.grade_again(attempt, request.user))


@require_GET
@signed_in
def attempt(request: PageRequest, attempt_id: UUID) -> HttpResponse:
    """What it has come to; with `waiting`, only what is new among these questions."""
    picture = attempt_pictures.result(request.user, attempt_id)
    if picture["is_open"] or (picture["section"]["type"] != attempts.TIMED and not request.htmx):
        return redirect(place_of(picture["section"]["type"], picture["document"]["id"], picture["section"]["id"]))
    if not request.htmx:
        return render(request, "generation/attempt.html", picture)
    waiting = request.GET.getlist("waiting")
    if waiting == [str(n) for n in picture["attempt"]["waiting"]]:
        return HttpResponse(status=204)
    news = [one for one in picture["attempt"]["questions"] if str(one["n"]) in waiting and not one["is_waiting"]]
    return render(request, "generation/_attempt_news.html", {**picture, "news": news})


@require_POST
@signed_in
def complete(request: PageRequest, section_id: UUID) -> HttpResponse:
    """Tick a chapter, or take the tick back."""
    section = sections.visible(request.user, section_id)
    is_complete = "complete" in request.POST
    (completions.complete if is_complete else completions.reopen)(section, request.user)
    if not request.htmx:
        return redirect(place_of(section.type, section.document_id, section.id))
    return HttpResponse(status=204, headers={"HX-Trigger": "completed"})


# --- what they share


def given(request: PageRequest, attempt: Attempt) -> Given:
    """The answers in the form, by question. One that was asked and has none is an answer taken back."""
    found: dict[str, str | list[str]] = {}
    for n, question in enumerate(attempt.questions, 1):
        if f"{ASKED}{n}" in request.POST:
            values = request.POST.getlist(f"{ANSWER}{n}")
            found[question["id"]] = values if question.get("answers") else "".join(values)
    return found


def kept(request: PageRequest, attempt: Attempt) -> HttpResponse:
    if not request.htmx:
        return redirect(address_of(attempt))
    counts = {"answered": len(attempt.answers), "total": len(attempt.questions), "section": {"id": attempt.section_id}}
    return render(request, "generation/_attempt_kept.html", counts)


def answered(request: PageRequest, attempt: Attempt) -> HttpResponse:
    """Where the attempt goes on: on its page, or in its place on the page of the course."""
    if not request.htmx:
        return redirect(address_of(attempt))
    if attempt.section.type == attempts.TIMED:
        response = HttpResponse(status=204)
        response["HX-Redirect"] = address_of(attempt)
        return response
    picture = document_pictures.section_picture(request.user, attempt.section_id)
    attempt_pictures.dress(request.user, [picture])
    return render(request, "course/exercise_block.html", {"section": picture, "takes_focus": True})


def address_of(attempt: Attempt) -> str:
    if attempt.ended_at and attempt.section.type == attempts.TIMED:
        return reverse("attempt", args=[attempt.id])
    section: Section = attempt.section
    return place_of(section.type, section.document_id, section.id)


def place_of(type: str, document_id: UUID, section_id: UUID) -> str:
    if type == attempts.TIMED:
        return reverse("evaluation", args=[section_id])
    return f"{reverse('document', args=[document_id])}#section-{section_id}"


def whole(request: PageRequest, name: str) -> int | None:
    value = request.POST.get(name, "")
    if value and not (value.isascii() and value.isdigit() and len(value) < 10):
        raise InvalidInput("given")
    return int(value) if value else None
