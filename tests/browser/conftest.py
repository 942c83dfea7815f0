"""A windowless Chromium before a real house. Where it is missing these tests fail; `make test` installs it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.notes import Note
from tests.chaos.houses import Houses, houses_of, pytest_runtest_makereport  # noqa: F401 a hook of this folder
from tests.chaos.stack import Stack
from tests.password import PASSWORD
from tests.patience import PATIENCE_SECONDS

CHROMIUM = "/usr/bin/chromium-headless-shell"
# Root and containers have no sandbox to give it; without the rest it looks for hosts of its maker.
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]

# A text that is watched is still being written however slow the machine, and is then brought to its end.
SLOWLY = {"first_token_ms": 200, "tokens_per_second": 30}
QUICKLY = {"first_token_ms": 20, "tokens_per_second": 5_000}

Visit = Callable[..., Page]
expect.set_options(timeout=PATIENCE_SECONDS * 1_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    with houses_of("browser", tmp_path_factory) as houses:
        yield houses


@pytest.fixture(scope="module")
def whole_house(houses: Houses) -> Stack:
    """For what a module furnishes once."""
    return houses.open()


@pytest.fixture
def house(houses: Houses) -> Iterator[Stack]:
    """A running house with people in it; the demo model is quick and makes no faults unless told."""
    house = houses.open()
    house.model(fault_rate=0, faults=None, rules=[], **QUICKLY)
    house.trust_models()
    yield house
    houses.mend()


@pytest.fixture(scope="session")
def cookies() -> dict[tuple[str, str], Any]:
    """Of each person in each house, once they have signed in: they stay signed in from test to test."""
    return {}


@pytest.fixture
def wrong() -> list[str]:
    """What pages said or asked that they should not have; a test that wants a refusal takes it out."""
    return []


@pytest.fixture
def visit(browser: Browser, house: Stack, wrong: list[str], cookies: dict[tuple[str, str], Any]) -> Iterator[Visit]:
    """`visit("owner", "/queue/", width=390, color_scheme="dark")`: a page open before somebody who has signed in.

    The same name is the same person in the same browser: a second visit is a second tab. When the test ends, no page
    may have said an error, broken the content policy, or asked another host.
    """
    contexts: dict[str, BrowserContext] = {}

    def watched(page: Page) -> Page:
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: None if is_own(request.url) else wrong.append(request.url))
        return page

    def is_own(url: str) -> bool:
        return url.startswith((house.url, "data:", "blob:"))

    def open_page(name: str, path: str = "/", width: int = 1280, height: int = 900, **how: object) -> Page:
        if name not in contexts:
            contexts[name] = browser.new_context(
                base_url=house.url,
                viewport={"width": width, "height": height},
                **how,  # type: ignore[arg-type]
            )
            contexts[name].set_default_timeout(PATIENCE_SECONDS * 1_000)
            contexts[name].add_cookies(cookies.get((house.url, name), []))
        page = watched(contexts[name].new_page())
        page.goto(path)
        if name != "nobody" and "/sign-in/" in page.url:
            sign_in(page, name)
            cookies[house.url, name] = contexts[name].cookies()
            page.goto(path)
        return page

    yield open_page
    for context in contexts.values():
        context.close()
    assert wrong == []


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/")


@pytest.fixture
def note(visit: Visit, house: Stack) -> Note:
    return Note(visit("owner"), house)
