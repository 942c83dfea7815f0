"""What is said, said otherwise, answered anew, stopped, withdrawn, thought of, undone. Each answers with rows."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from chat import messages, panel, rows, sessions, turns
from chat.models import Message, Speaker
from chat.turns import Words
from chat.views.sessions import began, listed, place_of, said, talk, uuid_in
from generation import documents, feedback, history_pictures, runs
from generation.asking import uuids
from generation.views.history import refused
from memory import history, workspaces
from memory.base.errors import InvalidInput, SessionError, StaleChange
from memory.history import digest
from memory.models import Change, File, Role
from memory.pages import PageRequest, may_write, signed_in

MOST_KEY = 50


@require_POST
@signed_in
def send(request: PageRequest) -> HttpResponse:
    """Something is said, to whoever answers here or to the panel. The same form sent twice says it once."""
    named = request.POST.get("session")
    session = sessions.visible(request.user, uuid_in(named, "session")) if named else None
    workspace = None if session else workspaces.choose(request.user, workspace_in(request), Role.VIEWER)
    words = words_of(request)
    turn = turns.take(
        request.user,
        words,
        session=session,
        workspace=workspace,
        key=key_of(request, words),
        answered_by=panel.answer_by_all if "panel" in request.POST else None,
    )
    return began(request, turn.session, is_new=session is None)


@require_GET
@signed_in
def message(request: PageRequest, message_id: UUID) -> HttpResponse:
    """One row, as it stands now."""
    return row(request, messages.visible(request.user, message_id))


@require_POST
@signed_in
def edit(request: PageRequest, message_id: UUID) -> HttpResponse:
    turn = turns.edit(messages.visible(request.user, message_id), words_of(request))
    return began(request, turn.session, is_new=False)


@require_POST
@signed_in
def regenerate(request: PageRequest, message_id: UUID) -> HttpResponse:
    agent = request.POST.get("agent", "")
    turn = turns.regenerate(messages.visible(request.user, message_id), agent=agent)
    return began(request, turn.session, is_new=False)


@require_POST
@signed_in
def synthesise(request: PageRequest, message_id: UUID) -> HttpResponse:
    turn = panel.synthesise(messages.visible(request.user, message_id))
    return began(request, turn.session, is_new=False)


@require_POST
@signed_in
def show(request: PageRequest, message_id: UUID) -> HttpResponse:
    """The branch through this message."""
    return began(request, messages.show(messages.visible(request.user, message_id)), is_new=False)


@require_POST
@signed_in
def withdraw(request: PageRequest, message_id: UUID) -> HttpResponse:
    """Its text goes back to where it was typed, with its files."""
    one = messages.visible(request.user, message_id)
    taken = turns.withdraw(one)
    session = sessions.visible(request.user, one.session_id)
    if not request.htmx:
        return render(
            request, "chat/chat.html", {"talk": talk(request, session, taken=taken), **listed(request, session)}
        )
    answer = said(request, session)
    if taken is None:
        return answer
    kept = File.objects.filter(id__in=taken.files).values("id", "name")
    files = [{"id": str(each["id"]), "name": each["name"]} for each in kept]
    return trigger_client_event(answer, "withdrawn", {"text": taken.text, "files": files})


@require_POST
@signed_in
def stop(request: PageRequest, message_id: UUID) -> HttpResponse:
    """What was said until now stays."""
    one = messages.visible(request.user, message_id)
    if one.run is not None:
        runs.cancel(one.run, request.user)
    return HttpResponse(status=204) if request.htmx else redirect("chat_session", one.session_id)


@require_POST
@signed_in
def think(request: PageRequest, message_id: UUID) -> HttpResponse:
    """Thumbs: `1` up, `0` down with a reason, nothing takes back what was said."""
    one = messages.visible(request.user, message_id)
    if one.call is None:
        raise SessionError("no_answer")
    good = request.POST.get("good", "")
    if good not in ("", "0", "1"):
        raise InvalidInput("choice", field="good", allowed=["", "0", "1"])
    if good:
        feedback.give(one.call, request.user, good == "1", request.POST.get("reason", ""))
    else:
        feedback.take_back(one.call, request.user)
    return row(request, one)


@require_POST
@signed_in
def undo(request: PageRequest, message_id: UUID) -> HttpResponse:
    """Take back one change of this turn, or, without one, all of them."""
    one = messages.visible(request.user, message_id)
    change = change_of(request, one) if request.POST.get("change") else None
    try:
        history.undo(change, request.user) if change else history.undo_group(group_of(one), request.user)
    except StaleChange as refusal:
        place = f"refused-{change.pk if change else one.id}"
        root = change.root_id if change else root_of(one)
        return refused(request, documents.visible(request.user, root), refusal, place)
    return row(request, messages.visible(request.user, message_id))


# --- what was sent


def words_of(request: PageRequest) -> Words:
    return Words(
        request.POST.get("text", ""),
        uuids(request.POST.getlist("files")),
        [("document", document) for document in uuids(request.POST.getlist("context"))],
        request.POST.get("agent", ""),
    )


def key_of(request: PageRequest, words: Words) -> str | None:
    """The form's own, together with what it holds: words that were changed since are others."""
    own = request.POST.get("key", "")[:MOST_KEY]
    return f"form-{own}-{digest(words.as_data())}" if own else None


def workspace_in(request: PageRequest) -> UUID | None:
    """The one the page was made for, whatever was chosen since in another tab."""
    named = uuids([request.POST.get("workspace", "")])
    return named[0] if named else request.membership.workspace_id if request.membership else None


def change_of(request: PageRequest, one: Message) -> Change:
    """A change that this message made, or one that took it back. Raises `not_found.change`."""
    return history_pictures.change(request.user, uuid_in(request.POST["change"], "change"))


def group_of(one: Message) -> UUID:
    if one.run_id is None:
        raise SessionError("no_answer")
    return one.run_id


def root_of(one: Message) -> UUID:
    return Change.objects.filter(group=group_of(one)).values_list("root_id", flat=True)[0]


# --- answers


def row(request: PageRequest, one: Message) -> HttpResponse:
    if not request.htmx:
        return redirect(f"{reverse('chat_session', args=[one.session_id])}#message-{one.id}")
    facts: dict[str, Any] = {
        "row": rows.one(one, request.user),
        "talk": {
            "session": one.session,
            "may_write": may_write(request, one.session.workspace_id),
            "at": place_of(request),
        },
    }
    return render(request, "chat/_asked.html" if one.speaker == Speaker.USER else "chat/_answer.html", facts)
