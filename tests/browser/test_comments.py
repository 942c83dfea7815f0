"""What people say about a document before a browser: on a section or its words, live, by keyboard, without a script."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.notes import Note, section
from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack


def open_comments(page: Page) -> Locator:
    """The dock's third tab."""
    if page.locator("#dock").is_hidden():
        page.locator(".dock-handle").click()
    page.locator("#dock-tab-comments").click()
    expect(page.locator("#threads")).to_be_visible()
    return page.locator("#threads")


def begin(note: Note, by: str = "owner", **said: str) -> str:
    return str(note.send("POST", f"documents/{note.id}/threads", {"text": "Why?", **said}, by)["id"])


def mark(page: Page, id: str) -> Locator:
    return page.locator(f"#comments-{id}")


def marked(page: Page) -> str:
    return str(page.evaluate("[...(CSS.highlights.get('commented') ?? [])].join()"))


def test_a_section_is_commented_on_and_the_answer_appears_by_itself(visit: Visit, note: Note) -> None:
    mine, theirs = visit("owner", note.path), visit("teammate", note.path)
    section(mine, note).hover()
    mark(mine, note.section).click()
    text = mine.locator("#new-comment")
    expect(text).to_be_focused()
    text.fill("Why so dull?")
    mine.keyboard.press("Control+Enter")
    expect(mine.locator("#threads .words")).to_have_text("Why so dull?")
    expect(mine.locator("#new-comment")).to_have_value("")
    for page in (mine, theirs):
        expect(mark(page, note.section)).to_have_text("1 comment")
    mark(theirs, note.section).click()
    thread = theirs.locator("#threads .comment")
    thread.locator("summary", has_text="Reply").click()
    thread.locator("textarea").first.fill("To make a point.")
    thread.get_by_role("button", name="Reply").click()
    expect(theirs.locator("#threads .words")).to_have_text(["Why so dull?", "To make a point."])
    expect(mine.locator("#threads .words")).to_have_text(["Why so dull?", "To make a point."])
    expect(mine.locator("#threads .comment")).to_have_count(1)


def test_words_are_quoted_marked_and_missed_when_they_are_gone(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    page.evaluate(
        """id => {
            const words = document.querySelector(`#body-${id} p`).firstChild;
            getSelection().setBaseAndExtent(words, 4, words, 13);
        }""",
        note.section,
    )
    page.locator("#quote-this").click()
    expect(page.locator("[data-quoted] q")).to_have_text("two three")
    expect(page.locator("#new-comment")).to_be_focused()
    page.keyboard.type("Only these?")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator("#threads q")).to_have_text("two three")
    wait_until(lambda: marked(page) == "two three", "words that are marked")
    assert violations(page) == []
    note.write(content="Four five.")
    expect(page.locator("#threads")).to_contain_text("The text has changed since.")
    wait_until(lambda: marked(page) == "", "no words that are marked")
    page.locator("#threads a[data-goto]").click()
    expect(section(page, note)).to_be_focused()


def test_a_quote_is_taken_back(visit: Visit, note: Note) -> None:
    page = visit("owner", f"{note.path}comments/?section={note.section}&quote=two+three")
    expect(page.locator("[data-quoted] q")).to_have_text("two three")
    page.get_by_role("button", name="Without these words").click()
    page.locator("#new-comment").fill("All of it.")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator("#threads .words")).to_have_text("All of it.")
    expect(page.locator("#threads q")).to_have_count(0)


def test_a_member_is_named_by_keyboard_and_sees_a_number_until_they_look(visit: Visit, note: Note) -> None:
    theirs = visit("teammate", "/")
    theirs.locator(".dock-handle").click()
    page = visit("owner", note.path)
    open_comments(page)
    text = page.locator("#new-comment")
    text.press_sequentially("Look, @")
    offered = page.locator("#members-offered [role=option]")
    expect(offered).to_have_text(["owner", "teammate", "viewer"])
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(offered).to_have_count(0)
    expect(page.locator("#dock")).to_be_visible()
    page.keyboard.type("t")
    expect(offered).to_have_text(["teammate"])
    page.keyboard.press("Backspace")
    expect(offered).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(text).to_have_value("Look, @teammate ")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#threads .name")).to_have_text("@teammate")
    number = theirs.locator("#dock-tab-comments sup")
    expect(number).to_have_text("1")
    open_comments(theirs)
    expect(theirs.locator("#threads .comment")).to_contain_text("New")
    expect(number).to_have_text("")
    theirs.reload()
    expect(theirs.locator("#dock")).to_be_visible()
    expect(theirs.locator("#dock-tab-comments sup")).to_have_text("")


def test_it_is_assigned_closed_and_opened_again(visit: Visit, note: Note) -> None:
    begin(note, "teammate")
    page = visit("owner", note.path)
    thread = open_comments(page).locator(".comment")
    thread.locator("summary", has_text="Assign").click()
    thread.locator("select").select_option("teammate")
    thread.get_by_role("button", name="Assign").click()
    expect(thread).to_contain_text("For teammate")
    thread.get_by_role("button", name="Close").click()
    expect(page.locator("#threads")).to_contain_text("No comment yet.")
    expect(mark(page, note.id)).to_have_text("Comment")
    page.locator("#comments .which").get_by_role("link", name="Closed").click()
    expect(thread).to_contain_text("Closed by owner")
    thread.get_by_role("button", name="Open again").click()
    expect(page.locator("#threads")).to_contain_text("Nothing is closed.")
    page.locator("#comments .which").get_by_role("link", name="All").click()
    expect(thread).to_contain_text("For teammate")


def test_what_one_said_is_changed_and_deleted(visit: Visit, note: Note) -> None:
    begin(note)
    page = visit("owner", note.path)
    thread = open_comments(page).locator(".comment")
    thread.hover()
    thread.locator(".edit-of summary").click()
    thread.locator(".edit-of textarea").fill("Why not?")
    thread.get_by_role("button", name="Save").click()
    expect(thread.locator(".words")).to_have_text("Why not?")
    expect(thread).to_contain_text("edited")
    thread.hover()
    thread.get_by_role("button", name="Delete this comment").click()
    expect(thread).to_have_count(0)


def test_what_is_typed_stays_while_others_write(visit: Visit, note: Note) -> None:
    begun = begin(note)
    page = visit("owner", note.path)
    threads = open_comments(page)
    threads.locator("summary", has_text="Reply").click()
    threads.locator(f"#reply-text-{begun}").fill("Half a")
    page.locator("#new-comment").fill("Another")
    note.send("POST", f"threads/{begun}/comments", {"text": "Because."}, "teammate")
    expect(threads).to_contain_text("Because.")
    expect(threads.locator(f"#reply-text-{begun}")).to_have_value("Half a")
    mark(page, note.id).click()
    expect(page.locator("#new-comment")).to_have_value("Another")


def test_a_comment_pressed_twice_is_written_once(visit: Visit, note: Note) -> None:
    page = visit("owner", note.path)
    open_comments(page)
    page.locator("#new-comment").fill("Once")
    page.get_by_role("button", name="Comment", exact=True).dblclick()
    expect(page.locator("#threads .comment")).to_have_count(1)
    assert len(note.send("GET", f"documents/{note.id}/threads")["items"]) == 1


def test_what_cannot_be_reached_is_told_and_asked_for_again(visit: Visit, note: Note, wrong: list[str]) -> None:
    begin(note)
    page = visit("owner", note.path)
    page.route("**/comments/*", lambda route: route.abort())
    page.locator(".dock-handle").click()
    page.locator("#dock-tab-comments").click()
    expect(page.locator("#told")).to_contain_text("did not reach the server")
    page.unroute("**/comments/*")
    page.locator("#dock-tab-queue").click()
    page.locator("#dock-tab-comments").click()
    expect(page.locator("#threads .words")).to_have_text("Why?")
    wrong.clear()


def test_a_viewer_reads_and_writes_nothing(visit: Visit, note: Note) -> None:
    begin(note, section=note.section)
    page = visit("viewer", note.path)
    mark(page, note.section).click()
    expect(page.locator("#threads .words")).to_have_text("Why?")
    expect(page.locator("#new-comment")).to_have_count(0)
    expect(page.locator("#threads button, #threads summary")).to_have_count(0)
    expect(mark(page, note.second)).to_have_count(0)


def test_on_a_phone_it_is_the_whole_page_and_leads_back_to_the_text(visit: Visit, note: Note) -> None:
    begin(note, section=note.section, quote="two three")
    page = visit("teammate", note.path, width=390, height=844, color_scheme="dark", has_touch=True)
    mark(page, note.section).tap()
    expect(page.locator("#threads .comment")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert violations(page) == []
    page.locator("#threads a[data-goto]").tap()
    expect(page.locator("#dock")).to_be_hidden()
    expect(section(page, note)).to_be_in_viewport()


def test_without_a_script_it_is_forms(visit: Visit, note: Note, house: Stack) -> None:
    visit("owner", "/")
    page = visit("teammate", note.path, java_script_enabled=False)
    mark(page, note.section).click(force=True)
    page.locator("#new-comment").fill("Why, @owner?")
    page.locator("#new-comment-field").select_option("content")
    page.locator("#new-comment-assignee").select_option("owner")
    page.get_by_role("button", name="Comment", exact=True).click()
    thread = page.locator("#threads .comment")
    expect(thread).to_contain_text(re.compile("Section 1.*text.*For owner", re.DOTALL))
    thread.locator("summary", has_text="Reply").click()
    thread.locator("textarea[id^=reply]").fill("Look")
    thread.get_by_role("button", name="Reply").click()
    expect(page.locator("#threads .words")).to_have_text(["Why, @owner?", "Look"])
    page.locator("#threads summary", has_text="Assign").click()
    page.get_by_role("link", name="Choose a member").click()
    page.get_by_role("combobox").select_option("teammate")
    page.get_by_role("button", name="Assign").click()
    expect(page.locator("#threads")).to_contain_text("For teammate")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#threads")).to_contain_text("Closed by teammate")
