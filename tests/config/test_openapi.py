"""REST does what its description says, whatever it is sent: schemathesis asks each operation by it.

`REST_EXAMPLES` says how often at random (`make chaos`: 300), besides every edge of the description. Without it every
run asks the same.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from hypothesis import settings as drawing
from pytest_django.fixtures import Settings
from schemathesis import Case, Response
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.generation.hypothesis.reporting import ignore_hypothesis_output
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from config.api import api
from memory.base import children
from tests.config.worlds import CANARY, Naming, World
from tests.people import People

EXAMPLES = int(os.environ.get("REST_EXAMPLES", "6"))
AT_RANDOM = drawing(max_examples=EXAMPLES)
APP = WSGIHandler()
DESCRIPTION = orjson.loads(orjson.dumps(api.get_openapi_schema(), option=orjson.OPT_NON_STR_KEYS))
# What refuses a request for its form; the form is what the description says.
FORM = {"validation.request", "validation.json", "validation.malformed"}


@cache
def described(**generation: Any) -> Any:
    drawn = {"with-security-parameters": False, "database": "none", "deterministic": "REST_EXAMPLES" not in os.environ}
    config = schemathesis.Config.from_dict(
        {
            "base-url": "http://testserver",
            "generation": {**drawn, **generation},
            "phases": {"coverage": {"unexpected-methods": ["put"]}},  # one of those that are not taken
        }
    )
    schema = schemathesis.openapi.from_dict(DESCRIPTION, config=config)
    schema.app = APP
    return schema


ROOMS = sorted({path.split("/")[3] for path in DESCRIPTION["paths"]})  # a world for each door would take a minute more


def ask(schema: Any, room: str, how: Callable[[Case], None]) -> None:
    for path, operations in DESCRIPTION["paths"].items():
        for method in operations if path.split("/")[3] == room else ():
            ask_one(schema, method, path, how)


def ask_one(schema: Any, method: str, path: str, how: Callable[[Case], None]) -> None:
    """At every edge of the description, and at random. As schemathesis' own decorator would; what that collects has one
    name for all operations under pytest 9, and takes seconds of every collection."""
    asking = build_operation_test(
        config=schema.config,
        operation=schema[path][method],
        test_func=how,
        given_kwargs={},
        feedback=FeedbackSources(),
        explicit_settings=AT_RANDOM,
    )
    with ignore_hypothesis_output():
        asking()


@pytest.fixture
def world(people_committed: People, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> World:
    settings.RUNS_OPEN_PER_USER = 100_000
    settings.TURNS_OPEN_PER_USER = 100_000
    monkeypatch.setattr(children, "run", lambda *how, **bounds: b"{}")  # how files are made is asked where it is tested
    return World(people_committed)


@pytest.mark.parametrize("room", ROOMS)
def test_an_owner_is_answered_as_described_and_what_is_refused_changes_nothing(room: str, world: World) -> None:
    def knock(case: Case) -> None:
        case = Naming(world.own, world.theirs).put_into(case)
        response = asked(case, world.headers[world.owner])
        check_described(case, response)
        if world.is_changed():
            assert case.method != "GET"
            assert response.status_code < 300
            if case.path_parameters:  # what was there may be gone
                world.renew()

    ask(described(), room, knock)


@pytest.mark.parametrize("room", ROOMS)
def test_a_stranger_finds_nothing_and_changes_nothing_of_somebody_else(room: str, world: World) -> None:
    def knock(case: Case) -> None:
        naming = Naming(world.own)
        case = naming.put_into(case)
        response = asked(case, world.headers[world.stranger])
        assert CANARY not in response.text
        if set(case.path_parameters) & naming.named:
            assert response.status_code == 404
        if naming.named and case.method != "GET":
            assert response.status_code in (404, 422)
        if world.is_changed():
            assert response.status_code < 300

    ask(described(mode="positive"), room, knock)


def asked(case: Case, headers: dict[str, str]) -> Response:
    """The answer, held against the description."""
    response = case.call(headers=headers)
    # What only the house knows may be refused (`check_described`); who may enter is asked in test_doors. The texts of
    # a form have no types to be wrong.
    left = [positive_data_acceptance, ignored_auth]
    if case.media_type == "multipart/form-data":
        left.append(negative_data_rejection)
    case.validate_response(response, headers=headers, excluded_checks=left)
    return response


def check_described(case: Case, response: Response) -> None:
    """By a status of its own, not the one for all; a refusal in its shape; and nothing refused for a form that fits."""
    if case.method == case.operation.method.upper():
        assert str(response.status_code) in case.operation.definition.raw["responses"]
    if response.status_code < 400:
        return
    told = response.json()
    assert {"error_code", "message", "details"} <= set(told) <= {"error_code", "message", "details", "retry_after"}
    assert told["message"]
    if case.meta and case.meta.generation.mode.is_positive:
        assert told["error_code"] not in FORM, told


def test_every_number_that_is_sent_has_bounds() -> None:
    """A number of any length is not what programs read alike: it would be refused for a form that fits."""
    sent = [
        operation["requestBody"]
        for operations in DESCRIPTION["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    assert unbounded(sent, set()) == []


def unbounded(part: Any, seen: set[str]) -> list[Any]:
    """What describes an integer without bounds, in this part of the description and in what it refers to."""
    if isinstance(part, list):
        return [found for each in part for found in unbounded(each, seen)]
    if not isinstance(part, dict):
        return []
    name = str(part.get("$ref", "")).rpartition("/")[2]
    if name and name not in seen:
        seen.add(name)
        return unbounded(DESCRIPTION["components"]["schemas"][name], seen)
    own = [part] if part.get("type") == "integer" and not {"minimum", "maximum"} <= part.keys() else []
    return own + unbounded(list(part.values()), seen)
