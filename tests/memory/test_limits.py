"""How often one may ask, by address and by user; what every answer says of it; and what happens without Redis."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import AsyncClient, Client
from pytest_django.fixtures import Settings

from memory.base import limits
from tests.people import People

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def counted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits small enough to reach, counted afresh by each test."""
    settings.RATE_LIMIT_ENABLED = True
    settings.RATE_LIMIT_RPM = 3
    settings.RATELIMIT_CACHE_PREFIX = f"rl:{uuid4()}:"
    monkeypatch.setattr(limits, "READS_PER_MINUTE", 5)
    monkeypatch.setattr(limits, "WRITES_PER_DAY", 4)
    # A test that runs over the end of a window would count from anew.
    monkeypatch.setattr("django_ratelimit.core.time.time", lambda: 1_800_000_000)


def read(client: Client, **meta: Any) -> int:
    return client.get("/api/v1/me", **meta).status_code


def write(client: Client, **meta: Any) -> int:
    return client.post("/api/v1/files", **meta).status_code


def test_every_answer_says_what_is_left(people: People) -> None:
    client = people.client(people.owner)
    for left in ("4", "3"):
        headers = client.get("/api/v1/me").headers
        assert headers["X-RateLimit-Limit"] == "5"
        assert headers["X-RateLimit-Remaining"] == left
        assert int(headers["X-RateLimit-Reset"]) > 0
    assert Client().get("/api/v1/nowhere").headers["X-RateLimit-Remaining"] == "2"


def test_past_the_limit_it_says_when_to_come_back(people: People) -> None:
    client = people.client(people.owner)
    assert [read(client) for _ in range(6)] == [200] * 5 + [429]
    answer = client.get("/api/v1/me")
    assert answer.json()["error_code"] == "limit.requests"
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert answer.headers["X-RateLimit-Remaining"] == "0"


def test_writes_have_a_smaller_limit_of_their_own(people: People) -> None:
    client = people.client(people.owner)
    assert [write(client) for _ in range(4)] == [422, 422, 422, 429]
    assert read(client) == 200


def test_a_stranger_elsewhere_is_not_held_up(people: People) -> None:
    busy, stranger = people.client(people.owner), people.client(people.stranger)
    assert [read(busy) for _ in range(6)][-1] == 429
    assert read(stranger, REMOTE_ADDR="10.0.0.9") == 200


def test_a_user_has_a_limit_for_the_day_wherever_they_write_from(people: People) -> None:
    client = people.client(people.owner)
    assert [write(client, REMOTE_ADDR=f"10.0.0.{n}") for n in range(5)] == [422] * 4 + [429]
    assert write(people.client(people.stranger), REMOTE_ADDR="10.0.1.1") == 422


def test_guesses_at_sign_in_are_counted(people: People) -> None:
    guesses = [Client().post("/admin/login/", {"username": "owner", "password": "?"}).status_code for _ in range(4)]
    assert guesses == [200, 200, 200, 429]


def test_pages_are_not_counted_when_they_are_only_read(people: People) -> None:
    assert [Client().get("/admin/login/").status_code for _ in range(7)] == [200] * 7


def test_an_invented_address_in_front_does_not_help(people: People, settings: Settings) -> None:
    settings.RATE_LIMIT_TRUSTED_PROXIES = 1
    client = people.client(people.owner)
    answers = [read(client, HTTP_X_FORWARDED_FOR=f"1.2.3.{n}, 9.9.9.9") for n in range(6)]
    assert answers[-1] == 429
    assert read(client, HTTP_X_FORWARDED_FOR="9.9.9.9, 8.8.8.8") == 200


@pytest.mark.parametrize(
    ("proxies", "header", "client"),
    [
        (0, "1.1.1.1", "7.7.7.7"),
        (1, "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (2, "1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "2.2.2.2", "7.7.7.7"),
        (1, "", "7.7.7.7"),
        (1, "nonsense", "7.7.7.7"),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_client_is_the_address_that_our_proxies_vouch_for(
    settings: Settings, proxies: int, header: str, client: str
) -> None:
    settings.RATE_LIMIT_TRUSTED_PROXIES = proxies
    assert limits.forwarded_for(header, "7.7.7.7") == client


def test_one_host_is_one_however_many_addresses_it_has() -> None:
    assert limits.network_of("2001:db8::1") == limits.network_of("2001:db8::ffff:2")
    assert limits.network_of("::1") == limits.network_of("::2")
    assert limits.network_of("") == ""
    assert limits.network_of("2001:db8::1") != limits.network_of("2001:db8:0:1::1")
    assert limits.network_of("::ffff:1.2.3.4") == limits.network_of("1.2.3.4")


@pytest.fixture
def without_redis(settings: Settings) -> None:
    nowhere = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": nowhere}


def test_without_redis_everything_passes(people: People, without_redis: None) -> None:
    client = people.client(people.owner)
    assert [read(client) for _ in range(7)] == [200] * 7
    assert [write(client) for _ in range(6)] == [422] * 6


def test_switched_off_nothing_is_counted(people: People, settings: Settings) -> None:
    settings.RATE_LIMIT_ENABLED = False
    answer = people.client(people.owner).get("/api/v1/me")
    assert "X-RateLimit-Limit" not in answer.headers


async def test_views_of_both_colours_are_counted(people_committed: People) -> None:
    client = AsyncClient()
    answers = [(await client.get(f"/api/v1/runs/{uuid4()}/events")).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


def test_frames_of_sockets_are_counted_the_same_way(people: People) -> None:
    frames = [limits.refusal_of(people.owner.pk, "10.0.0.1", is_read=False) for _ in range(4)]
    assert frames[:3] == [None] * 3
    assert frames[3] is not None
    assert frames[3].code == "limit.requests"


def test_a_frame_that_its_address_may_not_send_costs_the_user_nothing(people: People) -> None:
    frames = [limits.refusal_of(people.owner.pk, "10.0.0.1", is_read=False) for _ in range(6)]
    assert frames.count(None) == 3
    assert limits.refusal_of(people.owner.pk, "10.0.0.2", is_read=False) is None
