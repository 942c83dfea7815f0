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
