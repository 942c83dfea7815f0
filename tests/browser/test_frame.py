"""What goes with every page."""

from playwright.sync_api import expect

from tests.browser.conftest import Visit


def test_who_signs_in_is_home(visit: Visit) -> None:
    page = visit("owner")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_dock_opens_and_closes_by_keyboard_and_gives_the_focus_back(visit: Visit) -> None:
    page = visit("owner")
    handle = page.locator(".dock-handle")
    handle.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dock")).to_be_visible()
    expect(page.locator("#dock-queue")).to_contain_text("The whole queue")
    page.keyboard.press("Escape")
    expect(page.locator("#dock")).to_be_hidden()
    expect(handle).to_be_focused()


def test_a_rail_longer_than_a_phone_is_wide_shows_where_one_is(visit: Visit) -> None:
    page = visit("owner", "/queue/?of=all", width=200)
    here = page.locator("nav.rail [aria-current]")
    expect(here).to_have_text("All of the workspace")
    expect(here).to_be_in_viewport(ratio=1)
