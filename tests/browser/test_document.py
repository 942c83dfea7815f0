"""The page of a document while it is written: the same truth for whoever comes, leaves, comes back, or is cut off."""

import json
import re
import time
from typing import Any
from uuid import UUID

import httpx
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import QUICKLY, SLOWLY, Visit
from tests.browser.notes import Note
from tests.browser.test_diagrams import MERMAID
from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack
from tests.generation.exports.corpus import PAYLOADS
from tests.plans import planned

BODY = "#main:not([data-writing])"


SIDES = "مرحبا\n\n- أولا\n\n```sql\nSELECT " + ", ".join(f"column_{n}" for n in range(30)) + "\n```"


def document_of(house: Stack, run: UUID) -> str:
    with house.sql() as sql:
        row = sql.execute("SELECT document_id FROM generation_run WHERE id = %s", [run]).fetchone()
    assert row
    return str(row[0])


def begin(house: Stack, kind: str = "note", **facts: Any) -> tuple[UUID, str]:
    """A run and the address of its page."""
    run = house.begin(kind=kind, **facts)
    return run, f"/documents/{document_of(house, run)}/"


def is_ended(house: Stack, run: UUID) -> bool:
    return house.number("SELECT count(*) FROM generation_claim WHERE run_id = %s AND state <> 'running'"
                        " AND state <> 'queued' AND state <> 'waiting'", run) == 1  # fmt: skip


def contents(house: Stack, address: str) -> dict[str, str]:
    """What is recorded, by section."""
    with house.sql() as sql:
        rows = sql.execute(
            "SELECT id::text, fields->>'content' FROM generation_section WHERE document_id = %s AND present"
            " AND fields ? 'content'",
            [address.split("/")[2]],  # fmt: skip
        ).fetchall()
    return dict(rows)


def words(text: str) -> list[str]:
    """Without what Markdown adds: marks of emphasis, of lists, of headings."""
    return re.findall(r"[^\W_]+", text)


def is_whole(page: Page, house: Stack, address: str) -> bool:
    """Whether the page says exactly what is recorded, no word less and none twice."""
    recorded = contents(house, address)
    return bool(recorded) and all(
        words(page.locator(f"#body-{section}").text_content() or "") == words(text)
        or words(page.locator(f"#body-{section} .prose").first.text_content() or "") == words(text)
        for section, text in recorded.items()
    )


def watch_to_the_end(page: Page, house: Stack, run: UUID, address: str) -> None:
    house.model(**QUICKLY)
    wait_until(lambda: is_ended(house, run), "the run")
    expect(page.locator(BODY)).to_be_attached()
    expect(page.locator("[data-live]")).to_have_count(0)
    wait_until(lambda: is_whole(page, house, address), "the whole text")


def open_words(page: Page) -> int:
    return len(words(" ".join(page.locator("[data-live]").all_text_contents())))


def until_it_grows(page: Page) -> int:
    """Wait until text appears, and then more of it."""
    page.wait_for_selector("#sections [data-live] .wet")
    before = open_words(page)
    wait_until(lambda: open_words(page) > before + 5, "more words")
    return before


def test_a_note_is_watched_to_its_end(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    run, address = begin(house)
    page = visit("owner", address)
    until_it_grows(page)
    expect(page).to_have_title(re.compile("✎"))
    wait_until(lambda: page.locator("#sections [data-live]").count() > 1, "several parts at once")
    watch_to_the_end(page, house, run, address)
    expect(page).not_to_have_title(re.compile("✎"))
    seen = page.locator("#sections").inner_text()
    page.reload()
    assert page.locator("#sections").inner_text() == seen


def test_a_course_is_watched_to_its_end(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY, rules=[planned(2)])
    run, address = begin(house, kind="course")
    page = visit("owner", address)
    until_it_grows(page)
    watch_to_the_end(page, house, run, address)
    assert page.locator("#sections > section.chapter").count() == 2
    keys = [each.get_attribute("data-key") for each in page.locator("#sections > section").all()]
    page.reload()
    assert keys == [each.get_attribute("data-key") for each in page.locator("#sections > section").all()]


def test_whoever_leaves_and_comes_back_misses_nothing(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    run, address = begin(house)
    first = visit("owner", address)
    until_it_grows(first)
    house.model(tokens_per_second=8)  # however late they come back, it is not yet at its end
    first.close()
    time.sleep(1)
    page = visit("owner", address)
    assert open_words(page) > 20  # what was written meanwhile is there at once
    until_it_grows(page)
    watch_to_the_end(page, house, run, address)


def test_two_tabs_show_the_same(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    run, address = begin(house)
    first = visit("owner", address)
    until_it_grows(first)
    second = visit("teammate", address)
    for page in (first, second):
        watch_to_the_end(page, house, run, address)


def test_a_cut_of_the_network_costs_no_word(visit: Visit, house: Stack, wrong: list[str]) -> None:
    house.model(**SLOWLY)
    run, address = begin(house)
    page = visit("owner", address)
    until_it_grows(page)
    page.context.set_offline(True)
    time.sleep(4)
    page.context.set_offline(False)
    watch_to_the_end(page, house, run, address)
    wrong[:] = [said for said in wrong if "ERR_INTERNET_DISCONNECTED" not in said]


def test_a_killed_worker_and_a_restarted_web_cost_no_word(visit: Visit, house: Stack, wrong: list[str]) -> None:
    house.model(**SLOWLY)
    run, address = begin(house)
    page = visit("owner", address)
    until_it_grows(page)
    for keeper in (*house.workers(), house.keepers["web"]):
        keeper.send(9)  # type: ignore[arg-type]
    watch_to_the_end(page, house, run, address)
    wrong[:] = [said for said in wrong if "WebSocket" not in said and "ERR_CONNECTION" not in said]


def test_stopping_keeps_what_is_written(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    run, address = begin(house)
    page = visit("owner", address)
    until_it_grows(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(BODY)).to_be_attached()
    wait_until(lambda: is_ended(house, run), "the run")
    expect(page.locator(".closing")).to_contain_text("stopped")
    house.model(**QUICKLY)
    page.get_by_role("button", name="Write what is missing").click()
    expect(page.locator("#run [data-run]")).to_be_visible()
    wait_until(lambda: house.open_runs() == 0, "the second run")
    expect(page.locator(BODY)).to_be_attached()
    wait_until(lambda: is_whole(page, house, address), "the whole text")


def test_a_part_that_failed_is_written_again(visit: Visit, house: Stack) -> None:
    house.model(rules=[planned(2), {"contains": "This chapter: Chapter no. 2", "fault": "server_error"}])
    _, address = begin(house, kind="course")
    page = visit("owner", address)
    lesson = page.locator('[data-key="chapter-2/lesson"]')
    button = lesson.get_by_role("button", name="Write this lesson again")
    expect(button).to_be_visible()
    expect(lesson).to_contain_text("The provider has a fault.")
    expect(page.locator(BODY)).to_be_attached()
    house.model(rules=[])
    button.click()
    expect(lesson).to_have_attribute("data-state", "done")
    expect(button).to_have_count(0)
    expect(page.locator(BODY)).to_be_attached()
    wait_until(lambda: is_whole(page, house, address), "the whole text")


def test_an_outline_is_edited_before_it_is_written(visit: Visit, house: Stack) -> None:
    house.model(rules=[planned(3)])
    _, address = begin(house, kind="course", review_outline=True)
    page = visit("owner", address)
    form = page.locator("form.question")
    expect(form).to_be_visible()
    rows = form.locator("[data-row]")
    expect(rows).to_have_count(3)
    rows.nth(0).get_by_role("button", name="Down").click()
    rows.nth(2).get_by_label("Leave out").check()
    rows.nth(1).get_by_label("Title").fill("Mine")
    form.get_by_role("button", name="One more").click()
    rows.nth(3).get_by_label("Title").fill("A fourth")
    rows.nth(3).get_by_label("Description").fill("It is new.")
    form.get_by_role("button", name="Write it").click()
    expect(form).to_have_count(0)
    expect(page.locator(BODY)).to_be_attached()
    titles = page.locator("section.chapter h2 span:last-child").all_text_contents()
    assert titles == ["Chapter no. 2", "Mine", "A fourth"]


def attempts(house: Stack, run: UUID, step: str) -> int:
    return house.number("SELECT attempts FROM generation_step WHERE run_id = %s AND key = %s", run, step)


def tries(house: Stack, run: UUID) -> list[Any]:
    """What was tried again: it is said again, too, and the page shows it so."""
    with house.sql() as sql:
        return sql.execute(
            "SELECT seq, type, data FROM generation_event WHERE run_id = %s AND type IN ('retry', 'model', 'error')",
            [run],
        ).fetchall()


WATCH = """() => {
    window.told = [];
    window.read = document.querySelector('[data-key="chapter-2/lesson"] .live .prose > p');
    window.text = read.textContent;
    window.found = () => [...document.querySelectorAll('[data-key^="chapter-2/lesson"] .prose p')]
        .find((p) => p.textContent === text);
    window.where = () => found().getBoundingClientRect().top;
    scrollBy(0, where() - 70);  // below the line of the run: nothing above it is in sight
    window.gaps = window.moves = 0;
    const start = where();
    const look = () => {
        const isThere = !!found();
        const moved = isThere ? where() - start : 0;
        if ((!isThere || Math.abs(moved) >= 2) && told.length < 5) {
            const lesson = document.querySelector('[data-key="chapter-2/lesson"]');
            told.push([Math.round(performance.now()), isThere, moved, lesson?.outerHTML.slice(0, 300)]);
        }
        gaps += !isThere;
        moves += Math.abs(moved) >= 2;
        requestAnimationFrame(look);
    };
    look();
}"""


def begin_to_read(page: Page, house: Stack, *faults: dict[str, Any]) -> tuple[UUID, str, float]:
    """The second of three lessons, at its first paragraphs: its run, its page, and how far from the top one reads."""
    house.model(first_token_ms=200, tokens_per_second=150, rules=[planned(3), *faults])
    run, address = begin(house, kind="course")
    page.goto(address)
    until_it_grows(page)
    growing = page.locator('[data-key="chapter-2/lesson"] .live .prose > p')
    wait_until(lambda: growing.count() > 3, "some paragraphs")
    house.model(tokens_per_second=10)
    page.evaluate(WATCH)
    return run, address, page.evaluate("where()")


def test_what_one_reads_stays_where_it_is_while_others_write(visit: Visit, house: Stack) -> None:
    """Above it text grows and is replaced by its parts, and at last it is itself replaced by a part, in one moment."""
    page = visit("owner")
    run, address, _ = begin_to_read(page, house)
    watch_to_the_end(page, house, run, address)
    assert page.evaluate("[gaps, moves]") == [0, 0], f"frames, {page.evaluate('told')}, {tries(house, run)}"


GAPS = """() => {
    window.gaps = 0;
    const look = () => {
        gaps += !document.getElementById("sections").textContent.includes("One two three");
        requestAnimationFrame(look);
    };
    look();
}"""


def test_a_text_that_moves_into_a_new_section_is_always_somewhere(note: Note) -> None:
    page = note.page
    with page.expect_response("**/pieces/**"):  # the look at all with which its watching begins
        page.goto(note.path)
    page.wait_for_load_state("networkidle")
    page.evaluate(GAPS)

    def move(route: Route) -> None:  # while the page asks for the section, and before it can have heard of another
        note.add("Anew", "One two three four five.")
        note.write(content="Elsewhere.")
        route.continue_()

    page.route("**/pieces/**", move, times=1)
    note.write(title="Why not")
    expect(page.locator("#sections")).to_contain_text("Elsewhere.")
    expect(page.locator("#sections")).to_contain_text("One two three")
    assert page.evaluate("gaps") == 0


def test_what_must_be_said_again_keeps_its_room(visit: Visit, house: Stack) -> None:
    cut = {"contains": "It teaches 2.\n\nWrite the lesson", "fault": "cut", "times": 1}
    page = visit("owner")
    run, address, before = begin_to_read(page, house, cut)
    house.model(tokens_per_second=150)
    wait_until(lambda: attempts(house, run, "chapter-2/lesson") > 1, "the second attempt")
    watch_to_the_end(page, house, run, address)
    assert page.evaluate("gaps") > 0
    assert abs(page.evaluate("where()") - before) < 100  # a line above it may have come or gone


def test_what_another_changes_appears(visit: Visit, house: Stack) -> None:
    run, address = begin(house)
    wait_until(lambda: is_ended(house, run), "the run")
    page = visit("owner", address)
    page.wait_for_timeout(500)
    section = next(iter(contents(house, address)))
    answer = httpx.patch(
        f"{house.url}/api/v1/sections/{section}",
        json={"fields": {"content": "Mine, by *hand*."}},
        headers={"Authorization": f"Bearer {house.secrets['teammate']}"},
    )
    assert answer.status_code == 200
    expect(page.locator(f"#body-{section}")).to_have_text(re.compile("Mine, by hand"))


def test_a_chapter_is_added_to_what_is_there(visit: Visit, house: Stack) -> None:
    house.model(rules=[planned(1)])
    run, address = begin(house, kind="course")
    wait_until(lambda: is_ended(house, run), "the run")
    page = visit("owner", address)
    page.locator(".act summary").click()
    page.get_by_label("What it is about").fill("While loops.")
    page.get_by_role("button", name="Write this chapter").click()
    expect(page.locator("section.chapter")).to_have_count(2)
    expect(page.locator(BODY)).to_be_attached()
    assert is_whole(page, house, address)


def test_nothing_of_what_a_model_writes_runs(visit: Visit, house: Stack) -> None:
    """While it is written, when it is written, and in labels and titles."""
    hostile = {"title": PAYLOADS[0], "sections": [{"title": each, "summary": each} for each in PAYLOADS[1:6]]}
    rules = [
        {"contains": "Plan", "content": json.dumps(hostile)},
        {"contains": "<", "content": "\n\n".join([*PAYLOADS, *MERMAID])},
    ]
    house.model(first_token_ms=100, tokens_per_second=300, rules=rules)
    run, address = begin(house)
    page = visit("owner", address)
    wait_until(lambda: is_ended(house, run), "the run")
    expect(page.locator(BODY)).to_be_attached()
    assert page.locator("#sections > section").count() == 5
    assert page.evaluate("window.__xss") is None
    page.reload()
    assert page.evaluate("window.__xss") is None
    assert page.locator("#sections :is(script, iframe, object, embed, img, style)").count() == 0


def test_who_is_reading_keeps_the_focus_and_the_selection(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    run, address = begin(house)
    page = visit("owner", address)
    until_it_grows(page)
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#sections .live .prose'))")
    page.locator(".exports summary").focus()
    house.model(**QUICKLY)
    wait_until(lambda: is_ended(house, run), "the run")
    time.sleep(2)
    expect(page.locator(".exports summary")).to_be_focused()
    page.evaluate("getSelection().removeAllRanges(); document.activeElement.blur()")
    watch_to_the_end(page, house, run, address)


def test_without_javascript_it_reads_and_comes_again(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    run, address = begin(house)
    page = visit("owner", address, java_script_enabled=False)
    assert page.locator("noscript meta[http-equiv=refresh]").count() + page.content().count("refresh") > 0
    house.model(**QUICKLY)
    wait_until(lambda: is_ended(house, run), "the run")
    page.goto(address)
    assert is_whole(page, house, address)
    assert "refresh" not in page.content()


def test_a_text_from_right_to_left_keeps_its_bullets_and_its_code_begins_where_code_begins(note: Note) -> None:
    note.add("مرحبا", SIDES)
    note.page.goto(note.path)
    text = note.page.locator(".prose:has(pre)")
    assert text.locator("ul").evaluate("list => parseFloat(getComputedStyle(list).paddingRight)") > 10
    code = text.locator("pre")
    assert code.evaluate("code => getComputedStyle(code).direction + code.scrollLeft") == "ltr0"
