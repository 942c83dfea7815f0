"""A prompt tried by a program: the whole answer, when it has ended. Who hangs up meanwhile ends the request to the
provider."""

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from generation import tries
from generation.api.prompting import of
from generation.api.rehearsing import as_tried, composed
from generation.prompting_schemas import RehearsalIn
from generation.rehearsals import TRY, Rehearsal
from memory.authentication import user_of
from memory.base.admitted import wait_outside
from memory.base.database import db
from memory.base.errors import InvalidInput
from memory.base.text import read_json
from memory.models import User


@csrf_exempt  # a program has no cookie; of a session `user_of` asks for the token
@require_POST
async def attempt(request: HttpRequest, kind: str, name: str) -> HttpResponse:
    user, rehearsal = await db(prepared, request, kind, name)
    wait_outside()
    tried = await tries.whole(rehearsal, user.pk)
    if tried.error:
        raise tried.error
    return HttpResponse(orjson.dumps(as_tried(rehearsal, tried)), content_type="application/json")


def prepared(request: HttpRequest, kind: str, name: str) -> tuple[User, Rehearsal]:
    user = user_of(request)
    body = body_of(request)
    return user, composed(of(user, kind, name, TRY), body, user)


def body_of(request: HttpRequest) -> RehearsalIn:
    try:
        return RehearsalIn.model_validate(read_json(request.body))
    except ValidationError as error:
        problems = [
            {"path": ".".join(map(str, each["loc"])), "problem": each["type"], "message": each["msg"]}
            for each in error.errors()[:20]
        ]
        raise InvalidInput("request", problems=problems) from None
