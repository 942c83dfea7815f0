"""The one socket of a page: every event once and in order, whatever happens to the connection."""

import time
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.chaos.stack import Stack
from tests.patience import PATIENCE_SECONDS

FOLLOW = """async ([run, since]) => {
  const { follow } = await import("/static/generation/live.js");
  window.got = []; window.blocks = 0; window.state = "";
  window.leave = follow(run, since, {
    html: true,
    events: (events, frame) => { window.got.push(...events); window.state = frame.state; },
    block: () => window.blocks++,
    error: (frame) => { window.state = frame.error_code; },
  });
}"""
ENDED = "['done', 'partial', 'failed', 'cancelled'].includes(window.state)"


def follow(page: Page, run: UUID, since: int = 0) -> None:
    page.evaluate(FOLLOW, [str(run), since])


def until(page: Page, what: str, within: float = PATIENCE_SECONDS) -> None:
    """Asked from outside: the content policy lets no page evaluate a string."""
    end = time.monotonic() + within
    while not page.evaluate(what):
        assert time.monotonic() < end, f"never: {what}"
        page.wait_for_timeout(50)


def folded(events: list[dict[str, Any]]) -> dict[str, str]:
    """The text of each attempt: deltas that were joined on the way fold to the same."""
    texts: dict[str, str] = {}
    for event in events:
        if event["type"] == "content_delta":
            name = f"{event['data']['step']} {event['data']['attempt']}"
            texts[name] = texts.get(name, "") + event["data"]["text"]
    return texts


def told(house: Stack, run: UUID) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {house.secrets['owner']}"}
    answer = httpx.get(f"{house.url}/api/v1/runs/{run}/events", headers=headers)
    return list(answer.raise_for_status().json()["events"])


def assert_whole(page: Page, house: Stack, run: UUID) -> None:
    until(page, ENDED)
    got = page.evaluate("window.got")
    numbers = [event["seq"] for event in got]
    assert numbers == sorted(set(numbers)), "none twice, all in order"
    assert [event["type"] for event in got].count("done") == 1
    assert folded(got) == folded(told(house, run))
    assert page.evaluate("window.blocks") > 0


@pytest.mark.parametrize("how", ["offline", "asleep"])
def test_a_reader_who_was_cut_off_misses_nothing_and_hears_nothing_twice(
    visit: Visit, house: Stack, wrong: list[str], how: str
) -> None:
    house.model(first_token_ms=200, tokens_per_second=100)
    page = visit("owner", "/profile/")
    run = house.begin()
    follow(page, run)
    until(page, "window.got.some((event) => event.type === 'content_delta')")
    if how == "offline":
        page.context.set_offline(True)
        page.wait_for_timeout(6_000)
        page.context.set_offline(False)
    else:
        page.evaluate("dispatchEvent(new Event('pagehide'))")
        page.wait_for_timeout(500)
        page.evaluate("dispatchEvent(new Event('pageshow'))")
    assert_whole(page, house, run)
    wrong.clear()  # the browser notes each try


def test_who_follows_from_a_number_hears_only_what_came_after(visit: Visit, house: Stack) -> None:
    page = visit("owner", "/profile/")
    run = house.begin()
    follow(page, run)
    assert_whole(page, house, run)
    numbers = [event["seq"] for event in page.evaluate("window.got")]
    middle = numbers[len(numbers) // 2]
    follow(page, run, middle)
    until(page, ENDED)
    assert page.evaluate("window.got[0].seq") > middle


def test_a_run_of_others_is_refused_to_its_handler(visit: Visit, house: Stack) -> None:
    page = visit("stranger", "/profile/")
    follow(page, house.begin())
    until(page, "window.state === 'not_found.run'")
