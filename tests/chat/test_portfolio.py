"""A conversation about a portfolio: it knows all its cases, changes one score and says why, and takes all back."""

from typing import Any

import pytest

from chat.tools import TOOLS
from generation import documents
from generation.carrier import Carrier
from generation.models import Document, Run
from generation.portfolios import Portfolio
from generation.recipes.use_case_list.schema import default_axes
from memory import bases, history
from memory.base.database import db as in_database
from tests.chat.conftest import Say, tools_of
from tests.chat.test_tools import call, do, told
from tests.generation.conftest import Demo
from tests.people import People


@pytest.fixture
def portfolio(house: People) -> Document:
    """Two cases that are rated 34 throughout, and a summary that rests on them."""
    home: Any = {"user": house.owner, "workspace": house.workspace}
    value, complexity = default_axes("en")
    axes = {"value_axes": value, "complexity_axes": complexity}
    document = documents.create("use_case_list", "Harbour 2028", axes, **home)
    scores = {
        f"{name}_scores": [{"axis": axis["id"], "rating": 34, "justification": "So."} for axis in each]
        for name, each in (("value", value), ("complexity", complexity))
    }
    cases = [
        documents.create("use_case", title, {"description": "It helps.", **scores}, parent=document, **home)
        for title in ("Plan the rounds", "Trace a batch")
    ]
    summary = documents.create(
        "executive_summary",
        "In short",
        {"portfolio": str(document.id), "introduction": "Why."},
        parent=document,
        **home,
    )
    bases.rest(summary, [(case, "", case.fields) for case in cases])
    return document


def placed(document: Document) -> Portfolio:
    return Portfolio.of(Document.whole().get(id=document.id))


def stale(document: Document) -> set[Any]:
    summary = Document.objects.get(parent=document, kind="executive_summary")
    return {basis.source_id for each in bases.stale(summary.id).values() for basis in each}


async def test_one_score_is_lowered_with_its_reason_and_everything_follows(
    say: Say, demo: Demo, carrier: Carrier, portfolio: Document, house: People
) -> None:
    before = await in_database(placed, portfolio)
    case = before.cases[1].document
    path = "complexity_scores/data_availability"
    reply = await do(
        say,
        demo,
        call("list_objects"),
        call("update_field", object=str(case.id), field=f"{path}/rating", value=13),
        call("update_field", object=str(case.id), field=f"{path}/justification", value="The cafés keep their orders."),
        about=portfolio,
    )
    assert [each["error"] for each in tools_of(reply)] == [None, None, None]
    after = await in_database(placed, portfolio)
    lowered = after.cases[1]
    changed = [
        (was["axis"], now["rating"], now["justification"])
        for was, now in zip(case.fields["complexity_scores"], lowered.document.fields["complexity_scores"], strict=True)
        if was != now
    ]
    assert changed == [("data_availability", 13, "The cafés keep their orders.")]
    assert lowered.document.fields["value_scores"] == case.fields["value_scores"]
    assert before.cases[1].standing.total_complexity == 34
    assert lowered.standing.total_complexity == pytest.approx((34 * 4.5 + 13) / 5.5)
    assert after.cases[0].standing == before.cases[0].standing
    assert await in_database(stale, portfolio) == {case.id}
    assert reply.run_id
    await in_database(lambda: history.undo_group(reply.run_id, house.owner))
    restored = await in_database(placed, portfolio)
    assert restored.cases[1].document.fields == case.fields
    assert await in_database(stale, portfolio) == set()


async def test_it_knows_the_whole_list_with_where_each_stands(
    say: Say, demo: Demo, carrier: Carrier, portfolio: Document
) -> None:
    reply = await do(say, demo, call("list_objects"), about=portfolio)
    listed = {each["title"]: each for each in (await told(reply))["objects"]}
    assert set(listed) == {"Harbour 2028", "Plan the rounds", "Trace a batch", "In short"}
    assert listed["Trace a batch"]["computed"] == {
        "total_value": 34, "total_complexity": 34, "ease": 66, "stars": 4,
    }  # fmt: skip
    assert [each["title"] for each in listed["Harbour 2028"]["cases"]] == ["Plan the rounds", "Trace a batch"]


async def test_work_is_begun_on_what_it_is_about(say: Say, demo: Demo, carrier: Carrier, portfolio: Document) -> None:
    case = (await in_database(placed, portfolio)).cases[0].document
    begin = call("run_action", object=str(case.id), action="rewrite", options={"fields": ["risks"]})
    reply = await do(say, demo, begin, about=portfolio)
    (card,) = tools_of(reply)
    assert card["error"] is None
    run = await in_database(lambda: Run.objects.get(id=card["run"]))
    assert (run.document_id, run.action, run.options) == (case.id, "rewrite", {"fields": ["risks"]})
    assert TOOLS["run_action"].writes


async def test_what_is_not_done_to_such_a_document_is_not_begun(
    say: Say, demo: Demo, carrier: Carrier, portfolio: Document
) -> None:
    case = (await in_database(placed, portfolio)).cases[0].document
    reply = await do(say, demo, call("run_action", object=str(case.id), action="add_cases"), about=portfolio)
    assert (await told(reply))["error"] == "not_found.action"
    assert not await in_database(Run.objects.filter(document=case).exists)


async def test_of_another_document_nothing_is_touched(
    say: Say, demo: Demo, carrier: Carrier, portfolio: Document, note: Document
) -> None:
    case = (await in_database(placed, portfolio)).cases[0].document
    reply = await do(say, demo, call("update_field", object=str(case.id), field="contact", value="Me"), about=note)
    assert (await told(reply))["error"] == "tool.not_linked"
