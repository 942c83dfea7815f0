"""A portfolio: its matrix and its list at once, then all its cases, each a document of its own, then a summary."""

import json
from pathlib import Path
from typing import Any

import pytest

from generation import actions, conditions, documents
from generation.carrier import Carrier
from generation.models import Call, Document, Issue, Run, RunState
from generation.portfolios import Portfolio
from generation.recipes.use_case.cases import Texts
from generation.scores import RATINGS
from memory import bases, history, workspaces
from memory.base.database import db as in_database
from memory.base.errors import NotFound, RunError
from memory.base.ids import new_id
from memory.history import By
from memory.models import Proposal
from tests.generation.conftest import Demo, Start, ended
from tests.people import People
from tests.rest import Rest

BRIEFS = Path(__file__).parents[1] / "briefs"  # as people sent them
LISTS = ("benefits", "constraints", "metrics", "risks", "next_steps", "technologies", "data_sources", "data_objects")


async def written(run: Run) -> Document:
    return await in_database(lambda: Document.whole().get(runs=run))


async def portfolio_of(run: Run) -> Portfolio:
    def read() -> Portfolio:
        return Portfolio.of(Document.whole().get(runs=run))

    return await in_database(read)


async def test_from_the_company_to_the_summary(carrier: Carrier, house: People, demo: Demo, start: Start) -> None:
    company_run = await start(kind="company", brief=(BRIEFS / "company.txt").read_text())
    assert (await ended(company_run)).state == RunState.DONE
    company = await written(company_run)
    options = {"companies": [str(company.id)], "requested_count": 8}
    run = await start(kind="use_case_list", brief=(BRIEFS / "use_case_list.txt").read_text(), options=options)
    assert (await ended(run)).state == RunState.DONE
    portfolio = await portfolio_of(run)
    assert portfolio.document.title == f"Cas d’usage de {company.title}"
    assert portfolio.document.fields["companies"] == [str(company.id)]
    assert len(portfolio.cases) == portfolio.aggregates.count == 8
    axes = {"value_scores": portfolio.axes.value, "complexity_scores": portfolio.axes.complexity}
    assert [len(each) for each in axes.values()] == [3, 5]
    assert all(axis["description"] and len(axis["levels"]) == 5 for each in axes.values() for axis in each)
    for case in portfolio.cases:
        fields = case.document.fields
        assert set(Texts.model_fields) <= set(fields)
        assert all(fields[name] for name in LISTS)
        for name, asked in axes.items():
            assert [score["axis"] for score in fields[name]] == [axis["id"] for axis in asked]
            assert all(score["rating"] in RATINGS and score["justification"] for score in fields[name])
        assert case.standing.is_known
    assert await in_database(Issue.objects.count) == 0

    summary = await in_database(lambda: Document.objects.get(parent=portfolio.document, kind="executive_summary"))
    assert all(summary.fields[name] for name in ("introduction", "analysis", "recommendation", "synthesis"))
    least, most = portfolio.thresholds(summary.fields)
    assert (least, most) == (portfolio.aggregates.median_value, portfolio.aggregates.median_complexity)
    call = await in_database(lambda: Call.objects.get(run=run, step="summary"))
    assert call.variables
    assert call.variables["top"] == [each.title for each in portfolio.top(least, most)]

    rest = await in_database(Rest, house.teammate)
    again = {"portfolio": str(portfolio.document.id)}
    body = {"kind": "executive_summary", "brief": (BRIEFS / "executive_summary.txt").read_text(), "options": again}
    told = await in_database(lambda: rest.post("runs", body))
    assert told.status_code == 202, told.content
    other = await in_database(lambda: Run.objects.get(id=told.json()["id"]))
    assert (await ended(other)).state == RunState.DONE
    assert (await written(other)).fields["portfolio"] == str(portfolio.document.id)


def pitches(*titles: str) -> str:
    return json.dumps({"cases": [{"title": title, "about": f"About {title}."} for title in titles]})


async def a_portfolio(start: Start, *titles: str, **facts: Any) -> Run:
    return await start(kind="use_case_list", options={"requested_count": len(titles)}, **facts)


def listing(*titles: str) -> dict[str, Any]:
    return {"contains": f"Find {len(titles)} use cases", "content": pitches(*titles)}


async def written_whole(start: Start, demo: Demo, *titles: str) -> tuple[Run, Portfolio]:
    """The run that has written a case of each title, and what came of it."""
    demo.set(rules=[listing(*titles)])
    run = await a_portfolio(start, *titles)
    assert (await ended(run)).state == RunState.DONE
    return run, await portfolio_of(run)


async def test_two_of_one_name_are_one(carrier: Carrier, start: Start, demo: Demo) -> None:
    titles = ("Plan the rounds", "Trace a batch", "plan the Rounds")
    demo.set(rules=[listing(*titles)])
    run = await a_portfolio(start, *titles)
    assert (await ended(run)).state == RunState.DONE
    portfolio = await portfolio_of(run)
    assert [each.title for each in portfolio.cases] == ["Plan the rounds", "Trace a batch"]
    issue = await in_database(Issue.objects.get)
    assert (issue.type, issue.params) == ("case_twice", {"title": "plan the Rounds"})


async def test_a_case_that_cannot_be_written_costs_itself(carrier: Carrier, start: Start, demo: Demo) -> None:
    titles = ("Plan the rounds", "Trace a batch", "Foresee the ripening")
    broken = {"contains": "The use case: Trace a batch", "fault": "server_error"}
    demo.set(rules=[listing(*titles), broken])
    run = await a_portfolio(start, *titles)
    assert (await ended(run)).state == RunState.PARTIAL
    portfolio = await portfolio_of(run)
    assert [each.is_written for each in portfolio.cases] == [True, False, True]
    lost = portfolio.cases[1]
    states = await in_database(
        conditions.of_documents, [portfolio.document, *(each.document for each in portfolio.cases)]
    )
    assert [states[each] for each in (portfolio.document.id, lost.id)] == ["partial", "failed"]
    assert not lost.standing.is_known
    found = await in_database(lambda: list(Issue.objects.filter(document=lost.document).values_list("type", flat=True)))
    assert sorted(set(found)) == ["axis_missing", "case_not_written"]
    asked = await in_database(lambda: Call.objects.get(run=run, step="summary"))
    assert asked.variables
    assert asked.variables["missing"] == ["Trace a batch"]

    demo.set(rules=[])
    again = await in_database(lambda: actions.retry(run, run.user)[0])
    assert (await ended(again)).state == RunState.DONE
    portfolio = await portfolio_of(again)
    assert [each.title for each in portfolio.cases] == list(titles)
    assert all(each.is_written and each.standing.is_known for each in portfolio.cases)
    open_issues = await in_database(Issue.objects.filter(document=lost.document, state="open").count)
    assert open_issues == 0


async def test_an_axis_that_is_not_rated_and_one_that_nobody_knows(carrier: Carrier, start: Start, demo: Demo) -> None:
    said = json.dumps({
        "business_value": {"rating": 34, "justification": "So."},
        "glamour": {"rating": 100, "justification": "So."},
    })  # fmt: skip
    demo.set(rules=[listing("Plan the rounds"), {"contains": "Rate this use case", "content": said}])
    run = await a_portfolio(start, "Plan the rounds")
    assert (await ended(run)).state == RunState.DONE
    (case,) = (await portfolio_of(run)).cases
    assert [score["axis"] for score in case.document.fields["value_scores"]] == ["business_value"]
    assert (case.standing.total_value, case.standing.total_complexity) == (34, None)
    found = await in_database(lambda: list(Issue.objects.order_by("id").values_list("type", flat=True)))
    assert sorted(found) == [*["axis_missing"] * 7, "axis_unknown"]


async def test_a_summary_is_stale_once_a_case_it_rests_on_changes(
    carrier: Carrier, start: Start, demo: Demo, house: People
) -> None:
    run, portfolio = await written_whole(start, demo, "Plan the rounds", "Trace a batch")

    def stale() -> list[Any]:
        summary = Document.objects.get(parent=portfolio.document, kind="executive_summary")
        return [basis.source_id for each in bases.stale(summary.id).values() for basis in each]

    assert await in_database(stale) == []
    case = portfolio.cases[1].document
    path = "complexity_scores/data_availability/rating"
    rating = 13 if portfolio.cases[1].document.fields["complexity_scores"][3]["rating"] != 13 else 21
    change = await in_database(lambda: documents.edit(case, {path: rating}, By.person(house.teammate)))
    assert await in_database(stale) == [case.id]
    binned = await in_database(lambda: documents.bin(portfolio.cases[0].document, house.teammate))
    assert set(await in_database(stale)) == {case.id, portfolio.cases[0].id}
    await in_database(lambda: history.undo(binned[0], house.teammate))
    after = await portfolio_of(run)
    assert after.cases[1].standing.total_complexity != portfolio.cases[1].standing.total_complexity
    await in_database(lambda: history.undo(change[0], house.teammate))
    assert await in_database(stale) == []
    weight = {"value_axes/business_value/weight": 0}
    await in_database(lambda: documents.edit(after.document, weight, By.person(house.teammate)))
    assert await in_database(stale) == [portfolio.document.id]


async def test_cases_are_added_and_one_is_written_again(
    carrier: Carrier, start: Start, demo: Demo, house: People
) -> None:
    run, portfolio = await written_whole(start, demo, "Plan the rounds")
    demo.set(rules=[{"contains": "What is wanted now: Traceability", "content": pitches("Trace a batch")}])
    more, _ = await in_database(
        lambda: actions.act(portfolio.document, "add_cases", {"instruction": "Traceability"}, user=house.owner)
    )
    assert (await ended(more)).state == RunState.DONE
    grown = await portfolio_of(more)
    assert [each.title for each in grown.cases] == ["Plan the rounds", "Trace a batch"]
    assert all(each.standing.is_known for each in grown.cases)
    case = grown.cases[0].document
    demo.set(rules=[{"contains": "these fields of the case anew: risks.", "content": '{"risks": ["Snow."]}'}])
    again, _ = await in_database(lambda: actions.act(case, "rewrite", {"fields": ["risks"]}, user=house.owner))
    assert (await ended(again)).state == RunState.DONE
    fields = (await written(again)).fields
    assert fields["risks"] == ["Snow."]
    assert {name for name in fields if fields[name] != case.fields[name]} == {"risks"}


async def test_a_list_that_is_made_again_takes_the_place_of_the_first(
    carrier: Carrier, start: Start, demo: Demo, house: People
) -> None:
    run, first = await written_whole(start, demo, "Plan the rounds", "Trace a batch")
    kept, gone = (each.document for each in first.cases)
    await in_database(lambda: documents.edit(kept, {"contact": "Ann"}, By.person(house.teammate)))
    mine = [str(each.id) for each in (gone, kept)]
    await in_database(lambda: documents.edit(first.document, {"cases": mine}, By.person(house.teammate)))
    demo.set(rules=[{"contains": "Find 2 use cases", "fault": "server_error"}])
    failed = await in_database(lambda: actions.retry(run, run.user, ["list"])[0])
    assert (await ended(failed)).state == RunState.FAILED
    demo.set(rules=[listing("Foresee the ripening", "Sort letters")])
    again = await in_database(lambda: actions.retry(failed, run.user)[0])
    assert (await ended(again)).state == RunState.DONE
    portfolio = await portfolio_of(again)
    assert [each.title for each in portfolio.cases] == ["Plan the rounds", "Foresee the ripening", "Sort letters"]
    assert all(each.is_written and each.standing.is_known for each in portfolio.cases)
    assert not (await in_database(lambda: Document.objects.get(id=gone.id))).present
    proposal = await in_database(lambda: Proposal.objects.get(object_id=kept.id))
    assert proposal.values == {"present": False}
    proposed = await in_database(Proposal.objects.filter(object_id=portfolio.document.id).count)
    assert proposed == 0  # what is new stands behind what people have put in order
    assert await in_database(lambda: Document.objects.filter(kind="executive_summary", present=True).count()) == 1


async def test_axes_are_asked_for_whatever_their_ids_look_like(
    carrier: Carrier, start: Start, demo: Demo, house: People
) -> None:
    run, portfolio = await written_whole(start, demo, "Plan the rounds")
    ids = ["_x", "model_config", "copy", "qualité des données", "1-2"]
    changed = {"value_axes": [{"id": each, "name": f"Axis {each}"} for each in ids]}
    await in_database(lambda: documents.edit(portfolio.document, changed, By.person(house.teammate)))
    rated = await in_database(lambda: actions.retry(run, run.user, ["case-1/scores"])[0])
    assert (await ended(rated)).state == RunState.DONE
    (case,) = (await portfolio_of(rated)).cases
    assert set(ids) <= {each["id"] for each in case.document.fields["value_scores"]}
    described = await in_database(lambda: actions.retry(rated, run.user, ["matrix"])[0])
    assert (await ended(described)).state == RunState.DONE
    assert [each["id"] for each in (await portfolio_of(described)).axes.value] == ids  # theirs: what is new is proposed
    proposal = await in_database(lambda: Proposal.objects.get(object_id=portfolio.document.id))
    assert [(axis["id"], len(axis["levels"])) for axis in proposal.values["value_axes"]] == [(each, 5) for each in ids]


async def test_a_case_is_rated_again_by_the_axes_as_people_have_made_them(
    carrier: Carrier, start: Start, demo: Demo, house: People
) -> None:
    run, portfolio = await written_whole(start, demo, "Plan the rounds")
    axis = {"id": "glamour", "name": "Glamour", "weight": 1}
    changed = {"value_axes": [*portfolio.axes.value[1:], axis]}
    await in_database(lambda: documents.edit(portfolio.document, changed, By.person(house.teammate)))
    again = await in_database(lambda: actions.retry(run, run.user, ["case-1/scores"])[0])
    assert (await ended(again)).state == RunState.DONE
    after = await portfolio_of(again)
    assert [each["id"] for each in after.axes.value] == ["time_criticality", "risk_reduction", "glamour"]
    rated = {each["id"] for each in after.cases[0].document.fields["value_scores"]}
    assert {"time_criticality", "risk_reduction", "glamour"} <= rated


async def test_a_use_case_by_itself(carrier: Carrier, start: Start, demo: Demo) -> None:
    run = await start(kind="use_case", brief=(BRIEFS / "use_case.txt").read_text())
    assert (await ended(run)).state == RunState.DONE
    case = await written(run)
    assert case.title
    assert set(Texts.model_fields) <= set(case.fields)
    assert [len(case.fields[name]) for name in ("value_scores", "complexity_scores")] == [3, 5]


async def test_of_an_empty_portfolio_there_is_no_summary(carrier: Carrier, house: People, start: Start) -> None:
    empty = await in_database(
        lambda: documents.create("use_case_list", "Empty", {}, user=house.owner, workspace=house.workspace)
    )
    with pytest.raises(RunError, match=r"run\.nothing_to_sum_up"):
        await start(kind="executive_summary", options={"portfolio": str(empty.id)})
    for options in ({"portfolio": str(new_id())}, {"portfolio": str(house.workspace.id)}):
        with pytest.raises(NotFound, match=r"not_found\.document"):
            await start(kind="executive_summary", options=options)
    assert await in_database(Run.objects.count) == 0


async def test_a_portfolio_of_another_workspace_is_nobodys_to_sum_up(
    carrier: Carrier, start: Start, demo: Demo, house: People
) -> None:
    def begin() -> tuple[Document, Document]:
        theirs = workspaces.create("Theirs", house.stranger)
        home: dict[str, Any] = {"user": house.stranger, "workspace": theirs}
        portfolio = documents.create("use_case_list", "Secret", {}, **home)
        documents.create("use_case", "Secret case", {"description": "Secret."}, parent=portfolio, **home)
        own: dict[str, Any] = {"user": house.owner, "workspace": house.workspace}
        return portfolio, documents.create("executive_summary", "Mine", {"portfolio": str(portfolio.id)}, **own)

    _, mine = await in_database(begin)
    run, _ = await in_database(lambda: actions.act(mine, "rewrite", {}, user=house.owner))
    assert (await ended(run)).state == RunState.FAILED
    assert demo.stats()["requests"] == 0
    assert "portfolio" in mine.fields
    page = await in_database(lambda: house.client(house.owner).get(f"/documents/{mine.id}/"))
    assert "Secret" not in page.content.decode()


async def test_what_a_person_wrote_stands_however_often_machines_write(
    carrier: Carrier, start: Start, demo: Demo, house: People
) -> None:
    run, portfolio = await written_whole(start, demo, "Plan the rounds")
    case = portfolio.cases[0].document
    path = "value_scores/business_value/rating"
    rating = 13 if case.fields["value_scores"][0]["rating"] != 13 else 21
    await in_database(lambda: documents.edit(case, {path: rating, "contact": "Ada"}, By.person(house.teammate)))
    demo.set(rules=[{"contains": "fields of the case anew", "content": '{"risks": ["Snow."]}'}])
    for action, options in (("rewrite", {"fields": ["risks"]}), ("rate", {}), ("rate", {}), ("rewrite", {})):
        if action == "rewrite" and not options:
            demo.set(rules=[])
        again, _ = await in_database(actions.act, case, action, options, user=house.owner)
        await ended(again)
    fields = (await written(again)).fields
    assert (fields["value_scores"][0]["rating"], fields["contact"]) == (rating, "Ada")
