"""Documents that people begin empty and fill in themselves: a company, a portfolio, a case in it."""

from html import unescape
from typing import Any

import pytest

from generation.models import Document, Run
from memory.models import User
from tests.generation.portfolios import Portfolio
from tests.people import People


def begin(people: People, user: User, kind: str, **form: str) -> Any:
    return people.client(user).post(f"/new/{kind}/by-hand/", form)


@pytest.mark.parametrize("kind", ["company", "use_case_list", "use_case"])
def test_it_begins_empty_and_leads_to_its_form(people_committed: People, kind: str) -> None:
    client = people_committed.client(people_committed.owner)
    assert f'action="/new/{kind}/by-hand/"' in client.get(f"/new/{kind}/").content.decode()
    answer = begin(people_committed, people_committed.owner, kind, title="  Harbour  ")
    made = Document.whole().get(kind=kind)
    assert answer["Location"] == f"/documents/{made.id}/edit/"
    assert (made.title, made.fields, made.workspace) == ("Harbour", {}, people_committed.workspace)
    assert client.get(answer["Location"]).status_code == 200
    assert client.get(f"/documents/{made.id}/").status_code == 200
    assert not Run.objects.exists()


@pytest.mark.parametrize("kind", ["course", "note", "executive_summary", "nonsense"])
def test_what_is_not_made_for_it_has_no_such_door(people_committed: People, kind: str) -> None:
    assert begin(people_committed, people_committed.owner, kind, title="Harbour").status_code == 404
    assert "by-hand" not in people_committed.client(people_committed.owner).get("/new/course/").content.decode()


def test_a_case_is_added_to_its_portfolio(portfolio: Portfolio) -> None:
    people = portfolio.people
    portfolio.edit(portfolio.document, language="fr")
    home = str(portfolio.document.id)
    assert "/new/use_case/by-hand/" in portfolio.page(portfolio.document)
    assert "/new/use_case/by-hand/" not in portfolio.page(portfolio.document, people.viewer)
    answer = begin(people, people.teammate, "use_case", title="Trace a batch", parent=home)
    made = Document.whole().get(title="Trace a batch")
    assert answer["Location"] == f"/documents/{made.id}/edit/"
    assert (made.parent, made.language) == (portfolio.document, "fr")
    assert "Trace a batch" in portfolio.page(portfolio.document)


def test_it_needs_a_title_that_is_not_there_yet_and_someone_who_may_write(portfolio: Portfolio) -> None:
    people, home = portfolio.people, str(portfolio.document.id)
    nameless = begin(people, people.owner, "use_case", title=" ", parent=home)
    assert nameless.status_code == 422
    assert "It has no title yet." in unescape(nameless.content.decode())
    assert begin(people, people.owner, "use_case", title="plan the Rounds", parent=home).status_code == 422
    assert begin(people, people.viewer, "use_case", title="Mine", parent=home).status_code == 403
    assert begin(people, people.stranger, "use_case", title="Mine", parent=home).status_code == 404
    assert begin(people, people.viewer, "company", title="Mine").status_code == 404  # nowhere that they may write
    assert not Document.objects.filter(title="Mine").exists()
