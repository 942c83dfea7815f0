"""The one-time link: shown by GET, used by POST, worthless afterwards."""

import io
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from memory import sign_in
from tests.people import People

pytestmark = pytest.mark.django_db


def is_signed_in(client: Client) -> bool:
    return client.get("/api/v1/me").status_code == 200


def test_looking_at_the_link_does_not_use_it_up(people: People) -> None:
    path = sign_in.path_for(people.owner)
    for _ in range(2):
        answer = Client().get(path)
        assert answer.status_code == 200
        assert "owner" in answer.content.decode()
    assert Client().post(path).status_code == 302


def test_the_button_signs_in_with_a_session_of_its_own(people: People) -> None:
    client = Client()
    client.get("/api/docs")
    before = client.session.session_key
    assert client.post(sign_in.path_for(people.stranger)).headers["Location"] == "/"
    assert client.session.session_key != before
    assert client.get("/api/v1/me").json()["username"] == "stranger"


def test_it_works_once(people: People) -> None:
    path = sign_in.path_for(people.owner)
    Client().post(path)
    again = Client()
    answer = again.post(path)
    assert answer.status_code == 401
    assert "make up" in answer.content.decode()
    assert not is_signed_in(again)


def test_it_grows_old(people: People, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sign_in.path_for(people.owner)
    later = datetime.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT + 2)  # noqa: DTZ005 as Django counts
    monkeypatch.setattr(sign_in.links, "_now", lambda: later)
    assert Client().get(path).status_code == 401


def test_a_strangers_token_does_not_fit_the_owners_link(people: People) -> None:
    token = sign_in.path_for(people.stranger).split("/")[-2]
    assert Client().post(f"/sign-in/{people.owner.pk}/{token}/").status_code == 401


def test_a_deactivated_user_stays_out(people: People) -> None:
    path = sign_in.path_for(people.teammate)
    people.teammate.is_active = False
    people.teammate.save()
    assert Client().post(path).status_code == 401


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        ("/queue/?a=1", "/queue/?a=1"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:1", "/"),
    ],
)
def test_it_goes_on_to_pages_of_ours_only(people: People, wanted: str, place: str) -> None:
    answer = Client().post(sign_in.path_for(people.owner), {"next": wanted})
    assert answer.headers["Location"] == place


def test_the_button_needs_the_csrf_token(people: People) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(sign_in.path_for(people.owner))
    assert answer.status_code == 403
    assert not is_signed_in(client)


def test_the_page_speaks_french_and_carries_no_style_or_script_of_its_own(people: People) -> None:
    answer = Client().get(sign_in.path_for(people.owner), headers={"Accept-Language": "fr"})
    page = answer.content.decode()
    assert '<html lang="fr">' in page
    assert "Entrer" in page
    assert "style=" not in page
    assert "<script" not in page


def test_a_command_prints_a_link(people: People, settings: Settings) -> None:
    out = io.StringIO()
    call_command("sign_in", "teammate", stdout=out)
    link = out.getvalue().strip()
    assert link.startswith(settings.PUBLIC_URL)
    assert Client().post(link.removeprefix(settings.PUBLIC_URL)).status_code == 302


def test_the_command_knows_who_is_not_there(people: People) -> None:
    with pytest.raises(CommandError, match="nobody"):
        call_command("sign_in", "nobody")
