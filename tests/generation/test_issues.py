"""What was found in a document: raised by the step that wrote, decided by people, never raised twice."""

from html import unescape

import pytest
from django.test import Client

from generation import citations, documents, issues
from generation.issues import Finding
from generation.models import Document, Issue, IssueState
from memory.base.errors import ScriptoriumError
from memory.base.ids import new_id
from memory.models import User
from tests.people import People
from tests.rest import Rest, told

LINK = Finding("link_invented", {"url": "https://invented.example/"}, "industry")
NUMBER = Finding("citation_unknown", {"number": 7}, "size")


@pytest.fixture
def company(people: People) -> Document:
    return documents.create("company", "Harbour", {"size": "38."}, user=people.owner, workspace=people.workspace)


def find(company: Document, *findings: Finding, step: str = "enrich") -> None:
    issues.find(company, findings, citations.TYPES, run=new_id(), step=step)


def open_types(company: Document) -> list[str]:
    return [issue.type for issue in issues.of(company).filter(state=IssueState.OPEN)]


def test_what_is_found_again_is_one_issue_and_what_is_not_is_resolved_whoever_looks(company: Document) -> None:
    find(company, LINK, LINK, NUMBER)
    find(company, LINK, NUMBER, step="enrich/size")
    assert open_types(company) == ["link_invented", "citation_unknown"]
    find(company, NUMBER, step="enrich/size")
    assert open_types(company) == ["citation_unknown"]
    assert Issue.objects.filter(state=IssueState.RESOLVED, decided_at__isnull=False).count() == 1
    find(company, LINK, NUMBER)
    assert open_types(company) == ["citation_unknown", "link_invented"]


def test_of_fields_that_were_not_written_nothing_is_said(company: Document) -> None:
    find(company, LINK, NUMBER)
    issues.find(company, [], citations.TYPES, ["size"], run=new_id(), step="enrich/size")
    issues.find(company, [], ["axis_missing"], run=new_id(), step="enrich/size")
    assert open_types(company) == ["link_invented"]


def test_what_is_meant_so_is_not_raised_again(company: Document, people: People) -> None:
    find(company, LINK)
    issues.decide(Issue.objects.get(), people.teammate, "intentional", "It is ours.")
    find(company, LINK)
    (only,) = Issue.objects.all()
    assert (only.state, only.reason, only.decided_by) == ("intentional", "It is ours.", people.teammate)
    issues.decide(only, people.owner, "open")
    assert open_types(company) == ["link_invented"]
    assert Issue.objects.get().decided_by is None


@pytest.mark.parametrize(
    ("state", "reason", "code"),
    [
        ("gone", "", "validation.choice"),
        ("intentional", " ", "validation.reason_needed"),
        ("resolved", "x" * 501, "validation.reason_too_long"),
    ],
)
def test_what_does_not_fit_is_refused(company: Document, people: People, state: str, reason: str, code: str) -> None:
    find(company, LINK)
    with pytest.raises(ScriptoriumError) as refused:
        issues.decide(Issue.objects.get(), people.owner, state, reason)
    assert refused.value.code == code
    assert open_types(company) == ["link_invented"]


def test_members_see_it_writers_decide_and_a_stranger_finds_nothing(company: Document, people: People) -> None:
    find(company, LINK)
    issue = Issue.objects.get()
    path, body = f"issues/{issue.pk}", {"state": "resolved"}
    assert told(Rest(people.stranger).patch(path, body)) == (404, "not_found.issue")
    assert told(Rest(people.stranger).get(f"documents/{company.id}/issues")) == (404, "not_found.document")
    assert told(Rest(people.viewer).patch(path, body)) == (403, "permission.role")
    (listed,) = Rest(people.viewer).get(f"documents/{company.id}/issues").json()
    assert (listed["type"], listed["params"], listed["state"]) == ("link_invented", dict(LINK.params), "open")
    assert "https://invented.example/" in listed["text"]
    assert Rest(people.teammate).patch(path, body).json()["state"] == "resolved"
    assert Rest(people.viewer).get(f"documents/{company.id}/issues").json() == []
    assert len(Rest(people.viewer).get(f"documents/{company.id}/issues", state="open,resolved").json()) == 1


def page(user: User, company: Document) -> str:
    client = Client()
    client.force_login(user)
    return unescape(client.get(f"/documents/{company.id}/").content.decode())


@pytest.fixture
def committed(people_committed: People) -> Document:
    """A page is read in a transaction of its own."""
    owner = people_committed.owner
    return documents.create("company", "Harbour", {"size": "38."}, user=owner, workspace=people_committed.workspace)


def test_the_page_tells_it_and_takes_the_decision(committed: Document, people_committed: People) -> None:
    company, people = committed, people_committed
    find(company, LINK)
    place = f"/issues/{Issue.objects.get().pk}/decide/"
    shown = page(people.teammate, company)
    assert "1 finding" in shown
    assert "neither given nor found was taken out: https://invented.example/" in shown
    assert place in shown
    read_only = page(people.viewer, company)
    assert "1 finding" in read_only
    assert place not in read_only
    client = Client()
    client.force_login(people.teammate)
    assert client.post(place, {"state": "intentional", "reason": "It is ours."}).status_code == 302
    assert "finding" not in page(people.teammate, company)


def test_what_a_model_wrote_of_it_is_text(committed: Document, people_committed: People) -> None:
    Issue.objects.create(document=committed, severity="high", type="contradiction", detail="<b>No</b>")
    client = Client()
    client.force_login(people_committed.owner)
    assert "&lt;b&gt;No&lt;/b&gt;" in client.get(f"/documents/{committed.id}/").content.decode()
