"""Staff try two versions of a prompt side by side: written as one watches, stopped, by keyboard, without a script."""

import re
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import SLOWLY, Visit
from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack

TABLES = ("run", "step", "call", "document", "event")
FRAME = ("landmark-one-main", "region")  # what axe says of the frame that all pages of staff have
ADD = """
INSERT INTO generation_promptversion (id, prompt_id, number, text, digest, from_file, message, created_at)
SELECT %s, prompt_id, number + 1, replace(text, 'Plan the note.', 'Plan a long note.'), '', false, 'longer', now()
FROM generation_promptversion WHERE prompt_id = 'note/outline' ORDER BY number DESC LIMIT 1
"""


RISE = "UPDATE memory_user SET is_staff = %s, is_superuser = %s WHERE username = 'owner'"


@pytest.fixture
def address(house: Stack) -> Iterator[str]:
    """Of the page of a version that is not in production, for the owner, who keeps the house meanwhile."""
    version = str(uuid4())
    with house.sql() as sql:
        sql.execute(RISE, [True, True])
        sql.execute(ADD, [version])
    yield f"/admin/generation/promptversion/{version}/preview/"
    with house.sql() as sql:
        sql.execute(RISE, [False, False])


Playground = Callable[..., Page]


@pytest.fixture
def playground(visit: Visit, address: str) -> Playground:
    """The page, open before the owner."""

    def opened(**how: object) -> Page:
        page = visit("owner", **how)
        page.goto(address)
        return page

    return opened


def counts(house: Stack) -> dict[str, int]:
    return {name: house.number(f"SELECT count(*) FROM generation_{name}") for name in TABLES}


def texts(page: Page) -> list[str]:
    return page.locator("#sides .answer .text").all_inner_texts()


def in_flight(house: Stack) -> int:
    return int(house.stats(log=False)["in_flight"])


def test_two_versions_are_written_side_by_side_and_nothing_of_it_is_kept(house: Stack, playground: Playground) -> None:
    before = counts(house)
    page = playground()
    page.get_by_label("Variables (JSON)").fill('{"brief": "On quokkas.", "sources": "", "title": ""}')
    house.model(**SLOWLY)
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#sides .sent").first).to_contain_text("On quokkas.")
    expect(page.locator("#sides .answer .text").nth(0)).to_have_text(re.compile("."))
    expect(page.locator("#sides .answer .text").nth(1)).to_have_text(re.compile("."))
    assert in_flight(house) == 2
    assert left_of(page.locator("#sides .side").nth(0)) < left_of(page.locator("#sides .side").nth(1))
    seen = texts(page)
    house.model(tokens_per_second=5_000)
    expect(page.get_by_text("The answer is there.")).to_be_visible()
    for now, then in zip(texts(page), seen, strict=True):
        assert now.startswith(then)
        assert len(now) > len(then)
    for figures in page.locator("#sides .figures").all():
        expect(figures).to_contain_text(re.compile(r"demo:demo · first word after \d+ ms · .*ended by “stop”"))
    assert [each for each in violations(page) if not each.startswith(FRAME)] == []
    assert counts(house) == before


def left_of(side: Locator) -> float:
    box = side.bounding_box()
    assert box
    return box["x"]


def test_stop_keeps_what_came_and_frees_the_provider(house: Stack, playground: Playground) -> None:
    page = playground()
    house.model(first_token_ms=100, tokens_per_second=5)
    page.get_by_role("button", name="Try it").focus()
    page.keyboard.press("Enter")
    for side in (0, 1):
        expect(page.locator("#sides .answer .text").nth(side)).to_have_text(re.compile("."))
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Stopped. What had come is shown.")).to_be_visible()
    expect(page.get_by_role("button", name="Try it")).to_be_focused()
    assert all(texts(page))
    wait_until(lambda: in_flight(house) == 0, "the provider to be left alone", 3)


def test_a_page_that_is_closed_frees_the_provider(house: Stack, playground: Playground) -> None:
    page = playground()
    house.model(first_token_ms=100, tokens_per_second=5)
    page.get_by_role("button", name="Try it").click()
    wait_until(lambda: in_flight(house) == 2, "both to be asked")
    page.close()
    wait_until(lambda: in_flight(house) == 0, "the provider to be left alone", 3)


def test_enter_shows_what_would_be_sent_and_leaves_what_was_typed(playground: Playground) -> None:
    page = playground(width=390)
    typed = '{"brief": "On quokkas.", "sources": "", "title": ""}'
    page.get_by_label("Variables (JSON)").fill(typed)
    page.get_by_label("Model").press("Enter")
    expect(page.locator("#sides .sent").first).to_contain_text("On quokkas.")
    expect(page.get_by_label("Variables (JSON)")).to_have_value(typed)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_is_wrong_is_said_and_nobody_is_asked(house: Stack, playground: Playground) -> None:
    page = playground()
    asked = house.stats(log=False)["requests"]
    page.get_by_label("Variables (JSON)").fill('{"brief": ')
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("This is not JSON.")).to_be_visible()
    expect(page.get_by_label("Variables (JSON)")).to_have_value('{"brief": ')
    assert house.stats(log=False)["requests"] == asked


def test_a_fault_is_told_beside_its_version(house: Stack, playground: Playground) -> None:
    page = playground()
    house.model(rules=[{"contains": "Plan a long note.", "fault": "rate_limit"}])
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#sides .figures").nth(0)).to_contain_text("The provider has too much to do.")
    expect(page.locator("#sides .figures").nth(1)).to_contain_text("ended by “stop”")


def test_what_a_model_writes_is_text(house: Stack, playground: Playground) -> None:
    page = playground()
    written = '<img src=x onerror="window.__xss=1"><script>window.__xss=1</script>'
    house.model(rules=[{"contains": "Plan a long note.", "content": written}])
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#sides .answer .text").nth(0)).to_have_text(written)
    expect(page.get_by_text("The answer is there.")).to_be_visible()
    assert page.evaluate("window.__xss") is None


def test_without_a_script_the_form_answers_whole(playground: Playground) -> None:
    page = playground(java_script_enabled=False)
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#sides .figures").nth(1)).to_contain_text("ended by “stop”")
    assert all(texts(page))
