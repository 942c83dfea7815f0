"""What a browser is told with every answer."""

import re
from contextlib import closing

import pytest
from django.test import Client

from config import security
from memory import sign_in
from tests.people import People

pytestmark = pytest.mark.django_db

PLACES = [
    "/admin/login/",
    "/api/docs",
    "/api/v1/me",
    "/api/nowhere",
    "/nowhere",
    "/health/live",
    "/static/look/scriptorium.css",
]


def policy_of(client: Client, path: str) -> dict[str, str]:
    policy = client.get(path).headers["Content-Security-Policy"]
    return dict(part.strip().partition(" ")[::2] for part in policy.split(";"))


@pytest.mark.parametrize("path", PLACES)
def test_every_answer_says_what_it_may_do(client: Client, path: str) -> None:
    with closing(client.get(path)) as answer:
        headers = answer.headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_a_page_runs_our_scripts_only(people: People) -> None:
    policy = policy_of(Client(), sign_in.path_for(people.owner))
    assert "unsafe" not in str(policy)
    assert policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["img-src"] == "'self' data:"


def test_the_nonce_is_new_each_time(client: Client) -> None:
    nonces = {re.search(r"'nonce-(.+)'", policy_of(client, "/nowhere")["script-src"])[1] for _ in range(3)}  # type: ignore[index]
    assert len(nonces) == 3


def test_the_admin_runs_no_inline_script_and_takes_no_style_but_attributes(client: Client) -> None:
    """unfold's Alpine makes functions of attributes and writes style attributes; all else is as strict as a page."""
    policy = policy_of(client, "/admin/login/")
    assert policy.pop("script-src") == "'self' 'unsafe-eval'"
    assert policy.pop("style-src-attr") == "'unsafe-inline'"
    page = policy_of(client, "/nowhere")
    assert policy == {name: value for name, value in page.items() if name != "script-src"}
    shown = client.get("/admin/login/").content.decode()
    assert re.search(r"<script(?![^>]+src=)", shown) is None
    assert "<style" not in shown


def test_an_answer_of_the_api_may_load_nothing_and_is_not_kept(people: People) -> None:
    answer = people.client(people.stranger).get("/api/v1/me")
    assert answer.headers["Content-Security-Policy"] == security.NOTHING
    assert answer.headers["Cache-Control"] == "no-store"


def test_session_and_csrf_cookies_are_for_this_site_alone(people: People) -> None:
    client = Client()
    client.post(sign_in.path_for(people.owner))
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
