"""A conversation before a browser: answered under one’s eyes, changing the open page, and all of it can be undone."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import SLOWLY, Visit
from tests.browser.test_home import DESK
from tests.browser.test_live import folded
from tests.chaos.keeper import wait_until
from tests.chaos.stack import Stack
from tests.uploads import line, pdf

QUESTION = "What is a loop in Python?"
ASKED = "Shorten the description and add two figures."
SHORT = "Loops: 2 kinds, 3 words."
HARD = "| a | b |\n|---|---|\n| 1 | 👩‍👩‍👧 |\n\n```python\nprint('👋🏽')\n```\n\n$$\n\\sum_{i=1}^n i^2\n$$\n\n\
It is $e^{i\\pi}+1=0$ and costs $5. 🇫🇷"
LONG = "All that is to be said of loops, at some length, and then some more of it, so that nobody misses any."


def send(page: Page, text: str, where: str = "") -> None:
    page.locator(f"#{where}say").fill(text)
    page.locator(f"#{where}say").press("Enter")
    expect(page.locator(f"#{where}say")).to_have_value("")
    expect(page.locator(f"#{where}said .message.asked").last).to_contain_text(text)


def answer(page: Page, where: str = "") -> Locator:
    """The last answer."""
    return page.locator(f"#{where}said .message:not(.asked)").last


def until_answered(page: Page, where: str = "") -> None:
    """All have come to their end, and are drawn as they are kept."""
    for state in ("[data-run]", "[data-state=writing]", "[data-state=queued]"):
        expect(page.locator(f"#{where}said .message{state}")).to_have_count(0)


class Course:
    """A course with a description and one chapter, made over REST by its owner."""

    def __init__(self, page: Page, house: Stack) -> None:
        self.page, self.house = page, house
        fields = {"description": LONG, "difficulty": "easy"}
        self.id = self.send("POST", "documents", {"kind": "course", "title": "Loops", "fields": fields})["id"]
        self.send("POST", f"documents/{self.id}/sections", {"type": "chapter", "fields": {"title": "Why"}})

    def send(self, method: str, path: str, body: Any = None, by: str = "owner") -> Any:
        headers = {"Authorization": f"Bearer {self.house.secrets[by]}"}
        told = self.page.request.fetch(f"{self.house.url}/api/v1/{path}", method=method, data=body, headers=headers)
        assert told.ok, told.text()
        return told.json()

    def state(self) -> Any:
        """All of it but what counts its changes."""
        found = self.send("GET", f"documents/{self.id}")
        return {name: found[name] for name in ("title", "language", "status", "fields", "sections")}

    def shorten(self) -> dict[str, Any]:
        return {"name": "update_description", "arguments": {"object": self.id, "value": SHORT}}

    def ease(self) -> dict[str, Any]:
        return {"name": "update_field", "arguments": {"object": self.id, "field": "difficulty", "value": "hard"}}

    def will(self, *calls: dict[str, Any]) -> None:
        """What the model does when it is asked: it thinks, calls these at once, then speaks."""
        self.house.model(
            rules=[
                {"contains": ASKED, "calls": list(calls), "times": 1},
                {"contains": ASKED, "content": "It has 2 figures now.", "times": 1},
            ]
        )


@pytest.fixture
def course(visit: Visit, house: Stack) -> Course:
    page = visit("owner")
    course = Course(page, house)
    page.goto(f"/documents/{course.id}/")
    page.click(".dock-handle")
    expect(page.locator("#dock-say")).to_be_visible()
    return course


def test_a_description_is_changed_on_the_open_page_and_undone_from_the_card(course: Course) -> None:
    page, before = course.page, course.state()
    course.will(course.shorten())
    page.evaluate("window.stays = true")
    send(page, ASKED, "dock-")
    card = answer(page, "dock-").locator(".tool-card")
    expect(card.locator("ins").first).to_be_visible()
    expect(page.locator("#main .lede")).to_have_text(SHORT)
    until_answered(page, "dock-")
    expect(answer(page, "dock-")).to_contain_text("It has 2 figures now.")
    assert course.state() == {**before, "fields": {**before["fields"], "description": SHORT}}, "and nothing else"
    card.get_by_role("button", name="Undo").click()
    expect(card).to_contain_text("Undone by owner")
    expect(page.locator("#main .lede")).to_have_text(LONG)
    assert course.state() == before
    assert page.evaluate("window.stays"), "without a reload"


def test_it_is_undone_from_the_object(course: Course) -> None:
    page, before = course.page, course.state()
    course.will(course.shorten())
    send(page, ASKED, "dock-")
    until_answered(page, "dock-")
    expect(page.locator("#main .lede")).to_have_text(SHORT)
    expect(page.locator("#last-change")).to_contain_text("The conversation changed")
    page.locator("#last-change").get_by_role("button", name="Undo").click()
    expect(page.locator("#main .lede")).to_have_text(LONG)
    assert course.state() == before
    page.reload()
    expect(answer(page, "dock-")).to_contain_text("Undone by owner")


def test_the_whole_turn_is_undone_as_one(course: Course) -> None:
    page, before = course.page, course.state()
    course.will(course.shorten(), course.ease())
    send(page, ASKED, "dock-")
    until_answered(page, "dock-")
    expect(answer(page, "dock-").locator(".tool-card")).to_have_count(2)
    assert course.state() != before
    answer(page, "dock-").get_by_role("button", name="Undo all of it").click()
    expect(answer(page, "dock-").get_by_text("Undone by owner")).to_have_count(2)
    assert course.state() == before


def test_after_a_change_by_hand_the_older_one_is_not_undone_and_says_why(course: Course, wrong: list[str]) -> None:
    page = course.page
    course.will(course.shorten())
    send(page, ASKED, "dock-")
    until_answered(page, "dock-")
    course.send("PATCH", f"documents/{course.id}", {"fields": {"description": "By hand."}}, by="teammate")
    answer(page, "dock-").locator(".deed").get_by_role("button", name="Undo").click()
    expect(answer(page, "dock-")).to_contain_text("Not undone: teammate changed this later")
    assert course.state()["fields"]["description"] == "By hand."
    wrong.clear()  # the refusal is an error of the request, too


def test_reasoning_arguments_and_text_show_as_they_form(course: Course) -> None:
    page = course.page
    course.house.model(**SLOWLY)
    send(page, "Change the description to something short.", "dock-")
    reply = answer(page, "dock-")
    expect(reply.locator(".reasoning").first).to_be_visible()
    expect(reply.locator(".forming .arguments")).to_contain_text('{"object"')
    expect(reply.locator(".prose .caret")).to_have_count(1)
    course.house.model(tokens_per_second=2_000)
    until_answered(page, "dock-")
    expect(reply.locator(".forming")).to_have_count(0)
    expect(reply.locator(".tool-card")).to_have_count(1)


def test_an_answer_is_regenerated_and_the_branches_have_arrows(visit: Visit) -> None:
    page = visit("owner", "/chat/")
    send(page, QUESTION)
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    until_answered(page)
    first = answer(page).locator(".pieces").inner_text()
    answer(page).hover()
    answer(page).get_by_role("button", name="Answer otherwise").click()
    expect(answer(page).locator(".branches")).to_contain_text("2 / 2")
    until_answered(page)
    answer(page).get_by_role("button", name="The one before").click()
    expect(answer(page).locator(".branches")).to_contain_text("1 / 2")
    assert answer(page).locator(".pieces").inner_text() == first
    asked = page.locator(".message.asked")
    asked.hover()
    asked.get_by_text("Say it otherwise").click()
    asked.locator("textarea").fill("And in Ruby?")
    asked.get_by_role("button", name="Send").click()
    expect(asked.locator(".branches")).to_contain_text("2 / 2")
    until_answered(page)
    page.reload()
    expect(asked.locator(".words")).to_have_text("And in Ruby?")


def test_a_stop_keeps_what_was_said(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    page = visit("owner", "/chat/")
    send(page, "Explain loops in Python in about 400 words.")
    expect(answer(page).locator(".pieces")).to_contain_text("Demo model")
    page.keyboard.press("Escape")
    expect(answer(page)).to_have_attribute("data-state", "cancelled")
    kept = answer(page).locator(".pieces").inner_text()
    assert "Demo model" in kept
    page.reload()
    assert answer(page).locator(".pieces").inner_text() == kept


def with_one_that_waits(visit: Visit, house: Stack) -> Page:
    house.model(**SLOWLY)
    page = visit("owner", "/chat/")
    send(page, "Explain loops in Python in about 400 words.")
    expect(answer(page).locator(".pieces")).to_contain_text("Demo")
    send(page, "Never mind this.")
    expect(answer(page)).to_contain_text("It will be answered after the one before.")
    return page


def test_what_waits_is_withdrawn_and_stands_where_it_was_typed(visit: Visit, house: Stack) -> None:
    page = with_one_that_waits(visit, house)
    answer(page).get_by_role("button", name="Withdraw").click()
    expect(page.locator(".message.asked")).to_have_count(1)
    expect(page.locator("#say")).to_have_value("Never mind this.")
    house.model(tokens_per_second=5_000)
    page.locator("#say").press("Enter")
    until_answered(page)
    expect(page.locator(".message.asked")).to_have_count(2)


def test_what_is_withdrawn_elsewhere_goes_from_this_page_too(visit: Visit, house: Stack) -> None:
    page = with_one_that_waits(visit, house)
    other = visit("owner", page.url)
    answer(other).get_by_role("button", name="Withdraw").click()
    expect(page.locator(".message.asked")).to_have_count(1)
    expect(page.locator("#say")).to_have_value("")  # it was not typed here
    answer(page).get_by_role("button", name="Stop").click()
    until_answered(page)


def test_a_page_that_is_opened_in_the_middle_shows_each_word_once(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    page = visit("owner", "/chat/")
    send(page, "Explain loops in Python in about 400 words.")
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    expect(answer(page).locator(".pieces")).to_contain_text("Demo model text")
    other = visit("owner", page.url)
    found = len(words(shown_of(other)))
    assert found
    other.wait_for_timeout(2_000)
    half = words(shown_of(other))
    assert len(half) > found, "it goes on where the page was drawn"
    expect(answer(other).locator(".live, .caret")).to_have_count(2)
    house.model(tokens_per_second=5_000)
    until_answered(other)
    assert words(shown_of(other))[: len(half) - 1] == half[:-1], "each word once, in its order"


def shown_of(page: Page) -> str:
    return " ".join(answer(page).locator(".pieces > .prose, .pieces > .live > .prose").all_inner_texts())


def test_a_branch_that_is_left_and_shown_again_has_all_its_words(visit: Visit, house: Stack) -> None:
    house.model(**SLOWLY)
    page = visit("owner", "/chat/")
    send(page, "Explain loops in Python in about 300 words.")
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    expect(answer(page).locator(".pieces")).to_contain_text("Demo model text")
    run = answer(page).get_attribute("data-run")
    page.locator(".message.asked .edit-of summary").click()
    page.locator(".message.asked textarea").fill("And in Ruby?")
    page.locator(".message.asked").get_by_role("button", name="Send").click()
    expect(answer(page)).to_contain_text("It will be answered after the one before.")
    page.wait_for_timeout(1_000)  # words come that nobody sees here
    page.get_by_role("button", name="The one before").first.click()
    expect(answer(page)).to_have_attribute("data-run", str(run))
    page.wait_for_timeout(500)
    half = words(shown_of(page))
    house.model(tokens_per_second=5_000)
    until_answered(page)
    assert words(shown_of(page))[: len(half) - 1] == half[:-1], "none is missing, and none comes twice"


def test_the_draft_goes_with_what_was_sent_and_what_is_typed_meanwhile_stays(visit: Visit, house: Stack) -> None:
    page = visit("owner", "/chat/")
    send(page, QUESTION)
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    until_answered(page)
    held: list[Any] = []
    page.route("**/chat/send/", lambda route: held.append(route))  # noqa: PLW0108 Playwright wants a function of its own
    page.locator("#say").fill("And in Ruby?")
    page.locator("#say").press("Enter")
    page.locator("#say").press_sequentially(" And more.")
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.locator(".message.asked")).to_have_count(2)
    expect(page.locator("#say")).to_have_value("And more.")
    page.unroute("**/chat/send/")
    page.goto("/chat/")
    expect(page.locator("#say")).to_have_value("")


def test_what_is_deleted_elsewhere_is_left(visit: Visit, house: Stack, wrong: list[str]) -> None:
    house.model(**SLOWLY)
    page = visit("owner", "/chat/")
    send(page, "Explain loops in Python in about 400 words.")
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    other = visit("owner", page.url)
    other.locator("#talk-more > summary").click()
    other.locator("#talk-more .act > summary").click()
    other.get_by_role("button", name="Delete it for good").click()
    page.wait_for_url(re.compile("/chat/$"))
    wrong.clear()  # it asked for what was gone


def test_the_archived_stay_in_the_list_that_was_asked_for(visit: Visit, house: Stack) -> None:
    page = visit("owner", "/chat/")
    send(page, "Where do the old ones go?")
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    until_answered(page)
    page.locator("#talk-more > summary").click()
    page.get_by_role("button", name="Archive").click()
    page.wait_for_url(re.compile("/chat/$"))
    page.goto("/chat/?state=archived")
    page.wait_for_timeout(2_500)  # its socket is open, and the list was looked at again
    expect(page.locator("#session-days li")).to_have_count(1)
    expect(page.locator("#session-days")).to_contain_text("Back to the others")


def test_escape_in_the_dock_stops_the_answer_and_leaves_the_dock_open(course: Course) -> None:
    page = course.page
    course.house.model(**SLOWLY)
    send(page, "Explain loops in about 400 words.", "dock-")
    expect(answer(page, "dock-").locator(".pieces")).to_contain_text("Demo model text")
    page.locator("#dock-say").press("Escape")
    expect(answer(page, "dock-")).to_contain_text("Stopped")
    expect(page.locator("#dock")).to_be_visible()
    page.locator("#dock-say").press("Escape")
    expect(page.locator("#dock")).to_be_hidden()


def test_a_web_process_that_is_killed_costs_the_answer_a_moment(visit: Visit, house: Stack, wrong: list[str]) -> None:
    """The page goes on without a reload; what had been said is folded and marked, and said once more below."""
    house.model(**SLOWLY)
    page = visit("owner", "/chat/")
    send(page, "Explain loops in Python in about 300 words.")
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    expect(answer(page).locator(".pieces > .live")).to_contain_text("Demo model text")
    message, run = (answer(page).get_attribute(f"data-{name}") for name in ("message", "run"))
    house.keepers["web"].send(9)  # type: ignore[arg-type]
    expect(answer(page).locator(".broken")).to_have_count(1)
    expect(answer(page).locator(".pieces > .live")).to_contain_text("Demo model text")
    house.model(tokens_per_second=5_000)
    until_answered(page)
    told = page.request.get(f"/api/v1/chat/messages/{message}").json()
    assert (told["state"], told["run"]) == ("done", run)
    assert words(shown_of(page)) == words(told["text"])
    expect(answer(page).locator(".broken")).to_have_count(1)
    wrong[:] = [said for said in wrong if "WebSocket" not in said and "ERR_CONNECTION" not in said]


def test_tables_code_formulas_and_emojis_come_out_right(visit: Visit, house: Stack) -> None:
    house.model(rules=[{"contains": QUESTION, "content": HARD}], tokens_per_second=12)
    page = visit("owner", "/chat/")
    send(page, QUESTION)
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    live = answer(page).locator(".pieces > .live")
    expect(live.locator("table td").last).to_have_text("👩‍👩‍👧")
    expect(live.locator("pre code")).to_have_text("print('👋🏽')")
    expect(live.locator('math[display="block"]')).to_have_count(1)
    house.model(rules=[{"contains": QUESTION, "content": HARD}], tokens_per_second=5_000)
    message = answer(page).get_attribute("data-message")
    until_answered(page)
    said = answer(page).locator(".pieces > .prose")
    expect(said.locator("td").last).to_have_text("👩‍👩‍👧")
    expect(said.locator("math")).to_have_count(2)
    expect(said.locator("p").last).to_contain_text("and costs $5. 🇫🇷")
    assert page.request.get(f"/api/v1/chat/messages/{message}").json()["text"] == HARD


def test_a_file_goes_with_the_question_and_long_work_is_stopped_from_its_card(visit: Visit, house: Stack) -> None:
    asked = "Make me a deep course on loops"
    call = {"name": "start_run", "arguments": {"kind": "course", "brief": f"{asked}.", "title": "Loops in depth"}}
    house.model(rules=[{"contains": asked, "calls": [call], "times": 1}], tokens_per_second=60)
    page = visit("owner", "/chat/")
    content = pdf(line("Loops repeat what they hold."))
    page.locator("#attach").set_input_files({"name": "loops.pdf", "mimeType": "application/pdf", "buffer": content})
    expect(page.locator("#chips")).to_contain_text("loops.pdf")
    send(page, f"{asked}.")
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    expect(page.locator(".message.asked")).to_contain_text("loops.pdf")
    card = answer(page).locator("[data-of]")
    expect(card.locator("progress")).to_be_visible()
    house.model(**SLOWLY)
    card.get_by_role("button", name="Stop").click()
    expect(card).to_contain_text("Stopped")
    expect(card.get_by_role("button", name="Stop")).to_have_count(0)
    expect(card.get_by_role("link").first).to_be_visible()


def test_the_end_of_an_answer_is_told_to_who_looks_elsewhere(visit: Visit, house: Stack) -> None:
    page = visit("owner", "/chat/")
    send(page, QUESTION)
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    until_answered(page)
    page.add_init_script(f"{DESK}; document.hasFocus = () => false;")
    page.reload()
    page.locator("#talk-more summary").first.click()
    page.get_by_role("button", name="Tell me when an answer is here").click()
    send(page, "And in Ruby?")
    until_answered(page)
    assert [body for _, body in page.evaluate("window.notes")] == ["Your answer is here."]
    expect(page).to_have_title(re.compile("^✓ "))


def test_a_cut_of_ten_seconds_loses_no_word(visit: Visit, house: Stack, wrong: list[str]) -> None:
    house.model(first_token_ms=200, tokens_per_second=40)
    page = visit("owner", "/chat/")
    send(page, "Explain loops in Python in about 500 words.")
    expect(answer(page).locator(".pieces")).to_contain_text("Demo model")
    run = answer(page).get_attribute("data-run")
    page.context.set_offline(True)
    page.wait_for_timeout(10_000)
    page.context.set_offline(False)
    house.model(tokens_per_second=2_000)
    until_answered(page)
    told = page.request.get(f"/api/v1/runs/{run}/events").json()["events"]
    said = folded(told)["round-1 1"]
    (shown,) = answer(page).locator(".pieces > .prose").all_inner_texts()
    assert words(shown) == words(said)
    wrong.clear()  # the browser notes each try


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.replace("**", ""))


def test_two_pages_of_one_person_show_the_same(visit: Visit, house: Stack) -> None:
    page = visit("owner", "/chat/")
    send(page, QUESTION)
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    until_answered(page)
    other = visit("owner", page.url)
    send(other, "And in Ruby?")
    expect(page.locator(".message.asked")).to_have_count(2)
    until_answered(page)
    until_answered(other)
    assert answer(page).locator(".pieces").inner_text() == answer(other).locator(".pieces").inner_text()


def test_a_teammate_and_a_stranger_cannot_read_my_conversation(visit: Visit, wrong: list[str]) -> None:
    page = visit("owner", "/chat/")
    send(page, "My secret question?")
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    for name in ("teammate", "stranger"):
        other = visit(name, page.url)
        expect(other.locator("body")).not_to_contain_text("My secret question?")
        assert other.request.get(page.url).status == 404
        other.goto("/chat/")
        expect(other.locator("body")).not_to_contain_text("My secret question?")
    wrong[:] = [said for said in wrong if "404" not in said]


def test_the_panel_answers_side_by_side_and_one_that_fails_is_marked(visit: Visit, house: Stack) -> None:
    house.model(rules=[{"contains": "You are Neo", "fault": "refusal"}])
    page = visit("owner", "/chat/")
    page.locator("#say").fill("Should we index everything?")
    page.get_by_role("button", name="Ask all three").click()
    expect(page.locator(".panelist")).to_have_count(3)
    until_answered(page)
    expect(page.locator(".panelist[data-state=failed]")).to_have_count(1)
    expect(page.locator(".panelist .pieces > .prose")).to_have_count(2)
    page.get_by_role("button", name="Put their answers together").click()
    expect(answer(page)).to_contain_text("putting the answers together")
    until_answered(page)
    page.get_by_role("button", name=re.compile("Go on with this.*Nexus")).click()
    send(page, "Go on.")
    until_answered(page)
    expect(page.locator(".message.asked")).to_have_count(2)


def test_what_is_said_after_another_branch_was_chosen_goes_on_from_there(visit: Visit, house: Stack) -> None:
    """However long the choice takes to arrive."""
    page = visit("owner", "/chat/")
    page.locator("#say").fill("Should we index everything?")
    page.get_by_role("button", name="Ask all three").click()
    expect(page.locator(".panelist")).to_have_count(3)
    until_answered(page)
    held: list[Route] = []

    def keep(route: Route) -> None:
        held.append(route)

    page.route("**/show/", keep)
    page.get_by_role("button", name=re.compile("Go on with this.*Nexus")).click()
    page.locator("#say").fill("Go on.")
    page.locator("#say").press("Enter")
    wait_until(lambda: bool(held), "the choice to be on its way")
    page.wait_for_timeout(500)
    expect(page.locator("#say")).to_have_value("Go on.")
    held.pop().continue_()
    expect(page.locator("#say")).to_have_value("")
    expect(page.locator(".message.asked")).to_have_count(2)
    until_answered(page)
    nexus = page.locator(".panelist").filter(has_text="goes on from here")
    expect(nexus).to_contain_text("Nexus")


def test_long_work_shows_its_progress_in_the_reply_and_its_link_at_the_end(visit: Visit, house: Stack) -> None:
    page = visit("owner", "/chat/")
    send(page, "Write me a note on relational databases")
    card = answer(page).locator("[data-of]")
    expect(card.locator("progress, a")).not_to_have_count(0)
    expect(card).to_contain_text("Written")
    card.get_by_role("link").first.click()
    page.wait_for_url(re.compile("/documents/"))


def test_a_draft_is_kept_and_a_document_is_added_by_its_name(visit: Visit, house: Stack) -> None:
    page = visit("owner", "/chat/")
    course = Course(page, house)
    page.locator("#say").fill("Half a thou")
    page.reload()
    expect(page.locator("#say")).to_have_value("Half a thou")
    page.locator("#say").fill("/")
    page.locator("[data-offers] input").fill("loops")
    page.locator(f'[data-offer="{course.id}"]').click()
    expect(page.locator("#chips")).to_contain_text("Loops")
    send(page, QUESTION)
    page.wait_for_url(re.compile("/chat/[-0-9a-f]{36}/"))
    expect(page.locator("#about")).to_contain_text("Loops")
    until_answered(page)
    page.locator("#about").get_by_role("button", name="Take out Loops").click()
    expect(page.locator("#about")).to_contain_text("About no document yet")
