"""From a company to a portfolio by its pages: cases appear as they are written, and the dashboard follows."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import QUICKLY, Visit
from tests.chaos.stack import Stack
from tests.generation.test_company import profile
from tests.generation.test_scatter import overlaps
from tests.web import Web, article, serving

BRIEFS = Path(__file__).parents[1] / "briefs"  # as people sent them


BOXES = """marks => marks.map((mark) => {
    const box = mark.getBBox();
    return [box.x, box.y, box.width, box.height];
})"""


def ask(page: Page, kind: str, brief: str, **choices: str) -> None:
    page.goto(f"/new/{kind}/")
    page.locator("#brief").fill((BRIEFS / brief).read_text())
    for name, value in choices.items():
        page.get_by_label(name).fill(value) if value.isdigit() else page.get_by_label(value).check()
    page.get_by_role("button", name="Write it").click()
    page.wait_for_url(re.compile("/documents/"))


def until_written(page: Page) -> None:
    expect(page.locator("#main:not([data-writing])")).to_be_attached()
    expect(page.locator("[data-live]")).to_have_count(0)


def rest(house: Stack, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {house.secrets['owner']}"}
    answer = httpx.request(method, f"{house.url}/api/v1/{path}", json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


@pytest.fixture
def searching(house: Stack) -> Iterator[Web]:
    """The house searches the web of the tests, and reads no other."""
    with serving() as site:
        site.furnish()
        engine = {"TEST_WEB_PORT": str(site.port), "WEB_SEARCH": "searxng", "SEARXNG_URL": site.url}
        with house.living_by(**engine):
            yield site


def knows(site: Web) -> list[dict[str, Any]]:
    """Rules by which the model looks a company up, tries a place of ours, and cites what it has found."""
    url = "http://delorme.test/histoire"
    site.found = [{"title": "Fromagerie Delorme", "url": url, "content": "Affineurs depuis 1954."}]
    site.pages["delorme.test/histoire"] = article("Fromagerie Delorme", "Quarante personnes affinent la tomme. " * 9)
    calls = [
        {"name": "web_search", "arguments": {"query": "Fromagerie Delorme"}},
        {"name": "web_extract", "arguments": {"url": url}},
        {"name": "web_extract", "arguments": {"url": "http://169.254.169.254/"}},
    ]
    asked = "Find out about this company"
    once = [{"contains": asked, "calls": [each], "times": 1} for each in calls]
    said = profile(industry="Quarante personnes affinent la tomme [1].")
    return [*once, {"contains": asked, "content": "That is it."}, {"contains": "Write its profile", "content": said}]


def test_from_the_company_to_the_summary(searching: Web, visit: Visit, house: Stack) -> None:
    house.model(first_token_ms=300, tokens_per_second=15, rules=knows(searching))
    page = visit("owner")
    ask(page, "company", "company.txt")
    looked_up = page.locator(".lookups li")
    expect(looked_up.first).to_have_text("Searched the web for “Fromagerie Delorme”")
    expect(page.locator(".loose .live")).to_contain_text("affinent")
    until_written(page)
    expect(page.locator("#fields .field")).to_have_count(9)
    page.locator(".lookups summary").click()
    expect(looked_up).to_have_count(3)
    expect(looked_up.last).to_contain_text("Nobody has named http://169.254.169.254/ here.")
    page.locator("#field-industry").get_by_role("link", name="1").click()
    expect(page.locator("#reference-1 a")).to_have_attribute("href", "http://delorme.test/histoire")
    company = page.locator("h1").inner_text()

    house.model(first_token_ms=300, tokens_per_second=40, rules=[])
    ask(page, "use_case_list", "use_case_list.txt", **{"How many use cases": "8", "company": company})
    expect(page.locator(".card")).to_have_count(8)
    written = page.locator(".card:not(:has-text('Being written'))")
    expect(written).not_to_have_count(0)
    with page.context.expect_page() as opened:
        written.first.get_by_role("link").click(modifiers=["Control"])
    first = opened.value
    expect(first.locator("#field-description .prose")).to_be_visible()
    assert house.open_runs() == 1  # others are still being written
    first.close()
    house.model(**QUICKLY)
    until_written(page)
    expect(page.locator(".card:has-text('Being written')")).to_have_count(0)
    expect(page.locator(".mark-of")).to_have_count(8)

    document = page.url.rstrip("/").rpartition("/")[2]
    found = rest(house, "GET", f"documents/{document}/portfolio")
    assert found["count"] == 8
    assert all(each["total_value"] is not None and each["total_complexity"] is not None for each in found["cases"])
    low, high = found["cases"][0], found["cases"][1]
    for case, value, complexity in ((low, 89, 3), (high, 55, 5)):
        raised = rest(house, "GET", f"documents/{case['id']}")["fields"]
        paths = {f"value_scores/{each['id']}/rating": value for each in raised["value_scores"]}
        paths |= {f"complexity_scores/{each['id']}/rating": complexity for each in raised["complexity_scores"]}
        rest(house, "PATCH", f"documents/{case['id']}", {"fields": paths})
    expect(page.locator(f'.card[data-case="{low["id"]}"]')).to_contain_text("★★★★☆")
    expect(page.locator(f'tr[data-case="{low["id"]}"] td.total').first).to_have_text("89")

    page.locator("#cases .help a").click()
    expect(page.locator("#asks .notice")).to_contain_text("Changed since this was written")
    page.get_by_label("Value from").fill("50")
    page.get_by_label("Complexity up to").fill("8")
    page.get_by_role("button", name="Apply").click()
    computed = rest(house, "GET", f"documents/{document}/portfolio")
    top = [
        each["title"]
        for each in sorted(computed["cases"], key=lambda each: -(each["total_value"] or 0))
        if each["is_top"]
    ]
    expect(page.locator("ol.top li a")).to_have_text(top)
    assert {low["title"], high["title"]} <= set(top)


def a_portfolio(house: Stack, **cases: tuple[int, int]) -> str:
    """Each case by its title, how it is rated by the one axis of value, and by that of complexity."""
    axes = {"value_axes": [{"id": "v", "name": "Value"}], "complexity_axes": [{"id": "h", "name": "Hard"}]}
    home = rest(house, "POST", "documents", {"kind": "use_case_list", "title": "Harbour 2028", "fields": axes})
    for title, (good, hard) in cases.items():
        rated = {
            "value_scores": [{"axis": "v", "rating": good}],
            "complexity_scores": [{"axis": "h", "rating": hard}],
        }
        fields = {"description": f"What {title} does.", **rated}
        rest(house, "POST", "documents", {"kind": "use_case", "title": title, "parent": home["id"], "fields": fields})
    return str(home["id"])


def test_the_filter_holds_while_others_change_the_portfolio(visit: Visit, house: Stack) -> None:
    home = a_portfolio(house, Rounds=(89, 3), Forêt=(13, 34), Batches=(55, 55), Letters=(8, 89))
    page = visit("owner", f"/documents/{home}/")
    shown = page.locator(".card:visible h3")
    rows = page.locator("#ratings tbody tr:visible")
    expect(shown).to_have_text(["Rounds", "Forêt", "Batches", "Letters"])
    page.get_by_label("Filter the use cases").fill("foret")  # without its accent
    expect(shown).to_have_text(["Forêt"])
    expect(rows).to_have_count(1)
    expect(page.locator(".mark-of[data-out]")).to_have_count(3)
    expect(page.get_by_role("status").filter(has_text="1 of 4 use cases")).to_be_visible()
    forest = rest(house, "GET", f"documents/{home}/portfolio")["cases"][1]
    rest(house, "PATCH", f"documents/{forest['id']}", {"fields": {"value_scores/v/rating": 100}})
    expect(rows.locator(".total").first).to_have_text("100")
    expect(shown).to_have_text(["Forêt"])
    expect(page.get_by_label("Filter the use cases")).to_have_value("foret")
    page.get_by_label("Filter the use cases").fill("nothing like it")
    expect(shown).to_have_count(0)
    expect(page.locator("#filtered")).to_have_text("No use case matches.")
    page.get_by_label("Filter the use cases").fill("")
    expect(shown).to_have_count(4)
    page.get_by_label("recommended only").check()
    expect(shown).to_have_text(["Rounds", "Forêt"])


def test_cases_are_arranged_by_keyboard_and_everybody_sees_it(visit: Visit, house: Stack) -> None:
    home = a_portfolio(house, Rounds=(89, 3), Letters=(8, 89))
    page, other = visit("owner", f"/documents/{home}/"), visit("teammate", f"/documents/{home}/", width=390)
    expect(page.locator(".card h3")).to_have_text(["Rounds", "Letters"])
    page.locator(".card").nth(1).get_by_text("More").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Move up").focus()
    page.keyboard.press("Enter")
    for each in (page, other):
        expect(each.locator(".card h3")).to_have_text(["Letters", "Rounds"])
    expect(page.locator(".card").first.locator("summary")).to_be_focused()
    card = other.locator(".card", has_text="Rounds")
    card.get_by_text("More").click()
    card.get_by_role("button", name="Put it in the bin").click()
    for each in (page, other):
        expect(each.locator(".card h3")).to_have_text(["Letters"])
    page.locator("#removed summary").click()
    page.get_by_role("button", name="Take it out").click()
    for each in (page, other):
        expect(each.locator(".card h3")).to_have_text(["Letters", "Rounds"])


def test_the_dashboard_by_keyboard_on_a_phone_and_on_paper(visit: Visit, house: Stack) -> None:
    value = [{"id": f"v{n}", "name": f"Value {n}", "weight": n} for n in range(1, 4)]
    hard = [{"id": "h", "name": "Hard", "weight": 1}]
    home = rest(house, "POST", "documents", {
        "kind": "use_case_list", "title": "Harbour 2028", "fields": {"value_axes": value, "complexity_axes": hard},
    })  # fmt: skip
    for n in range(25):
        rated = {"value_scores": [{"axis": each["id"], "rating": (8, 13, 34)[n % 3]} for each in value]}
        rated["complexity_scores"] = [{"axis": "h", "rating": (8, 13)[n % 2]}]
        case = {"kind": "use_case", "title": f"Case number {n} of the portfolio", "parent": home["id"]}
        rest(house, "POST", "documents", {**case, "fields": {"description": "It helps.", **rated}})
    page = visit("owner", f"/documents/{home['id']}/")
    expect(page.locator(".card")).to_have_count(25)
    expect(page.locator(".mark-of")).to_have_count(25)
    names, circles = (page.locator(f".mark-of {each}").evaluate_all(BOXES) for each in (".name", "circle"))
    assert overlaps(names, [*names, *circles]) == []
    page.locator(".mark-of").nth(3).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/documents/"))
    expect(page.locator("h1")).to_have_text("Case number 3 of the portfolio")
    assert violations(page) == []
    phone = visit("teammate", f"/documents/{home['id']}/", width=390)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(phone) == []
    phone.emulate_media(media="print")
    expect(phone.locator(".scatter svg")).to_be_visible()
