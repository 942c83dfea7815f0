"""Searching the web: what both engines find, cleaned; what they do wrong, told; what was found, kept for who asked."""

import asyncio
import logging
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.conf import settings as house
from pytest_django.fixtures import Settings
from redis import Redis

from config import searching
from config.env import BadEnvironment
from generation.web import cache, engines, search, tools
from generation.web.search import Found
from memory.base.errors import ToolFailed
from memory.base.ids import new_id
from tests.counting import counted
from tests.web import KEY, Web

OURS, THEIRS = new_id(), new_id()


@pytest.fixture
def tavily(web: Web, settings: Settings) -> Web:
    settings.WEB_SEARCH, settings.TAVILY_BASE_URL, settings.TAVILY_API_KEY = "tavily", web.url, KEY
    return web


async def refusal_of(query: str = "Acme") -> ToolFailed:
    with pytest.raises(ToolFailed) as refused:
        await search.search(OURS, query)
    return refused.value


# --- what is found


async def test_searxng_is_asked_in_the_language_that_is_wanted(web: Web) -> None:
    found = await search.search(OURS, "  Acme \n valves ", "fr")
    assert [each.url for each in found] == [
        "http://acme.test/",
        "http://acme.test/about",
        "http://acme.test/products",
    ]
    assert found[1].title == "Acme about"
    assert found[1].excerpt.startswith("Founded in 1911")
    (asked,) = web.searches()
    assert asked.query == {"q": "Acme valves", "format": "json", "language": "fr"}


async def test_tavily_is_asked_with_its_key_in_one_header(tavily: Web) -> None:
    assert len(await search.search(OURS, "Acme")) == 3
    (asked,) = tavily.searches()
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert asked.body == {"query": "Acme", "max_results": 8, "search_depth": "basic"}
    assert KEY not in repr(engines.backend())


async def test_of_what_is_found_eight_pages_of_the_public_web_stay_each_once(web: Web) -> None:
    odd: list[dict[str, Any]] = [
        {"url": "javascript:alert(1)", "title": "x"},
        {"url": "http://127.1/", "title": "x"},
        {"url": "ftp://a.test/", "title": "x"},
        {"url": "http://a.test/", "title": "One\x00\n two", "content": "x" * 5_000},
        {"url": "http://a.test:80/#there", "title": "Again"},
        {"url": "http://b.test/", "title": None, "content": None},
    ]
    web.found = [*odd, *({"url": f"http://c.test/{n}", "title": str(n)} for n in range(20))]
    found = await search.search(OURS, "Acme")
    assert found[0] == Found(title="One two", url="http://a.test/", excerpt="x" * search.MOST_EXCERPT)
    assert found[1] == Found(title="http://b.test/", url="http://b.test/", excerpt="")
    assert len(found) == 8


async def test_nothing_found_is_an_answer(web: Web) -> None:
    web.found = []
    web.engine = "nothing"
    with pytest.raises(ToolFailed) as refused:  # its engines did not answer: that nothing is there is not known
        await search.search(OURS, "Acme")
    assert refused.value.code == "tool.search_unreachable"


# --- what goes wrong


@pytest.mark.parametrize(
    ("engine", "code", "permanent"),
    [
        ("401", "tool.search_refused", True),
        ("403", "tool.search_refused", True),
        ("429", "tool.search_rate_limited", False),
        ("500", "tool.search_unreachable", False),
        ("empty", "tool.search_unreachable", False),
        ("html", "tool.search_malformed", True),
        ("large", "tool.search_malformed", True),
        ("moved", "tool.search_refused", True),
    ],
)
@pytest.mark.parametrize("which", ["web", "tavily"])
async def test_what_an_engine_does_wrong_has_a_name(
    request: pytest.FixtureRequest, which: str, engine: str, code: str, permanent: bool
) -> None:
    site: Web = request.getfixturevalue(which)
    site.engine = engine
    refused = await refusal_of()
    assert (refused.code, refused.permanent) == (code, permanent)
    assert refused.retry_after == (7 if engine == "429" else None)
    assert [each.path for each in site.asked] == ["/search"], "a redirect is not followed"
    site.engine = ""
    assert await search.search(OURS, "Acme"), "a failure is not remembered"


async def test_an_engine_has_so_many_seconds(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "SECONDS", 0.5)
    web.engine = "hang"
    assert (await refusal_of()).code == "tool.search_too_slow"


async def test_an_engine_that_is_not_there_is_unreachable(web: Web, settings: Settings) -> None:
    settings.SEARXNG_URL = "http://127.0.0.1:1"
    assert (await refusal_of()).code == "tool.search_unreachable"


async def test_without_an_engine_nothing_is_searched(web: Web, settings: Settings) -> None:
    settings.WEB_SEARCH = "none"
    assert (await refusal_of()).code == "tool.search_not_configured"
    assert not engines.is_configured()
    assert [spec.name for spec in tools.offered()] == ["web_extract"]


async def test_the_key_is_in_no_log_and_no_error(
    tavily: Web, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    for engine in ("401", "429", "html", "moved"):
        tavily.engine = engine
        assert KEY not in str(await refusal_of()) + repr((await refusal_of()).as_data())
    assert KEY not in caplog.text + "".join(capsys.readouterr())
    tavily.engine = ""
    await search.search(OURS, "Acme")
    with Redis.from_url(house.REDIS_URL) as redis:
        kept = [redis.get(place) for place in redis.scan_iter("*web:*")]
    assert kept
    assert KEY.encode() not in b"".join(each for each in kept if isinstance(each, bytes))


@pytest.mark.parametrize(
    ("environment", "engine"),
    [
        ({}, "none"),
        ({"SEARXNG_URL": "http://searx"}, "searxng"),
        ({"TAVILY_API_KEY": "k"}, "tavily"),
        ({"SEARXNG_URL": "http://searx", "TAVILY_API_KEY": "k"}, "searxng"),
        ({"SEARXNG_URL": "http://searx", "TAVILY_API_KEY": "k", "WEB_SEARCH": "Tavily"}, "tavily"),
        ({"SEARXNG_URL": "http://searx", "WEB_SEARCH": "none"}, "none"),
        ({"WEB_SEARCH": "searxng"}, None),
        ({"WEB_SEARCH": "google"}, None),
    ],
)
def test_the_environment_names_the_engine(
    environment: dict[str, str], engine: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WEB_SEARCH", "SEARXNG_URL", "TAVILY_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    if engine is None:
        with pytest.raises(BadEnvironment, match="WEB_SEARCH"):
            searching.engine()
    else:
        assert searching.engine() == engine


# --- what is kept


async def test_what_was_found_is_not_searched_again_within_the_hour(web: Web) -> None:
    hits, misses = (counted(f"cache_{each}_total", cache="web_search") for each in ("hits", "misses"))
    first = await search.search(OURS, "Acme")
    web.found = []
    assert await search.search(OURS, "Acme") == first
    assert len(web.searches()) == 1
    assert counted("cache_hits_total", cache="web_search") == hits + 1
    assert counted("cache_misses_total", cache="web_search") == misses + 1
    with Redis.from_url(house.REDIS_URL) as redis:
        (place,) = redis.scan_iter("scriptorium:web:*")
        assert 0 < int(str(redis.ttl(place))) <= 3_600
        assert orjson.loads(redis.get(place) or b"")["question"] == "searxng  Acme"


async def test_another_workspace_another_engine_and_another_language_ask_for_themselves(
    web: Web, settings: Settings
) -> None:
    await search.search(OURS, "Acme")
    await search.search(THEIRS, "Acme")
    await search.search(OURS, "Acme", "fr")
    settings.WEB_SEARCH, settings.TAVILY_BASE_URL = "tavily", web.url
    await search.search(OURS, "Acme")
    assert len(web.searches()) == 4


async def test_a_workspace_keeps_no_more_than_it_has_places_for(web: Web) -> None:
    for n in range(cache.PLACES + 20):
        await cache.keep(OURS, "search", str(n), [], search.FOUND)
    with Redis.from_url(house.REDIS_URL) as redis:
        assert len(list(redis.scan_iter(f"scriptorium:web:*{OURS}*"))) <= cache.PLACES


@pytest.mark.parametrize("left", [b"no json", b"[]", b'{"question": "q"}', b'{"question": "q", "answer": [{}]}'])
async def test_what_another_release_has_left_is_nothing(web: Web, left: bytes) -> None:
    with Redis.from_url(house.REDIS_URL) as redis:
        redis.set(cache.place_of(OURS, "search", "q"), left)
    assert await cache.known(OURS, "search", "q", search.FOUND) is None


async def test_without_redis_everything_is_asked_again(web: Web, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    for _ in range(2):
        assert len(await search.search(OURS, "Acme")) == 3
    assert len(web.searches()) == 2


async def test_who_is_stopped_closes_the_connection(web: Web) -> None:
    web.engine = "hang"
    asking = asyncio.create_task(search.search(UUID(int=1), "Acme"))
    while not web.open:
        await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(5):
        while web.open:
            await asyncio.sleep(0.01)
