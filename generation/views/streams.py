"""What lasts longer than a thread of the API may be held: the events of a run, drawings, files made of documents.

Events come as a range in JSON or, for whoever asks for `text/event-stream`, as a stream.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from generation import downloads, drawings, pictures
from generation.exports.names import disposition
from generation.guests import Guest, error_frame, guests
from generation.hub import hub
from generation.mailbox import Mailbox
from generation.models import END_STATES
from generation.replay import check_reached
from memory.authentication import secret_of, user_of
from memory.base.admitted import wait_outside
from memory.base.database import db
from memory.base.errors import InvalidInput, SignInNeeded
from memory.models import User

KEEP_ALIVE_SECONDS = 15
# Daphne never pushes back: past this the stream ends, and the reader comes again with its Last-Event-ID.
MOST_BYTES = 4_000_000
SAID = {"1": True, "true": True, "0": False, "false": False}


@require_GET
async def events(request: HttpRequest, run_id: UUID) -> HttpResponseBase:
    """`?since=N` (or Last-Event-ID): what came after N."""
    user = await db(user_of, request)
    await db(pictures.check_visible, user, run_id)
    since = since_of(request)
    if "text/event-stream" not in request.headers.get("Accept", ""):
        return HttpResponse(f"{{{(await hub.range(run_id, since)).body()}}}", content_type="application/json")
    await db(check_reached, run_id, since)  # a wrong `since` is refused before the stream begins
    response = StreamingHttpResponse(stream(request, user, run_id, since), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"
    return response


@require_GET
async def export(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The document as a file: `?format=`, and with `answers=1` the answers to its questions."""
    user = await db(user_of, request)
    with_answers = is_asked_for(request, "answers")
    wait_outside()
    made = await downloads.make(user, document_id, request.GET.get("format", "md"), answers=with_answers)
    response = HttpResponse(made.content, content_type=made.content_type)
    response["Content-Disposition"] = disposition(made.name)
    return response


def is_asked_for(request: HttpRequest, name: str) -> bool:
    """Raises `validation.choice` for what is no yes and no no."""
    value = request.GET.get(name, "0").lower()
    if value not in SAID:
        raise InvalidInput("choice", field=name, allowed=list(SAID))
    return SAID[value]


def since_of(request: HttpRequest) -> int:
    """Last-Event-ID goes first: a browser that comes again still asks for the place where it began."""
    places = [place(value) for value in (request.headers.get("Last-Event-ID"), request.GET.get("since")) if value]
    return places[0] if places else 0


def place(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise InvalidInput("since", since=value[:50])
    return int(value)


async def stream(request: HttpRequest, user: User, run_id: UUID, since: int) -> AsyncIterator[bytes]:
    """Ranges until the run has ended, or an error as soon as the user may no longer hear them; with a comment now and
    then so that proxies keep the connection."""
    mailbox = Mailbox()
    secret = secret_of(request) or ""
    refusal = SignInNeeded("token") if secret else SignInNeeded("needed")
    turn_out = partial(mailbox.put, error_frame(refusal, user))
    guest = Guest(user, mailbox.put, turn_out, request.session, secret, runs=(run_id,))
    guests.add(guest)
    following = hub.follow(run_id, since, mailbox.put)
    sent = 0
    try:
        while sent < MOST_BYTES:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS):
                    frame = await mailbox.take()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if frame is None:
                return  # too much at once: the reader comes again with its Last-Event-ID
            part = orjson.loads(frame)
            event = f"id: {part['upto']}\ndata: {frame}\n\n" if "upto" in part else f"event: error\ndata: {frame}\n\n"
            yield event.encode()
            sent += len(event)
            if is_last(part):
                return
    finally:
        hub.leave(following)
        guests.remove(guest)


def is_last(part: dict[str, Any]) -> bool:
    """Whether nothing will follow: an error, a reset, the run's `done`, or an empty range of an ended run."""
    if "upto" not in part or part.get("reset"):
        return True
    events = part["events"]
    return part["state"] in END_STATES and (not events or events[-1]["type"] == "done")


@require_GET
def diagram(request: HttpRequest, digest: str) -> HttpResponse:
    """A drawing as a picture of a page, or on its own: then, too, nothing in it runs and nothing is loaded."""
    drawing = drawings.visible(user_of(request), digest)
    response = HttpResponse(drawing.svg, content_type="image/svg+xml")
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=31536000, immutable"  # another drawing has another address
    return response
