"""People in a browser: the way in and out, the profile, an invitation, and the pages of staff."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.chaos.invariants import until_settled
from tests.chaos.stack import Stack


def test_who_signs_in_turns_the_house_french_and_leaves(visit: Visit) -> None:
    page = visit("teammate", "/profile/")
    page.get_by_label("Name", exact=True).fill("Karim Belkacem")
    page.locator("#about").get_by_role("button", name="Save").click()
    expect(page.locator("#about").get_by_role("status")).to_have_text("Saved.")
    expect(page.locator(".initials")).to_contain_text("KB")
    page.get_by_label("Français").check()
    page.locator("#reading").get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("#reading").get_by_role("status")).to_have_text("Enregistré.")
    page.get_by_label("English").check()
    page.locator("#reading").get_by_role("button", name="Enregistrer").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/")
    page.goto("/profile/")
    page.wait_for_url("**/sign-in/?next=*")


def test_the_button_turns_from_what_the_machine_shows(visit: Visit) -> None:
    page = visit("viewer", "/profile/", color_scheme="dark")
    page.get_by_role("button", name="Change the theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page).to_have_url(re.compile("/profile/$"))
    page.get_by_label("as your machine has it").check()
    page.locator("#reading").get_by_role("button", name="Save").click()
    expect(page.locator("html")).not_to_have_attribute("data-theme", "light")


def test_an_invitation_is_copied_and_lets_a_new_person_in(visit: Visit) -> None:
    owner = visit("owner", "/workspaces/", permissions=["clipboard-read", "clipboard-write"])
    owner.get_by_role("link", name="Scriptorium").last.click()
    owner.locator("#invite").get_by_label("Email").fill("claire@example.org")
    owner.get_by_role("button", name="Make an invitation").click()
    owner.get_by_role("button", name="Copy it").click()
    expect(owner.get_by_text("Copied.")).to_be_visible()
    link = owner.evaluate("navigator.clipboard.readText()")
    assert "/invitations/" in link

    guest = visit("nobody", link, width=390, locale="fr-FR")
    expect(guest.get_by_role("heading", level=1)).to_contain_text("Scriptorium")
    guest.get_by_label("Identifiant").fill("claire")
    guest.get_by_label("Mot de passe").fill("un long secret")
    guest.get_by_role("button", name="Créer le compte et entrer").click()
    guest.wait_for_url(re.compile(r":\d+/$"))
    expect(guest.locator("html")).to_have_attribute("lang", "fr")
    owner.reload()
    expect(owner.locator("#members")).to_contain_text("claire@example.org")


def test_the_workspace_is_changed_by_keyboard(visit: Visit) -> None:
    page = visit("owner", "/workspaces/")
    page.get_by_label("Name").fill("Reading room")
    page.keyboard.press("Enter")
    here = page.locator(".here")
    expect(here).to_contain_text("Reading room")
    here.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#switch")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#switch")).to_be_hidden()
    expect(here).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("#switch").get_by_role("button", name="Scriptorium").first.click()
    expect(page.locator(".here")).to_contain_text("Scriptorium")


def test_without_scripts_everything_is_still_a_form(visit: Visit) -> None:
    page = visit("stranger", "/profile/", java_script_enabled=False)
    page.get_by_label("Study level").fill("adult beginner")
    page.locator("#about").get_by_role("button", name="Save").click()
    expect(page.locator("#about").get_by_role("status")).to_have_text("Saved.")
    page.get_by_label("What it is for").fill("laptop")
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator("#secret")).to_have_value(re.compile("^scr_"))


@pytest.fixture
def keeper(house: Stack) -> Iterator[str]:
    """One of the people, who keeps the house for the time of a test."""
    rise = "UPDATE memory_user SET is_staff = %s, is_superuser = %s WHERE username = 'stranger'"
    with house.sql() as sql:
        sql.execute(rise, [True, True])
    yield "stranger"
    with house.sql() as sql:
        sql.execute(rise, [False, False])


def test_the_pages_of_staff_keep_their_policy(visit: Visit, house: Stack, keeper: str) -> None:
    """`visit` itself fails on what breaks it. Drawn: the menu, lists, the time line; done: a menu that opens."""
    with house.sql() as sql:
        until_settled(sql, [house.begin()])
    page = visit(keeper, "/admin/generation/run/")
    page.locator("#result_list a[href*='/change/']").first.click()
    expect(page.get_by_role("heading", name="Time line")).to_be_visible()
    expect(page.locator(".story .took").first).to_be_visible()
    assert background(page, ".story .took") != background(page, ".story .all")
    for path in ("", "generation/document/", "memory/user/add/", "memory/workspace/", "rq/"):
        assert page.goto(f"/admin/{path}")
        expect(page.get_by_role("link", name="Runs").first).to_be_visible()
    page.get_by_text(keeper, exact=True).click()
    expect(page.get_by_text("Log out")).to_be_visible()


def background(page: Page, selector: str) -> str:
    return str(page.locator(selector).first.evaluate("each => getComputedStyle(each).fill"))
