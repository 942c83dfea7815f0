"""The frame of the API: one shape of error for whatever goes wrong, and a page that explains it all."""

import json
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from pytest_django.fixtures import Settings
from structlog.testing import capture_logs

from memory import workspaces
from tests.people import People

pytestmark = pytest.mark.django_db


def post(client: Client, body: bytes | str, path: str = "/api/v1/runs") -> tuple[int, dict[str, Any]]:
    answer = client.post(path, body, content_type="application/json")
    return answer.status_code, answer.json()


def test_what_is_not_json_is_said(people: People) -> None:
    for body in (b"{", b"nonsense", b"\xff", b'{"brief": NaN}', b'{"brief": "\\ud800"}'):
        status, said = post(people.client(people.owner), body)
        assert (status, said["error_code"]) == (422, "validation.json")


@pytest.mark.parametrize("depth", [70, 1_000, 100_000])
def test_what_is_nested_too_deeply_is_said(people: People, depth: int) -> None:
    body = '{"kind": "note", "brief": "x", "options": ' + "[" * depth + "]" * depth + "}"
    status, said = post(people.client(people.owner), body)
    assert (status, said["error_code"]) == (422, "validation.too_deep")


def test_what_is_too_large_is_said(people: People, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    status, said = post(people.client(people.owner), json.dumps({"kind": "note", "brief": "x" * 2_000}))
    assert (status, said["error_code"]) == (413, "validation.body_too_large")
    assert said["details"] == {"limit": 1_000}


def test_fields_that_do_not_fit_are_named(people: People) -> None:
    status, said = post(people.client(people.owner), b'{"brief": 5}')
    assert (status, said["error_code"]) == (422, "validation.request")
    assert {"path": "body.order.kind", "problem": "missing", "message": "Field required"} in said["details"]["problems"]


def test_a_typed_error_has_its_status_sentence_and_facts(people: People) -> None:
    status, said = post(people.client(people.owner), b'{"kind": "opera", "brief": "x"}')
    assert status == 422
    assert said["error_code"] == "validation.kind"
    assert said["message"].startswith("There is no kind opera.")
    assert "note" in said["details"]["allowed"]


def test_it_speaks_the_readers_language(people: People) -> None:
    answer = people.client(people.owner).get("/api/v1/nowhere", headers={"Accept-Language": "fr"})
    assert answer.json()["message"].startswith("Cette page n’existe pas.")


def test_a_stranger_asks_in_vain_for_a_run(people_committed: People) -> None:
    for path in (f"/api/v1/runs/{uuid4()}", f"/api/v1/runs/{uuid4()}/events"):
        answer = people_committed.client(people_committed.stranger).get(path)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "not_found.run")


def test_a_page_that_does_not_exist_is_json_below_the_api_and_a_page_elsewhere(client: Client) -> None:
    assert client.get("/api/v1/nowhere").json()["error_code"] == "not_found.page"
    elsewhere = client.get("/nowhere", headers={"Accept": "text/html"})
    assert elsewhere.status_code == 404
    assert "<h1>This page does not exist.</h1>" in elsewhere.content.decode()
    assert '<p class="lede">Nothing was changed. Check the address.</p>' in elsewhere.content.decode()
    asked_for_json = client.get("/nowhere", headers={"Accept": "application/json"})
    assert asked_for_json.json()["error_code"] == "not_found.page"


def test_a_wrong_method_is_said_with_those_there_are(people: People) -> None:
    answer = people.client(people.owner).delete("/api/v1/me")
    assert (answer.status_code, answer.json()["error_code"]) == (405, "validation.method")
    assert answer.headers["Allow"] == "GET"


def test_what_nobody_foresaw_is_logged_and_told_without_its_facts(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(user: object) -> None:
        raise ValueError("sk-CANARY")

    monkeypatch.setattr(workspaces, "memberships", broken)
    with capture_logs() as logged:
        answer = people.client(people.owner).get("/api/v1/workspaces")
    assert (answer.status_code, answer.json()["error_code"]) == (500, "internal.error")
    assert "request" in answer.json()["details"]
    assert "CANARY" not in answer.content.decode()
    assert [(line["event"], line["exc_info"]) for line in logged] == [("request_failed", True)]


def test_a_refusal_of_djangos_own_has_the_same_shape(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(user: object) -> None:
        raise PermissionDenied

    monkeypatch.setattr(workspaces, "memberships", refused)
    answer = people.client(people.owner).get("/api/v1/workspaces")
    assert (answer.status_code, answer.json()["error_code"]) == (403, "permission.refused")


def test_half_a_form_is_said(people: People) -> None:
    answer = people.client(people.owner).post(
        "/api/v1/files", b"--x\r\n", content_type="multipart/form-data; boundary="
    )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "validation.malformed")


def test_every_operation_is_described_with_its_way_in(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    assert {"/api/v1/me", "/api/v1/files", "/api/v1/runs"} <= set(schema["paths"])
    schemes = schema["components"]["securitySchemes"]
    assert {scheme["type"] for scheme in schemes.values()} == {"http", "apiKey"}
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation["security"]
            assert operation["responses"]["default"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")


def test_a_key_is_described_under_the_name_it_is_read_by(client: Client) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    headers = [each["name"] for each in paths["/api/v1/runs"]["post"]["parameters"] if each["in"] == "header"]
    assert headers == ["Idempotency-Key"]


def test_the_page_about_it_comes_from_our_own_files(client: Client) -> None:
    page = client.get("/api/docs").content.decode()
    assert "https://" not in page
    for file in ("ninja/swagger-ui.css", "ninja/swagger-ui-bundle.js", "ninja/swagger-ui-init.js"):
        assert f"/static/{file}" in page
        with closing(client.get(f"/static/{file}")) as found:
            assert found.status_code == 200
