"""What axe says against a page: nothing, on every page of ours."""

from pathlib import Path

import axe_playwright_python
from playwright.sync_api import Page

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page: Page) -> list[str]:
    """`rule: the first element that breaks it`. Asked for without motion: what is half faded in has no contrast yet."""
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(AXE)
    found = page.evaluate("tags => axe.run({runOnly: tags})", RULES)["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:120]}" for each in found]
