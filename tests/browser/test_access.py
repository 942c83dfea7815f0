"""Nobody is kept out by how a page is built: axe finds nothing, no page is wider than its screen, and whatever one can
come to by keyboard is seen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.gallery import Shown, furnish
from tests.chaos.stack import Stack


@pytest.fixture(scope="module")
def gallery(whole_house: Stack) -> Iterator[list[Shown]]:
    yield furnish(whole_house)
    with whole_house.sql() as sql:  # the house is everybody's
        sql.execute("UPDATE memory_user SET language = 'en', theme = ''")


@pytest.mark.parametrize("half", [0, 1])  # all at once take longer than one test may
@pytest.mark.parametrize(("theme", "width", "language"), [("light", 1280, "en"), ("dark", 390, "fr")])
def test_every_page_is_open_to_everybody(
    gallery: list[Shown],
    house: Stack,
    visit: Visit,
    wrong: list[str],
    theme: str,
    width: int,
    language: str,
    half: int,
) -> None:
    with house.sql() as sql:
        sql.execute("UPDATE memory_user SET language = %s, theme = %s", [language, theme])
    problems: dict[str, list[str]] = {}
    for shown in gallery[half::2]:
        page = visit(shown.who, shown.path, width=width, color_scheme=theme, locale=language)
        found = violations(page)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append("wider than the screen")
        found += unseen(page)
        if found:
            problems[shown.name] = found
        page.close()
    wrong[:] = [said for said in wrong if "404" not in said]  # the page that is not there
    assert problems == {}


def unseen(page: Page) -> list[str]:
    """What waits to be shown until one comes near, and is not shown to who has come to it by keyboard."""
    said: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(".reveal :is(a, summary)")].filter((tool) => {
            tool.focus();
            return tool.matches(":focus") && getComputedStyle(tool.closest(".reveal")).opacity !== "1";
        }).map((tool) => `unseen: ${tool.id}`)"""
    )
    return said


def test_axe_sees_what_is_wrong(visit: Visit) -> None:
    page = visit("nobody", "/sign-in/")
    page.evaluate("document.querySelector('main').innerHTML = '<img src=data:,><button></button>'")
    assert {said.split(":")[0] for said in violations(page)} >= {"image-alt", "button-name"}
