"""Pages of a portfolio, its cases and its summary: what they show follows every rating, weight and threshold."""

import re
from html import unescape

from django.db import connection
from django.test.utils import CaptureQueriesContext

from generation import actions, documents
from memory.models import User
from tests.generation.portfolios import Portfolio
from tests.rest import Rest, told

MOST_QUERIES = 12


def rows(page: str) -> list[list[list[str]]]:
    body = re.search(r'<table class="cases">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    assert body
    return [
        [re.sub(r"<[^>]+>", " ", cell).split() for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", body[1], re.DOTALL)
    ]


def totals(page: str) -> list[list[str]]:
    """Of each case its number, its value, its complexity and its ease."""
    return [[" ".join(row[n]) for n in (0, 2, 3, 4)] for row in rows(page)]


def cards(page: str) -> list[str]:
    return re.findall(r'<h3 id="name-[^"]+"><a [^>]*>([^<]+)</a>', page)


def recommended(page: str) -> list[str]:
    return re.findall(r'<li data-case="[^"]+"><a [^>]*>([^<]+)</a>', page)


def test_the_dashboard_shows_where_every_case_stands(portfolio: Portfolio) -> None:
    shown = portfolio.page(portfolio.document)
    assert rows(shown)[0] == [
        ["1"], ["Plan", "the", "rounds"], ["55"], ["13"], ["87"], *[["55"]] * 3, *[["13"]] * 5,
    ]  # fmt: skip
    assert totals(shown) == [["1", "55", "13", "87"], ["2", "89", "89", "11"], ["3", "—", "—", "—"]]
    assert cards(shown) == ["Plan the rounds", "Foresee the weekend", "Unrated"]
    assert "About Foresee the weekend." in shown
    outline = re.findall(r'<a href="#([a-z_-]+)"', shown[shown.index('id="outline"') :])
    assert outline[:4] == ["board", "cases", "ratings", "field-value_axes"]
    assert shown.count('class="mark-of"') == 2  # what is not known lies nowhere
    assert 'aria-label="1. Plan the rounds: Value 55, Ease 87"' in shown
    assert "Value, median" in shown


def test_a_weight_a_rating_and_an_axis_change_all_of_it(portfolio: Portfolio) -> None:
    first = portfolio.cases[0]
    portfolio.edit(first, value_scores__business_value__rating=100)
    assert totals(portfolio.page(portfolio.document))[0][1] == "73"
    portfolio.edit(portfolio.document, value_axes__business_value__weight=0)
    assert totals(portfolio.page(portfolio.document))[0][1] == "55"
    for axis in ("business_value", "time_criticality", "risk_reduction"):
        portfolio.edit(portfolio.document, **{f"value_axes__{axis}": None})
    assert [" ".join(each) for each in rows(portfolio.page(portfolio.document))[0][2:]] == [
        "—", "13", "87", *["13"] * 5,
    ]  # fmt: skip
    assert "Value</dt><dd>—" in portfolio.page(first)


def test_a_title_is_there_once(portfolio: Portfolio) -> None:
    rest = Rest(portfolio.people.owner)
    taken = {"kind": "use_case", "title": "plan the Rounds", "parent": str(portfolio.document.id)}
    assert told(rest.post("documents", taken)) == (422, "validation.title_taken")
    second = f"documents/{portfolio.cases[1].id}"
    assert told(rest.patch(second, {"fields": {"title": " Plan the rounds "}})) == (422, "validation.title_taken")
    assert (
        rest.patch(second, {"fields": {"title": "Foresee the Weekend"}}).status_code == 200
    )  # its own, in other letters
    assert rest.post("documents", {**taken, "kind": "executive_summary"}).status_code == 201
    portfolio.people.client(portfolio.people.owner).post(f"/documents/{portfolio.cases[0].id}/bin/")
    assert rest.post("documents", taken).status_code == 201  # who has gone is in nobody's way


def test_cases_are_put_in_order_one_place_at_a_time(portfolio: Portfolio) -> None:
    client = portfolio.people.client(portfolio.people.teammate)
    first, second, third = portfolio.cases
    assert client.post(portfolio.moving(third), {"to": "up"}).status_code == 302
    assert cards(portfolio.page(portfolio.document)) == ["Plan the rounds", "Unrated", "Foresee the weekend"]
    for _ in range(2):  # the second time it is there already
        client.post(portfolio.moving(third), {"to": "up"})
    assert cards(portfolio.page(portfolio.document)) == ["Unrated", "Plan the rounds", "Foresee the weekend"]
    by_script = client.post(portfolio.moving(first), {"to": "down"}, headers={"HX-Request": "true"})
    assert (by_script.status_code, by_script["HX-Trigger"]) == (204, "changed")
    assert cards(portfolio.page(portfolio.document)) == ["Unrated", "Foresee the weekend", "Plan the rounds"]
    assert client.post(portfolio.moving(second), {"to": "sideways"}).status_code == 422
    assert client.post(portfolio.moving(portfolio.summary), {"to": "up"}).status_code == 404


def test_a_case_that_is_removed_comes_back_to_its_place(portfolio: Portfolio) -> None:
    client = portfolio.people.client(portfolio.people.teammate)
    first, second, third = portfolio.cases
    client.post(portfolio.moving(third), {"to": "up"})
    assert client.post(f"/documents/{third.id}/bin/").status_code == 302
    shown = portfolio.page(portfolio.document)
    assert cards(shown) == ["Plan the rounds", "Foresee the weekend"]
    assert "1 removed" in shown
    assert "Unrated" in client.get("/bin/").content.decode()  # who empties the bin sees it
    client.post(portfolio.moving(second), {"to": "up"})  # others may be moved meanwhile
    assert cards(portfolio.page(portfolio.document)) == ["Foresee the weekend", "Plan the rounds"]
    back = f"/documents/{third.id}/unbin/"
    assert f'action="{back}"' in shown
    assert f'action="{back}"' not in portfolio.page(portfolio.document, portfolio.people.viewer)
    client.post(back)
    shown = portfolio.page(portfolio.document)
    assert cards(shown) == ["Foresee the weekend", "Unrated", "Plan the rounds"]
    assert "removed" not in shown[shown.index('id="fields"') : shown.index('id="sections"')]
    for each in (first, second, third):
        client.post(f"/documents/{each.id}/bin/")
    shown = portfolio.page(portfolio.document)
    assert "There is no use case in it yet." in shown
    assert "3 removed" in shown


def test_pages_of_portfolios_ask_no_more_than_others(portfolio: Portfolio) -> None:
    client = portfolio.people.client(portfolio.people.teammate)
    for document in (portfolio.document, portfolio.cases[0], portfolio.summary):
        client.get(f"/documents/{document.id}/")  # who they are is known from then on
        with CaptureQueriesContext(connection) as asked:
            client.get(f"/documents/{document.id}/")
        assert len([each for each in asked.captured_queries if each["sql"].startswith("SELECT")]) <= MOST_QUERIES


def test_who_may_not_write_arranges_nothing(portfolio: Portfolio) -> None:
    second = portfolio.cases[1]
    for place in (portfolio.moving(second), f"/documents/{second.id}/bin/"):
        assert portfolio.people.client(portfolio.people.viewer).post(place, {"to": "up"}).status_code == 403
        assert portfolio.people.client(portfolio.people.stranger).post(place, {"to": "up"}).status_code == 404
        assert place not in portfolio.page(portfolio.document, portfolio.people.viewer)
    assert cards(portfolio.page(portfolio.document)) == ["Plan the rounds", "Foresee the weekend", "Unrated"]


def test_a_card_shows_how_a_text_begins_and_nothing_of_its_marks(portfolio: Portfolio) -> None:
    portfolio.edit(portfolio.cases[0], description="**Sorts** <i>letters</i> [1] & more of *them*. And then some.")
    shown = portfolio.page(portfolio.document)
    assert '<p dir="auto">Sorts <i>letters</i> & more of them.</p>' in shown
    assert "And then some" not in shown


def test_a_case_shows_its_scores_by_the_axes_of_its_portfolio(portfolio: Portfolio) -> None:
    portfolio.edit(portfolio.document, value_axes__business_value__name="Money")
    shown = portfolio.page(portfolio.cases[0])
    assert "Money" in shown
    assert "Harbour 2028" in shown
    assert re.search(r"Value</dt><dd>55</dd>", shown)
    alone = documents.create("use_case", "Alone", {}, user=portfolio.people.owner, workspace=portfolio.people.workspace)
    assert "Business value" in portfolio.page(alone)


def test_the_summary_recommends_by_its_thresholds_and_follows_them(portfolio: Portfolio) -> None:
    shown = portfolio.page(portfolio.summary)
    assert recommended(shown) == []  # medians of two: each is beyond one of them
    place = f"/documents/{portfolio.summary.id}/thresholds/"
    client = portfolio.people.client(portfolio.people.teammate)
    assert client.post(place, {"value_threshold": "34", "complexity_threshold": "21,5"}).status_code == 302
    assert recommended(portfolio.page(portfolio.summary)) == ["Plan the rounds"]
    assert "Value from 34, complexity up to 21.5." in portfolio.page(portfolio.summary)
    client.post(place, {"value_threshold": "0", "complexity_threshold": "100"})
    assert recommended(portfolio.page(portfolio.summary)) == ["Foresee the weekend", "Plan the rounds"]
    assert "recommended" in portfolio.page(portfolio.document)
    client.post(place, {"value_threshold": "", "complexity_threshold": ""})
    assert "the medians" in portfolio.page(portfolio.summary)
    refused = client.post(place, {"value_threshold": "101", "complexity_threshold": ""})
    assert refused.status_code == 422
    viewer = portfolio.people.client(portfolio.people.viewer)
    assert viewer.post(place, {"value_threshold": "1"}).status_code == 403
    assert 'action="' + place not in portfolio.page(portfolio.summary, portfolio.people.viewer)


def test_a_program_reads_where_the_cases_stand(portfolio: Portfolio) -> None:
    path = f"documents/{portfolio.document.id}/portfolio"
    assert told(Rest(portfolio.people.stranger).get(path)) == (404, "not_found.document")
    found = Rest(portfolio.people.viewer).get(path).json()
    assert [(each["title"], each["total_value"], each["total_ease"], each["stars"]) for each in found["cases"]] == [
        ("Plan the rounds", 55, 87, 4),
        ("Foresee the weekend", 89, 11, 4),
        ("Unrated", None, None, None),
    ]
    assert (found["count"], found["median_value"], found["mean_complexity"]) == (3, 72, 51)
    assert found["summary"] == str(portfolio.summary.id)
    other = f"documents/{portfolio.cases[0].id}/portfolio"
    assert told(Rest(portfolio.people.viewer).get(other)) == (404, "not_found.portfolio")


def test_a_portfolio_is_read_in_as_many_questions_for_25_cases_as_for_three(portfolio: Portfolio) -> None:
    client = portfolio.people.client(portfolio.people.teammate)
    counts = []
    for more in (0, 22):
        for n in range(more):
            fields = {"description": f"No. {n}"}
            home = {"user": portfolio.people.owner, "workspace": portfolio.people.workspace}
            documents.create("use_case", f"Case {n}", fields, parent=portfolio.document, **home)  # type: ignore[arg-type]
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/documents/{portfolio.document.id}/").status_code == 200
        counts.append(len(asked.captured_queries))
    assert counts[1] <= counts[0]


def test_an_empty_portfolio_says_so(portfolio: Portfolio) -> None:
    home = {"user": portfolio.people.owner, "workspace": portfolio.people.workspace}
    empty = documents.create("use_case_list", "Empty", {}, **home)  # type: ignore[arg-type]
    assert "There is no use case in it yet." in portfolio.page(empty)


def test_a_form_offers_the_companies_and_the_portfolios_that_are_there(portfolio: Portfolio) -> None:
    home = {"user": portfolio.people.owner, "workspace": portfolio.people.workspace}
    company = documents.create("company", "Harbour & Daughters", {}, **home)  # type: ignore[arg-type]
    client = portfolio.people.client(portfolio.people.teammate)
    asked = unescape(client.get(f"/new/use_case_list/?companies={company.id}").content.decode())
    assert f'name="companies" value="{company.id}" checked' in asked
    asked = unescape(client.get("/new/executive_summary/").content.decode())
    assert f'name="portfolio" value="{portfolio.document.id}"' in asked
    refused = client.post("/new/executive_summary/", {"brief": "For the board."})
    assert refused.status_code == 422
    assert "Choose one." in unescape(refused.content.decode())
    order = {"brief": "Six cases.", "companies": [str(company.id)], "requested_count": "6"}
    begun = client.post("/new/use_case_list/", order)
    assert begun.status_code == 302, begun.content


def test_a_case_that_its_portfolio_is_about_to_write_says_so(portfolio: Portfolio) -> None:
    people = portfolio.people
    home = {"user": people.owner, "workspace": people.workspace}
    empty = documents.create("use_case", "To come", {}, parent=portfolio.document, **home)  # type: ignore[arg-type]
    assert "It is written together with:" not in portfolio.page(empty)
    actions.act(portfolio.document, "add_cases", {}, user=people.owner)
    shown = portfolio.page(empty)
    assert "It is written together with:" in shown
    assert "Write it" not in re.sub(r"It is written", "", shown[shown.index('id="fields"') :])
    assert "It is written together with:" not in portfolio.page(portfolio.cases[0])  # it has its text


def test_the_scatter_is_drawn_in_french_too(portfolio: Portfolio) -> None:
    User.objects.filter(pk=portfolio.people.teammate.pk).update(language="fr")
    portfolio.edit(portfolio.cases[0], value_scores__business_value__rating=34)
    shown = portfolio.page(portfolio.document)
    drawn = shown[shown.index("<svg viewBox") : shown.index("</figure>")]
    places = re.findall(r' (?:c?[xy][12]?|d[xy]|r)="([^"]*)"', drawn)
    assert len(places) > 40
    assert [place for place in places if not re.fullmatch(r"-?[\d.]+", place)] == []
    assert "Valeur 47" in drawn
