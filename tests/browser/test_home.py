"""Home, a new text, the queue and the dock in a real browser: what only a browser shows."""

import re

import httpx
from playwright.sync_api import Page, expect

from tests.browser.conftest import QUICKLY, SLOWLY, Visit
from tests.chaos.stack import Stack

DROP = """([target, name, type, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type }));
  for (const kind of ["dragenter", "dragover", "drop"])
    target.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
# What the browser is asked to show: it has no screen here to show it on.
# The desk on which a message would be laid: a browser without windows has none, and refuses for it.
DESK = """
window.notes = [];
window.Notification = class {
  static permission = "default";
  static async requestPermission() { return (this.permission = "granted"); }
  constructor(title, how) { window.notes.push([title, how.body]); }
};
"""
COURSE = "A flash course in two chapters on what is kept, 2 exercises, 4 questions."


def drop(page: Page, name: str, text: str, type: str = "text/plain") -> None:
    target = page.locator("#brief").element_handle()
    page.evaluate(DROP, [target, name, type, text])


def begin(page: Page, brief: str = COURSE) -> None:
    page.goto("/new/course/")
    page.fill("#brief", brief)
    page.click("button.first")
    page.wait_for_url("**/documents/**")


def test_the_first_course_is_one_click_from_an_empty_workspace(visit: Visit) -> None:
    page = visit("stranger")
    expect(page.get_by_text("Nothing is written here yet.")).to_be_visible()
    page.get_by_role("button", name="Write a first course from this sample").click()
    page.wait_for_url("**/documents/**")
    page.goto("/")
    expect(page.locator("#running [data-run], #documents .entry")).to_have_count(1)


def test_a_row_is_no_taller_for_what_its_folded_menu_holds(visit: Visit, house: Stack) -> None:
    headers = {"Authorization": f"Bearer {house.secrets['owner']}"}
    body = {"kind": "note", "title": "SQL", "fields": {}}
    httpx.post(f"{house.url}/api/v1/documents", json=body, headers=headers).raise_for_status()
    row = visit("owner").locator("#documents .entry", has_text="SQL").first
    assert row.evaluate("row => row.offsetHeight") < 70


def test_files_are_dropped_named_refused_and_taken_back(visit: Visit, wrong: list[str]) -> None:
    page = visit("owner", "/new/course/")
    drop(page, "notes.md", "# Loops")
    drop(page, "notes.exe", "MZ")
    expect(page.locator('#chips [name="files"]')).to_have_count(1)
    expect(page.locator('#chips [data-state="failed"]')).to_contain_text("notes.exe")
    wrong.clear()  # the browser notes the refusal
    page.locator("#chips [name=drop]").click()
    expect(page.locator('#chips [name="files"]')).to_have_count(0)
    expect(page.locator("#upload")).to_be_focused()
    drop(page, "again.txt", "Loops repeat.")
    page.fill("#brief", COURSE)
    page.click("button.first")
    page.wait_for_url("**/documents/**")


def test_a_draft_is_kept_until_it_is_sent(visit: Visit) -> None:
    page = visit("owner", "/new/course/")
    page.fill("#brief", "A course that is not finished being thought")
    page.goto("/queue/")
    page.goto("/new/course/")
    expect(page.locator("#brief")).to_have_value("A course that is not finished being thought")
    page.click("button.first")
    page.wait_for_url("**/documents/**")
    page.goto("/new/course/")
    expect(page.locator("#brief")).to_have_value("")


def test_the_same_form_sent_twice_is_one_document(visit: Visit) -> None:
    page = visit("owner", "/new/course/")
    page.fill("#brief", COURSE + " Twice.")
    body = "new URLSearchParams(new FormData(document.querySelector('form.ask-for')))"
    send = f"fetch('/new/course/', {{method: 'POST', body: {body}}}).then(answer => answer.url)"
    one, other = page.evaluate(f"Promise.all([{send}, {send}])")
    assert one == other
    assert "/documents/" in one


def test_the_estimate_follows_the_options(visit: Visit) -> None:
    page = visit("owner", "/new/course/")
    before = page.locator("#estimate").inner_text()
    page.fill("[name=chapters]", "1")
    page.get_by_label("Flash").check()
    expect(page.locator("#estimate")).not_to_have_text(before)
    expect(page.locator("#estimate")).to_contain_text("7 to 10 calls")


def test_home_moves_while_a_text_is_written_and_keeps_the_focus(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    begin(visit("owner"), COURSE + " Moving.")
    page = visit("owner", "/")
    row = page.locator("#running [data-run]").first
    expect(row).to_be_visible()
    run = row.get_attribute("data-run")
    button = page.locator(f"#cancel-{run}")
    button.focus()
    house.model(first_token_ms=20, tokens_per_second=200)
    expect(page.locator(f"#run-{run} progress")).not_to_have_attribute("value", "0")
    expect(button).to_be_focused()
    expect(page).to_have_title(re.compile("^✎ "))
    house.model(**QUICKLY)
    expect(page.locator(f"#run-{run}")).to_have_count(0)
    expect(page.locator("#documents .entry").first).to_be_visible()


def test_a_run_is_stopped_in_one_tab_and_seen_in_the_dock_of_another(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    begin(visit("owner"), COURSE + " Stopped.")
    queue, other = visit("owner", "/queue/"), visit("owner", "/profile/")
    other.locator(".dock-handle").click()
    mine = other.locator("#dock-runs [data-open]").first
    expect(mine).to_contain_text("Stop")
    run = mine.get_attribute("data-run")
    queue.locator(f"#cancel-{run}").click()
    expect(queue.locator(f"#queue-ended #run-{run}")).to_contain_text("Stopped")
    expect(other.locator(f"#dock-run-{run}")).to_contain_text("Stopped")
    queue.locator(f"#retry-{run}").click()
    expect(queue.locator(f"#run-{run} [id^=retry]")).to_have_count(0)
    house.model(**QUICKLY)


def test_the_end_is_told_to_who_asked_for_it(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    begin(visit("teammate"), COURSE + " Told.")
    page = visit("teammate", "/queue/")
    page.add_init_script(DESK)
    page.reload()
    page.locator("[data-tell]").click()
    expect(page.locator("[data-tell]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#queue-running [data-run]").first).to_be_visible()
    house.model(**QUICKLY)
    expect(page.locator("#queue [data-open]")).to_have_count(0)
    page.wait_for_timeout(2_000)  # the dock looks once a second
    assert [body for _, body in page.evaluate("window.notes")] == [
        page.locator("#queue-ended .mark").first.inner_text()
    ]


def test_what_cannot_be_done_is_told_where_one_looks(visit: Visit, house: Stack, wrong: list[str]) -> None:
    house.model(**SLOWLY)
    begin(visit("owner"), COURSE + " Ended meanwhile.")
    page = visit("owner", "/queue/")
    button = page.locator("#queue-running [id^=cancel-], #queue-waiting [id^=cancel-]").first
    address = button.evaluate("button => button.form.getAttribute('hx-post')")
    page.evaluate(f"htmx.ajax('POST', '{address.replace('cancel', 'retry')}', {{ swap: 'none' }})")
    notice = page.locator("#told .notice")
    expect(notice).to_contain_text("The run has not ended yet.")
    expect(notice).to_be_in_viewport()
    notice.get_by_role("button").click()
    expect(notice).to_have_count(0)
    wrong.clear()  # the browser notes the refusal
    house.model(**QUICKLY)


def test_the_dock_stays_open_from_page_to_page_but_not_on_a_phone(visit: Visit) -> None:
    page = visit("owner")
    page.locator(".dock-handle").click()
    page.goto("/queue/")
    expect(page.locator("#dock")).to_be_visible()
    expect(page.locator("#dock :focus")).to_have_count(0)  # nobody opened it here: it takes no focus
    phone = visit("teammate", width=390)
    phone.locator(".dock-handle").click()
    expect(phone.locator(".leaf")).to_have_js_property("inert", True)
    phone.goto("/queue/")
    expect(phone.locator("#dock")).to_be_hidden()
    expect(phone.locator(".leaf")).to_have_js_property("inert", False)


def test_a_cut_is_told_after_a_while_and_what_was_missed_comes_after_it(
    visit: Visit, house: Stack, wrong: list[str]
) -> None:
    house.model(**SLOWLY)
    page, other = visit("owner", "/queue/"), visit("teammate", "/queue/")
    expect(page.locator("#connection")).to_be_hidden()
    page.context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('offline'))")
    expect(page.locator("#connection")).to_be_visible()
    house.begin(brief="Two sections on a cut.")
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_be_hidden()
    expect(page.locator("#queue [data-open]").first).to_be_visible()
    expect(other.locator("#connection")).to_be_hidden()
    wrong.clear()  # the browser notes each try


def test_search_keeps_the_focus_and_finds_without_accents(visit: Visit, house: Stack) -> None:
    bearer = {"Authorization": f"Bearer {house.secrets['owner']}"}
    made = {"kind": "note", "title": "L’été à Évian"}
    httpx.post(f"{house.url}/api/v1/documents", json=made, headers=bearer).raise_for_status()
    page = visit("owner", "/?q=x")
    page.fill("#q", "")
    page.locator("#q").press_sequentially("ete evian")
    expect(page.locator("#documents .entry-title").first).to_have_text("L’été à Évian")
    expect(page.locator("#q")).to_be_focused()


def test_no_page_is_wider_than_a_phone(visit: Visit, house: Stack) -> None:
    for path in ("/", "/new/course/", "/queue/", "/bin/"):
        page = visit("owner", path, width=390)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_everything_works_without_script(visit: Visit) -> None:
    page = visit("teammate", "/new/course/", java_script_enabled=False)
    page.fill("#brief", COURSE + " By hand.")
    page.set_input_files("#upload", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Loops repeat."})
    page.click("button.first")
    page.wait_for_url("**/documents/**")
    page.goto("/queue/")
    page.locator("[id^=cancel-], [id^=retry-]").first.click()
    page.wait_for_url("**/queue/")
