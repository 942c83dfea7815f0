"""Staff at the prompts: a version is written, compared, tried on real work, put in production, and taken back."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import QUICKLY, Visit, sign_in
from tests.chaos.invariants import until_settled
from tests.chaos.stack import Stack, running_alone

SLOT = "note/section"
PLACE = "/admin/generation/prompt/note_2Fsection/change/"
RIGHTS = [
    "view_prompt", "view_promptversion", "add_promptversion", "promote_prompt", "run_experiment", "view_experiment",
    "view_decision",
]  # fmt: skip
WORDS = "Write as if to a friend."


@pytest.fixture
def prompter(house: Stack) -> Iterator[str]:
    """Somebody of the staff who may do all that is done to prompts, and only that."""
    house.ask("hire", name="prompter", rights=RIGHTS)
    yield "prompter"
    with house.sql() as sql:  # the house is everybody's
        sql.execute("UPDATE generation_experiment SET state = 'stopped'")
        sql.execute(
            "UPDATE generation_prompt SET production_id = v.id FROM generation_promptversion v"
            " WHERE v.prompt_id = slot AND v.number = 1 AND slot = %s",
            [SLOT],
        )


def decide(page: Page, reason: str) -> None:
    page.get_by_label("Reason").fill(reason)
    page.locator("form.story button").click()


def write(page: Page, words: str) -> None:
    page.goto(PLACE)
    page.get_by_role("link", name="Write a new version").click()
    text = page.locator("#id_text")
    text.fill(f"{text.input_value()}\n{words}")
    page.locator("#id_message").fill(words)
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("#result_list a[href*='/change/']").first.click()


def choose_version(page: Page, row: int, name: str) -> None:
    """In a field that looks for what is typed."""
    page.locator(f"#id_arms-{row}-version + .select2 .select2-selection").click()
    page.locator(".select2-search__field").fill(SLOT)
    page.get_by_role("option", name=name, exact=True).click()


def test_a_version_is_written_compared_tried_on_real_work_promoted_and_rolled_back(
    visit: Visit, house: Stack, prompter: str
) -> None:
    page = visit(prompter)  # the pages of staff have a door of their own, which leads nobody in
    write(page, WORDS)
    page.locator(".story ul").get_by_role("link", name=f"{SLOT} v1", exact=True).click()
    expect(page.locator(".prompt-diff ins").first).to_contain_text("friend")
    page.get_by_role("link", name="Back to the version").click()
    page.get_by_role("link", name="Preview and try").click()
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#sides .sent").first).to_contain_text("friend")
    expect(page.get_by_text("The answer is there.")).to_be_visible()

    page.goto(PLACE)
    page.get_by_role("link", name="Try two versions against each other").click()
    page.get_by_label("Title").fill("As if to a friend")
    page.get_by_label("Unit").select_option("run")
    for row, (name, version) in enumerate((("control", f"{SLOT} v1"), ("friendly", f"{SLOT} v2"))):
        page.locator(f"#id_arms-{row}-name").fill(name)
        choose_version(page, row, version)
    page.locator("#id_arms-0-is_control").check(force=True)
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("link", name="Start", exact=True).click()
    decide(page, "to see")
    expect(page.get_by_role("heading", name="Running")).to_be_visible()
    watching = page.url

    runs = [house.begin() for _ in range(4)]
    with house.sql() as sql:
        until_settled(sql, runs)
    page.goto(watching)
    expect(page.get_by_role("row", name=re.compile("control .* 1 "))).to_be_visible()
    filled = sum(int(cell) for cell in page.locator("table").first.locator("tbody td:nth-child(4)").all_inner_texts())
    assert filled == len(runs)
    expect(page.locator("td", has_text="not enough data yet").first).to_be_visible()

    page.get_by_role("row", name=re.compile("friendly")).get_by_role("link", name="Put in production…").click()
    expect(page.get_by_text("Who stops as soon as a difference shows")).to_be_visible()
    decide(page, "we like it")
    expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    expect(page.get_by_text("v1 → v2")).to_be_visible()
    page.goto(PLACE)
    expect(page.get_by_text("we like it")).to_be_visible()
    page.get_by_role("link", name="v1", exact=True).click()
    page.get_by_role("link", name="Roll back to this version…").click()
    expect(page.locator(".prompt-diff del").first).to_contain_text("friend")
    decide(page, "it was too friendly")
    expect(page.get_by_text("v2 → v1")).to_be_visible()
    expect(page.get_by_text("it was too friendly")).to_be_visible()


def test_who_may_only_look_finds_no_button_and_no_way(
    visit: Visit, house: Stack, prompter: str, wrong: list[str]
) -> None:
    house.ask("hire", name="looker", rights=["view_prompt", "view_promptversion", "view_experiment"])
    with house.sql() as sql:
        row = sql.execute("SELECT id FROM generation_promptversion WHERE prompt_id = %s LIMIT 1", [SLOT]).fetchone()
    assert row
    page = visit("looker")
    page.goto(f"/admin/generation/promptversion/{row[0]}/change/")
    expect(page.get_by_role("heading", name="Compare with")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("production…|Roll back"))).to_have_count(0)
    page.goto(PLACE)
    expect(page.get_by_role("link", name="Try two versions against each other")).to_have_count(0)
    for path in (f"promptversion/{row[0]}/production/", "experiment/add/", "promptversion/add/"):
        answer = page.goto(f"/admin/generation/{path}")
        assert answer
        assert answer.status == 403
    wrong[:] = [said for said in wrong if "403" not in said]


def test_an_override_is_visible_and_wins(browser: Browser) -> None:
    with running_alone(PROMPT_VERSION_NOTE_SECTION="1") as house:
        house.model(**QUICKLY)
        house.ask("hire", name="prompter", rights=RIGHTS)
        newer = house.ask("rewrite", slot=SLOT, words=WORDS)
        house.ask("promote", slot=SLOT, number=newer)
        page = browser.new_page(base_url=house.url)
        sign_in(page, "prompter")
        page.goto(PLACE)
        expect(
            page.get_by_text("The environment sets version 1 (PROMPT_VERSION_NOTE_SECTION). It wins")
        ).to_be_visible()
        run = house.begin()
        with house.sql() as sql:
            until_settled(sql, [run])
            used = sql.execute(
                "SELECT DISTINCT v.number FROM generation_call c JOIN generation_promptversion v"
                " ON v.id = c.prompt_version_id WHERE v.prompt_id = %s",
                [SLOT],
            ).fetchall()
        assert used == [(1,)]
        page.close()
