"""Something goes wrong on the way, or people are quicker than it: nothing is lost, done twice, or stuck."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import QUICKLY, SLOWLY, Visit
from tests.browser.notes import Note, open_form, section
from tests.browser.test_home import COURSE, begin, drop
from tests.chaos.stack import Stack

LONG = "A line that is as long as lines of books are, more or less. " * 700  # two of these fill a page
NOT_REACHED = "This did not reach the server"


def broken_proxy(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<title>502</title><h1>502 Bad Gateway</h1>")


def no_network(route: Route) -> None:
    route.abort()


@pytest.mark.parametrize("what", [broken_proxy, no_network])
def test_what_does_not_reach_the_server_is_told_and_stays_as_it_was(
    visit: Visit, note: Note, wrong: list[str], what: Callable[[Route], None]
) -> None:
    page = visit("owner", note.path)
    open_form(page, note).fill("Not to be lost.")
    page.route("**/edit/", what)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#told")).to_contain_text(NOT_REACHED)
    expect(page.locator("textarea[name=content]")).to_have_value("Not to be lost.")
    expect(page).to_have_title(re.compile("Loops"))
    page.unroute("**/edit/")
    page.get_by_role("button", name="Save").click()
    expect(section(page, note)).to_contain_text("Not to be lost.")
    expect(page.locator("#told")).to_be_empty()
    wrong.clear()


def test_what_is_pressed_twice_is_done_once(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    section(page, note).hover()
    section(page, note).locator("details.tools summary").click()
    add = section(page, note).get_by_role("button", name=re.compile("Add after this"))
    box = add.bounding_box()
    assert box
    held: list[Route] = []
    page.route("**/sections/", lambda route: held.append(route))  # noqa: PLW0108 Playwright wants a function of its own
    for _ in range(2):  # the server is slow
        page.mouse.click(box["x"] + 5, box["y"] + 5)
        page.wait_for_timeout(300)
    assert len(held) == 1
    held[0].continue_()
    expect(page.locator("form[data-edit]")).to_be_visible()
    assert len(note.send("GET", f"documents/{note.id}")["sections"]) == 3


def test_the_menu_has_its_commands_after_somebody_changed_the_section(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    menu = section(page, note).locator("details.tools")
    section(page, note).hover()
    menu.locator("summary").click()
    expect(menu.get_by_role("button", name="Move down")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("#main").focus()
    note.write(content="Theirs.")
    expect(section(page, note)).to_contain_text("Theirs.")
    section(page, note).hover()
    menu.locator("summary").click()
    expect(menu.get_by_role("button", name="Move down")).to_be_visible()


def test_a_form_that_was_put_away_holds_nothing_up(visit: Visit, house: Stack) -> None:
    page = visit("owner")
    sent = {"Authorization": f"Bearer {house.secrets['owner']}"}
    course = page.request.post(
        f"{house.url}/api/v1/documents", data={"kind": "course", "title": "Loops"}, headers=sent
    ).json()["id"]
    page.goto(f"/documents/{course}/")
    act = page.locator("#outline details.act").first
    act.locator("summary").click()
    act.locator("textarea, input[type=text]").first.fill("Half")
    act.locator("summary").click()
    page.locator("#main").focus()
    chapter = {"type": "chapter", "fields": {"title": "Repeat"}}
    page.request.post(f"{house.url}/api/v1/documents/{course}/sections", data=chapter, headers=sent)
    expect(page.locator("#outline")).to_contain_text("Repeat")


def test_a_page_that_begins_in_the_middle_leads_to_the_beginning(visit: Visit, note: Note) -> None:
    note.write(content=LONG)
    note.send("PATCH", f"sections/{note.second}", {"fields": {"content": LONG}})
    page = visit("teammate", f"{note.path}?from={note.second}")
    link = page.locator("#outline a", has_text="Why")
    expect(link).to_have_attribute("href", re.compile(r"^\?from="))
    note.send("PATCH", f"sections/{note.second}", {"fields": {"title": "Wherefore"}})
    expect(page.locator("#sections")).to_contain_text("Wherefore")  # the page was looked at again
    expect(link).to_have_attribute("href", re.compile(r"^\?from="))
    link.click()
    expect(section(page, note)).to_be_visible()


def test_what_the_way_on_led_to_is_removed_and_nothing_is_shown_twice(visit: Visit, note: Note) -> None:
    third = note.add("First", LONG)
    note.write(content=LONG)
    page = visit("teammate", note.path)
    expect(page.locator("#sections > section h2")).to_have_text(["First"])
    note.send("DELETE", f"sections/{note.section}")
    expect(page.locator("#outline")).not_to_contain_text("Why")
    page.locator("[data-more]").scroll_into_view_if_needed()
    expect(page.locator("#sections > section h2")).to_have_text(["First", "What for"])
    assert page.locator(f"#section-{third}").count() == 1


def test_a_text_does_not_begin_without_the_file_that_was_refused(visit: Visit, house: Stack, wrong: list[str]) -> None:
    page = visit("owner", "/new/course/")
    page.fill("#brief", COURSE + " With a file.")
    held: list[Route] = []
    page.route("**/files/", lambda route: held.append(route))  # noqa: PLW0108 Playwright wants a function of its own
    drop(page, "plan.txt", "Loops repeat.")
    page.wait_for_function("document.querySelector('#chips li')")
    page.click("button.first")
    page.wait_for_timeout(200)
    held[0].abort()
    expect(page.locator("#chips li[data-state=failed]")).to_be_visible()
    expect(page).to_have_url(re.compile("/new/course/"))
    wrong.clear()


def test_the_focus_stays_with_the_run_that_was_stopped(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    begin(visit("owner"), COURSE + " Stopped by keyboard.")
    page = visit("owner", "/queue/")
    row = page.locator("#queue-running [data-run]").first
    expect(row).to_be_visible()
    run = row.get_attribute("data-run")
    page.locator(f"#cancel-{run}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#queue-ended #run-{run}")).to_contain_text("Stopped")
    assert page.evaluate(f"document.getElementById('run-{run}').contains(document.activeElement)")


def test_a_run_moves_on_under_the_hand_that_may_stop_it(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    page = visit("owner")
    begin(page, COURSE + " Watched.")
    page.get_by_role("button", name="Stop").focus()
    house.model(**QUICKLY)
    expect(page.locator("#run [data-run]")).to_have_count(0)
    expect(page).to_have_title(re.compile("^(?!✎)"))
