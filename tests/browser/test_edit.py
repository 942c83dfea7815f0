"""Changing a document before a browser: in place, by keyboard, two at once, undone and redone; nothing is lost."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.notes import Note, open_form, section

REFUSED = re.compile("(status of|Status Error Code) 409")
Api = Callable[..., Any]


def forgive(wrong: list[str]) -> None:
    """A refusal is told as one, and the browser notes it."""
    assert [each for each in wrong if not REFUSED.search(each)] == []
    wrong.clear()


def test_a_section_is_edited_in_place_undone_and_redone(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    text = open_form(page, note)
    text.fill("One **two** three.")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview strong")).to_have_text("two")
    page.get_by_role("button", name="Save").click()
    expect(section(page, note).locator(".prose strong")).to_have_text("two")
    expect(page.locator(f"#edit-{note.section}")).to_be_focused()
    bar = page.locator(".undo-bar")
    expect(bar).to_contain_text("You changed: section 1, text.")
    bar.get_by_role("button", name="Undo").click()
    expect(section(page, note)).to_contain_text("One two three four five.")
    expect(bar.get_by_role("button", name="Redo")).to_be_focused()
    bar.get_by_role("button", name="Redo").click()
    expect(section(page, note).locator(".prose strong")).to_have_text("two")
    bar.get_by_role("button", name="Close").click()
    expect(bar).to_have_count(0)
    page.reload()
    page.wait_for_load_state("networkidle")
    expect(bar).to_have_count(0)


def test_it_is_edited_by_keyboard_alone(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    page.locator(f"#edit-{note.section}").focus()
    page.keyboard.press("Enter")
    text = page.locator("textarea[name=content]")
    expect(text).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.type(" Six.")
    page.keyboard.press("Control+Enter")
    expect(section(page, note)).to_contain_text("five. Six.")
    expect(page.locator(f"#edit-{note.section}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(text).to_be_focused()
    page.keyboard.press("Escape")
    expect(text).to_have_count(0)
    expect(page.locator(f"#edit-{note.section}")).to_be_focused()
    assert note.content == "One two three four five. Six."


def test_what_was_typed_and_not_saved_is_offered_again(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    open_form(page, note).fill("Not yet saved.")
    page.keyboard.press("Escape")
    expect(section(page, note)).to_contain_text("One two three")
    page.reload()
    text = open_form(page, note)
    expect(text).to_have_value("One two three four five.")
    page.keyboard.press("Escape")  # not decided: it is offered once more
    expect(text).to_have_count(0)
    open_form(page, note)
    page.get_by_role("button", name="Take it up again").click()
    expect(text).to_have_value("Not yet saved.")
    page.close()  # with the form open
    page = visit("owner", note.path)
    open_form(page, note)
    expect(page.get_by_text("not saved it")).to_be_visible()
    page.get_by_role("button", name="Throw it away").click()
    page.keyboard.press("Escape")
    page.locator(f"#edit-{note.section}").click()
    expect(page.locator("textarea[name=content]")).to_be_visible()
    expect(page.get_by_text("not saved it")).to_be_hidden()


def test_two_people_write_at_once_and_both_stand_in_what_is_saved(visit: Visit, note: Note, wrong: list[str]) -> None:
    mine, theirs = visit("owner", note.path), visit("teammate", note.path)
    open_form(mine, note).fill("One two three four FIVE.")
    open_form(theirs, note).fill("One TWO three four five.")
    theirs.get_by_role("button", name="Save").click()
    expect(section(theirs, note)).to_contain_text("TWO")
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_text("Somebody else saved this")).to_be_visible()
    expect(mine.locator(".clash ins")).to_have_text(["TWO", "FIVE"])
    expect(mine.locator("textarea[name=content]")).to_have_value("One TWO three four FIVE.")
    mine.get_by_role("button", name="Save").click()
    expect(mine.locator(".clash")).to_have_count(0)
    expect(section(mine, note)).to_contain_text("One TWO three four FIVE.")
    assert note.content == "One TWO three four FIVE."
    forgive(wrong)


def test_what_another_changes_never_takes_the_place_of_what_one_types(
    visit: Visit, note: Note, wrong: list[str]
) -> None:
    page = visit("owner", note.path)
    text = open_form(page, note)
    text.fill("Mine.")
    version = note.write(content="Theirs.")["objects"][0]["version"]
    heard = {"objects": [{"type": "section", "id": note.section, "version": version}]}
    page.evaluate("heard => htmx.trigger(document.body, 'changed', heard)", heard)
    expect(page.get_by_text("Somebody has changed this while you write.")).to_be_visible()
    expect(text).to_have_value("Mine.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Somebody else saved this")).to_be_visible()
    forgive(wrong)


def test_what_another_changes_shows_on_an_open_page_and_in_its_bar(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    version = note.write(content="Theirs.")["objects"][0]["version"]
    heard = {"objects": [{"type": "section", "id": note.section, "version": version}]}
    page.evaluate("heard => htmx.trigger(document.body, 'changed', heard)", heard)
    expect(section(page, note)).to_contain_text("Theirs.")
    expect(page.locator(".undo-bar")).to_contain_text("teammate changed: section 1, text.")


def test_undo_in_the_middle_and_a_refused_one_with_its_next_step(visit: Visit, note: Note, wrong: list[str]) -> None:
    first = note.write(content="Two.")["changes"][0]
    note.write(title="Wherefore")
    page = visit("owner", f"{note.path}history/")
    page.locator(f"#back-{first}").click()
    expect(page.locator(f"#change-{first}")).to_contain_text("Undone by owner")
    expect(page.locator(f"#back-{first}")).to_be_focused()
    assert note.content == "One two three four five."
    page.locator(f"#back-{first}").click()  # redo
    expect(page.locator(f"#change-{first}")).not_to_contain_text("Undone by")
    assert note.content == "Two."
    later = note.write(content="Three.")["changes"][0]
    page.locator(f"#back-{first}").click()
    refusal = page.locator(f"#refused-{first}")
    expect(refusal).to_contain_text("teammate changed this later")
    expect(refusal.locator("ins")).to_have_text(["Two.", "Three."])
    assert note.content == "Three."
    refusal.get_by_role("button", name="Undo the later change first").click()
    expect(page.locator(f"#change-{later}")).to_contain_text("Undone by owner")
    assert note.content == "Two."
    forgive(wrong)


def test_what_a_machine_proposes_is_accepted_where_it_stands(visit: Visit, note: Note) -> None:
    run = note.send("POST", "runs", {"kind": "note", "brief": "Two sections on loops."})
    note.until_ended(run["id"])
    written = note.send("GET", f"documents/{run['document']}")["sections"][0]["id"]
    note.send("PATCH", f"sections/{written}", {"fields": {"content": "By hand."}})
    note.send("POST", f"sections/{written}/lock")
    note.until_ended(note.send("POST", f"sections/{written}/retry")["id"])
    page = visit("owner", f"/documents/{run['document']}/")
    shown = page.locator(f"#section-{written}")
    expect(shown.locator(".proposal del").first).to_contain_text("By hand.")
    viewer = visit("viewer", f"/documents/{run['document']}/")
    expect(viewer.locator(".proposal ins").first).to_be_visible()
    expect(viewer.get_by_role("button", name="Accept")).to_have_count(0)
    shown.get_by_role("button", name="Accept").click()
    expect(shown.locator(".proposal")).to_have_count(0)
    expect(shown).not_to_contain_text("By hand.")
    page.goto(f"/documents/{run['document']}/history/?proposals=all")
    expect(page.locator("main")).to_contain_text("Accepted, owner")


def test_the_menu_of_a_section_locks_moves_and_removes(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    menu = section(page, note).locator("details.tools")
    section(page, note).hover()
    menu.locator("summary").click()
    menu.get_by_role("button", name="Lock against machines").click()
    expect(menu.locator("button")).to_have_count(0)
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    expect(menu.get_by_role("button", name="Unlock")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("button", name="Unlock")).to_be_hidden()
    menu.locator("summary").click()
    menu.get_by_role("button", name="Move down").click()
    expect(page.locator(".section h2")).to_have_text(["What for", "Why"])
    section(page, note).hover()
    menu.locator("summary").click()
    menu.get_by_role("button", name="Remove this section").click()
    expect(page.locator(".section h2")).to_have_text(["What for"])
    expect(page.locator(".undo-bar")).to_contain_text("removed")
    page.locator(".undo-bar").get_by_role("button", name="Undo").click()
    expect(page.locator(".section h2")).to_have_text(["What for", "Why"])
    section(page, note).hover()
    menu.locator("summary").click()  # what came back is as good as what was there
    expect(menu.get_by_role("button", name="Remove this section")).to_be_visible()


def test_undo_is_done_though_the_bar_is_being_told_again(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    note.write("owner", content="Another text.")
    bar = page.locator(".undo-bar")
    expect(bar).to_contain_text("You changed: section 1, text.")
    held: list[Route] = []
    page.route("**/last-change/", lambda route: held.append(route), times=1)  # noqa: PLW0108 - it marks what it is given
    with page.expect_request("**/last-change/"):
        page.evaluate("htmx.trigger(document.body, 'changed')")
    page.evaluate("htmx.trigger(document.body, 'changed')")
    bar.get_by_role("button", name="Undo").click()
    expect(section(page, note)).to_contain_text("One two three four five.")
    for route in held:
        route.continue_()
    expect(bar.get_by_role("button", name="Redo")).to_be_focused()


def test_a_save_is_not_held_up_by_a_preview(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    text = open_form(page, note)
    text.fill("Kept.")
    page.route("**/preview/", lambda route: None)
    with page.expect_request("**/preview/"):
        page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Save").click()
    expect(section(page, note).locator(".prose")).to_have_text("Kept.")


def test_a_section_that_comes_first_is_shown_and_can_be_used(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    first = note.add("At first", "New.")
    expect(page.locator(".section h2")).to_have_text(["At first", "Why", "What for"])
    menu = page.locator(f"#section-{first} details.tools")
    page.locator(f"#section-{first}").hover()
    menu.locator("summary").click()
    expect(menu.get_by_role("button", name="Remove this section")).to_be_visible()


def test_a_viewer_reads_and_finds_nothing_to_press(visit: Visit, note: Note) -> None:
    note.write(content="Two.")
    page = visit("viewer", f"{note.path}history/")
    expect(page.locator(".change ins").first).to_be_visible()
    expect(page.locator("main button")).to_have_count(0)
    page.goto(note.path)
    expect(page.locator(".undo-bar")).to_contain_text("teammate changed")
    expect(page.locator(".undo-bar form")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_changes_are_for_everybody(visit: Visit, note: Note, wrong: list[str], scheme: str) -> None:
    first = note.write(content="Two.")["changes"][0]
    note.write(content="Three.")
    page = visit("teammate", f"{note.path}history/", color_scheme=scheme)
    page.locator(f"#back-{first}").click()
    expect(page.locator(f"#refused-{first}")).to_contain_text("Not undone")
    found = {"refused": violations(page)}
    for path in (f"sections/{note.section}/edit/", f"sections/{note.section}/tools/", f"documents/{note.id}/edit/"):
        page.goto(f"/{path}")
        found[path] = violations(page)
    page.goto(note.path)
    expect(page.locator(".undo-bar")).to_be_visible()
    open_form(page, note).fill("Mine.")
    note.write("owner", content="Theirs.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".clash")).to_be_visible()
    expect(page.locator(".undo-bar")).to_contain_text("owner changed")
    found["merge"] = violations(page)
    assert {place: each for place, each in found.items() if each} == {}
    forgive(wrong)


@pytest.mark.parametrize("javascript", [False])
def test_without_a_script_every_form_works(visit: Visit, note: Note, javascript: bool) -> None:
    page = visit("teammate", f"/sections/{note.section}/edit/", java_script_enabled=javascript)
    page.fill("textarea[name=content]", "Without a script.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(f"#section-{note.section}")).to_contain_text("Without a script.")
    page.goto(f"{note.path}history/")
    page.locator(".change").first.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text("History")
    assert note.content == "One two three four five."
