"""The HTML export in a real browser: it runs nothing, loads nothing, and fits a phone."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from generation.exports import export
from generation.manuscripts import Manuscript
from tests.generation.exports.corpus import poisoned
from tests.generation.exports.course import COURSE


def saved(manuscript: Manuscript, folder: Path) -> str:
    path = folder / "export.html"
    path.write_bytes(export(manuscript, "html", answers=True).content)
    return path.as_uri()


def test_nothing_runs_and_nothing_is_loaded(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    address = saved(poisoned(), tmp_path)
    page.goto(address)
    page.hover("main")
    assert page.evaluate("window.__xss") is None
    assert [url for url in asked if not url.startswith("data:image/svg+xml;base64,")] == [address]
    assert said == []
    assert page.locator("script, iframe, object, embed, form, [onload], [onerror], [style]").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_is_as_wide_as_its_screen_and_its_lines_as_a_book(browser: Browser, tmp_path: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(saved(COURSE, tmp_path))
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("main > p").first.bounding_box()["width"] <= 640  # type: ignore[index]
    assert page.locator("img").evaluate_all("images => images.every(image => image.naturalWidth > 0)")


def test_paper_turns_dark_with_the_reader(browser: Browser, tmp_path: Path) -> None:
    address, colours = saved(COURSE, tmp_path), []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(address)
        colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(252, 251, 248)", "rgb(23, 24, 27)"]
