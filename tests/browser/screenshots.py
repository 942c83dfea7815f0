"""Pictures of every page of the gallery, in both widths, themes and languages, into the ignored folder `screenshots`.

python -m tests.browser.screenshots [NAME…]
"""

import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.conftest import CHROMIUM, QUIET, sign_in
from tests.browser.gallery import Shown, furnish
from tests.chaos.stack import Stack, running_alone

FOLDER = Path("screenshots")
PHONE = 390
WIDTHS = {1280: 900, PHONE: 844}


def take(browser: Browser, house: Stack, shown: Shown, width: int, theme: str, language: str) -> None:
    view = {"width": width, "height": WIDTHS[width]}
    # A phone has no pointer to hover with: what waits for one elsewhere is always there.
    context = browser.new_context(
        base_url=house.url,
        viewport=view,  # type: ignore[arg-type]
        color_scheme=theme,  # type: ignore[arg-type]
        locale=language,
        has_touch=width == PHONE,
        is_mobile=width == PHONE,
    )
    if shown.who != "nobody":
        sign_in(context.new_page(), shown.who)
    page = context.new_page()
    page.goto(shown.path)
    page.wait_for_timeout(700)  # fragments that come after the page
    page.screenshot(path=FOLDER / f"{shown.name}-{width}-{theme}-{language}.png", full_page=True)
    context.close()


def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with running_alone(CHAOS_TOTAL="900") as house, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        gallery = [shown for shown in furnish(house) if not names or shown.name in names]
        for language in ("en", "fr"):
            with house.sql() as sql:
                sql.execute("UPDATE memory_user SET language = %s", [language])
            for shown, width, theme in product(gallery, WIDTHS, ("light", "dark")):
                take(browser, house, shown, width, theme, language)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
