"""Learning in a browser: an evaluation that survives a reload until its time is up, exercises by keyboard alone."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.chaos.stack import Stack
from tests.generation.lessons import COPY, DESK, KEYS, ROWS

SAYS = {"contains": "Grade this answer.", "content": json.dumps({"is_right": True, "feedback": "Well seen."})}


class Course:
    """Made over REST by the owner; read by the viewer, who may not write."""

    def __init__(self, house: Stack) -> None:
        self.house = house
        headers = {"Authorization": f"Bearer {house.secrets['owner']}"}
        self.rest = httpx.Client(base_url=f"{house.url}/api/v1/", headers=headers)
        self.id = self.post("documents", kind="course", title="Relational databases")["id"]
        chapter = self.add("chapter", title="Tidy without repeating")
        exercises = self.add("exercises", chapter)
        self.block = self.add("exercise_block", exercises, topic="Rows", questions=[ROWS, COPY])
        questions = [ROWS, KEYS, COPY, DESK]
        self.evaluation = self.add("evaluation", chapter, questions=questions, multi_answers=True, time_limit=10)

    def post(self, path: str, **body: Any) -> Any:
        answer = self.rest.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def add(self, type: str, parent: str | None = None, **fields: Any) -> str:
        place = {"parent": parent} if parent else {}
        return str(self.post(f"documents/{self.id}/sections", type=type, fields=fields, **place)["id"])

    def leave_seconds(self, seconds: float) -> None:
        """Of the time of the attempt that is open."""
        move = "UPDATE generation_attempt SET due_at = now() + %s * interval '1 second' WHERE section_id = %s"
        with self.house.sql() as sql:
            sql.execute(move, [seconds, self.evaluation])

    def is_kept(self, text: str) -> bool:
        found = "SELECT count(*) FROM generation_attempt WHERE answers::text LIKE %s AND section_id = ANY(%s)"
        return bool(self.house.number(found, f"%{text}%", [self.evaluation, self.block]))


@pytest.fixture
def course(house: Stack) -> Iterator[Course]:
    house.model(rules=[SAYS])
    made = Course(house)
    yield made
    made.rest.close()


def kept(page: Page, n: int) -> Any:
    return page.locator("fieldset.exercise").nth(n - 1).locator(".kept")


def test_an_evaluation_survives_a_reload_and_ends_with_its_time(visit: Visit, course: Course) -> None:
    page = visit("viewer", f"/evaluations/{course.evaluation}/")
    page.get_by_role("button", name="Start the evaluation").click()
    expect(page.locator("time.left")).to_have_text(re.compile("9:5[0-9]"))
    page.get_by_label("One, in the table of readers").check()
    expect(kept(page, 1)).to_have_text("Kept")
    page.get_by_role("textbox").first.fill("A book has several copies.")
    expect(kept(page, 3)).to_have_text("Kept")
    page.reload()
    expect(page.get_by_label("One, in the table of readers")).to_be_checked()
    expect(page.get_by_role("textbox").first).to_have_value("A book has several copies.")
    other = visit("viewer", f"/documents/{course.id}/")
    expect(other.get_by_role("link", name="Go on with the evaluation")).to_be_visible()
    course.leave_seconds(6)
    page.reload()
    page.get_by_role("textbox").nth(1).type("The libr")  # not even blurred when the time is up
    page.wait_for_url("**/attempts/**")
    expect(page.get_by_text("The time was up.")).to_be_visible()
    expect(page.get_by_text("The libr")).to_be_visible()
    expect(page.get_by_text("Well seen.")).to_have_count(2)
    expect(page.locator(".score b")).to_have_text("75%")


def test_an_evaluation_ends_though_its_page_is_closed(visit: Visit, course: Course) -> None:
    page = visit("viewer", f"/evaluations/{course.evaluation}/")
    page.get_by_role("button", name="Start the evaluation").click()
    page.get_by_label("One, in the table of readers").check()
    expect(kept(page, 1)).to_have_text("Kept")
    page.close()
    course.leave_seconds(-60)
    ended = "SELECT count(*) FROM generation_attempt WHERE section_id = %s AND ended_at = due_at AND score = 25"
    page = visit("viewer", "/")
    for _ in range(100):  # the sweep comes by; nobody looks
        if course.house.number(ended, course.evaluation):
            break
        page.wait_for_timeout(100)
    assert course.house.number(ended, course.evaluation)


def test_the_clock_is_announced_twice_and_no_more(visit: Visit, course: Course) -> None:
    page = visit("viewer", f"/evaluations/{course.evaluation}/")
    page.get_by_role("button", name="Start the evaluation").click()
    course.leave_seconds(306)
    page.reload()
    announced = page.locator("[data-announce]")
    expect(announced).to_have_text("")
    expect(announced).to_have_text("5 minutes left")
    expect(page.locator("time.left")).to_have_text(re.compile("4:5[0-9]"))
    expect(announced).to_have_text("5 minutes left")


def test_an_answer_that_was_refused_is_sent_again(visit: Visit, course: Course, wrong: list[str]) -> None:
    page = visit("viewer", f"/documents/{course.id}/")
    block = page.locator(f"#learn-{course.block}")
    refusal = {"status": 429, "headers": {"Retry-After": "1", "HX-Retarget": "#told"}, "body": "Too many."}
    page.route("**/exercise/", lambda route: route.fulfill(**refusal), times=1)
    block.get_by_label("One, in the table of readers").check()
    expect(block.locator(".kept").first).to_have_text("Not kept yet")
    expect(block.locator(".kept").first).to_have_text("Kept")
    wrong.clear()


def test_exercises_by_keyboard_alone(visit: Visit, course: Course) -> None:
    page = visit("viewer", f"/documents/{course.id}/")
    block = page.locator(f"#learn-{course.block}")
    until_focused(page, block.get_by_label("None"))
    page.keyboard.press("ArrowDown")
    expect(block.get_by_label("One, in the table of readers")).to_be_checked()
    expect(block.locator(".kept").first).to_have_text("Kept")
    page.keyboard.press("Tab")
    page.keyboard.type("Copies.")
    expect(block.locator(".kept").nth(1)).to_have_text("Kept")
    expect(block.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(block.get_by_text("Your answer, right")).to_be_visible()
    expect(block.locator(".result")).to_be_focused()
    expect(block.get_by_text("Well seen.")).to_be_visible()
    expect(block.locator(".result")).to_be_focused()  # what the examiner said took it from nobody
    page.keyboard.press("Tab")
    expect(block.get_by_role("button", name="Answer again")).to_be_focused()
    page.keyboard.press("Enter")
    expect(block.get_by_label("None")).to_be_focused()


def test_who_types_and_checks_at_once_is_told_of_nothing_but_the_result(visit: Visit, course: Course) -> None:
    page = visit("viewer", f"/documents/{course.id}/")
    block = page.locator(f"#learn-{course.block}")
    for n in range(5):
        block.get_by_label("One, in the table of readers").check()
        block.get_by_role("textbox").fill(f"Copies, {n} of them.")
        block.get_by_role("button", name="Check my answers").click()  # while the answer is still on its way
        expect(block.get_by_text("Well seen.")).to_be_visible()
        expect(block.get_by_text(f"Copies, {n} of them.")).to_be_visible()
        block.get_by_role("button", name="Answer again").click()
    expect(page.locator("#told")).to_be_empty()


def until_focused(page: Page, wanted: Any) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("each => each === document.activeElement"):
            return
    raise AssertionError("Tab never comes there")


def test_an_answer_that_could_not_be_sent_says_so_and_goes_when_the_network_is_back(
    visit: Visit, course: Course, wrong: list[str]
) -> None:
    page = visit("viewer", f"/documents/{course.id}/")
    block = page.locator(f"#learn-{course.block}")
    page.context.set_offline(True)
    block.get_by_label("One, in the table of readers").check()
    expect(block.locator(".kept").first).to_have_text("Not kept yet")
    page.context.set_offline(False)
    expect(block.locator(".kept").first).to_have_text("Kept")
    assert course.is_kept("one")
    wrong.clear()  # the browser says what it could not send


def test_a_chapter_is_ticked_and_the_outline_counts(visit: Visit, course: Course) -> None:
    page = visit("viewer", f"/documents/{course.id}/")
    expect(page.get_by_text("0 of 1 chapters finished")).to_be_visible()
    page.get_by_label("I have finished this chapter").check()
    expect(page.get_by_text("1 of 1 chapters finished")).to_be_visible()
    page.reload()
    expect(page.get_by_label("I have finished this chapter")).to_be_checked()


def test_without_javascript_an_evaluation_is_kept_and_handed_in(visit: Visit, course: Course) -> None:
    page = visit("viewer", f"/evaluations/{course.evaluation}/", java_script_enabled=False)
    page.get_by_role("button", name="Start the evaluation").click()
    page.get_by_label("One, in the table of readers").check()
    page.keyboard.press("Enter")  # keeps, and hands nothing in
    expect(page.get_by_text("1 of 4 answered")).to_be_visible()
    expect(page.get_by_label("One, in the table of readers")).to_be_checked()
    page.get_by_label("A number", exact=True).check()
    page.get_by_label("A pair of numbers").check()
    page.get_by_role("button", name="Hand in").click()
    expect(page.locator(".score b")).to_have_text("50%")
    page.goto(f"/documents/{course.id}/")
    page.get_by_label("None").check()
    page.get_by_role("button", name="Check my answers").click()
    expect(page.get_by_text("0 of 2 right")).to_be_visible()
