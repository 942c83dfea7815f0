"""A company: written from a brief, one field again alone; what people wrote stays, what nobody gave is taken out."""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from generation import actions, documents, exports
from generation.carrier import Carrier
from generation.models import Call, Document, Issue, Run, RunState, Step
from generation.recipes.company.schema import TEXTS
from memory import history
from memory.base.database import db as in_database
from memory.history import By
from memory.models import Proposal
from tests.generation.conftest import Demo, Start, ended, until_asked
from tests.generation.web.conftest import web, web_of_tests
from tests.people import People
from tests.rest import Rest, told
from tests.web import Web, article

__all__ = ["web", "web_of_tests"]

BRIEFS = Path(__file__).parents[1] / "briefs"  # as people sent them
Act = Callable[..., Awaitable[Run]]
BRIEF = "Harbour & Daughters, bakers in Whitby. See https://bakers.example/whitby for more."


@pytest.fixture
def act(house: People) -> Act:
    async def run_of(document: Document, **options: Any) -> Run:
        run, _ = await in_database(lambda: actions.act(document, "enrich", options, user=house.owner))
        return run

    return run_of


def profile(**texts: str) -> str:
    return json.dumps({name: f"About {name}." for name in TEXTS} | {"name": "Harbour & Daughters"} | texts)


async def document_of(run: Run) -> Document:
    return await in_database(lambda: Document.objects.get(runs=run))


async def test_a_brief_becomes_a_profile_in_every_format(carrier: Carrier, house: People, demo: Demo) -> None:
    rest = await in_database(Rest, house.teammate)
    text = (BRIEFS / "company.txt").read_text()
    asked = (await in_database(rest.post, "runs", {"kind": "company", "brief": text})).json()
    run = await in_database(lambda: Run.objects.get(id=asked["id"]))
    assert (await ended(run)).state == RunState.DONE
    shown = (await in_database(rest.get, f"documents/{asked['document']}")).json()
    assert shown["title"]
    assert all(shown["fields"][name] for name in TEXTS)
    assert (shown["language"], shown["state"], shown["sections"]) == ("fr", "draft", [])
    assert await in_database(lambda: {call.agent for call in Call.objects.filter(run=run)}) == {"writer"}
    for kind in exports.FORMATS:
        file = await in_database(partial(rest.get, f"documents/{shown['id']}/export", format=kind))
        assert file.status_code == 200, file.content


async def test_what_nobody_gave_is_taken_out_and_said(carrier: Carrier, start: Start, demo: Demo) -> None:
    said = profile(
        industry="Bread [1]. See [them](https://bakers.example/whitby) and [others](https://invented.example/a).",
        size="38 people, says https://invented.example/b.",
    )
    demo.set(rules=[{"contains": "Write its profile", "content": said}])
    run = await start(kind="company", brief=BRIEF)
    assert (await ended(run)).state == RunState.DONE
    fields = (await document_of(run)).fields
    assert fields["industry"] == "Bread . See [them](https://bakers.example/whitby) and others."
    assert fields["size"] == "38 people, says invented.example."
    found = await in_database(lambda: list(Issue.objects.order_by("id").values_list("type", "path", "state")))
    assert found == [
        ("link_invented", "industry", "open"),
        ("citation_unknown", "industry", "open"),
        ("link_invented", "size", "open"),
    ]


async def test_one_field_is_written_again_alone(
    carrier: Carrier, start: Start, demo: Demo, act: Act, house: People
) -> None:
    demo.set(rules=[{"contains": "Write its profile", "content": profile()}])
    run = await start(kind="company", brief="Harbour & Daughters, bakers in Whitby.")
    await ended(run)
    document = await document_of(run)
    demo.set(rules=[{"contains": "Write these fields of its profile anew: kpis.", "content": '{"kpis": "Half sold."}'}])
    again = await act(document, fields=["kpis"])
    assert (await ended(again)).state == RunState.DONE
    after = await document_of(again)
    assert {name for name in TEXTS if after.fields[name] != document.fields[name]} == {"kpis"}
    assert await in_database(lambda: list(Call.objects.filter(run=again).values_list("step", flat=True))) == [
        "enrich/kpis"
    ]
    refused = await in_database(
        lambda: Rest(house.owner).post(f"documents/{document.id}/actions/enrich", {"options": {"fields": ["colour"]}})
    )
    assert told(refused) == (422, "validation.options")


async def test_what_a_person_wrote_stays_and_the_machine_proposes(
    carrier: Carrier, house: People, demo: Demo, act: Act
) -> None:
    def begin() -> Document:
        document = documents.create(
            "company", "Harbour", {"industry": "Mine."}, user=house.owner, workspace=house.workspace
        )
        documents.edit(document, {"size": "Ours: 38."}, By.person(house.teammate))
        return document

    def write_meanwhile() -> None:
        documents.edit(Document.whole().get(id=document.id), {"kpis": "Theirs."}, By.person(house.teammate))

    document = await in_database(begin)
    demo.set(first_token_ms=1_000, rules=[{"contains": "Write its profile", "content": profile()}])
    run = await act(document)
    await until_asked(demo)
    await in_database(write_meanwhile)
    assert (await ended(run)).state == RunState.DONE
    fields = (await document_of(run)).fields
    assert [fields[name] for name in ("industry", "size", "kpis")] == ["Mine.", "Ours: 38.", "Theirs."]
    assert fields["processes"] == "About processes."
    waiting = await in_database(Proposal.objects.get)
    assert waiting.values == {name: f"About {name}." for name in ("industry", "size", "kpis")}
    await in_database(lambda: history.accept(waiting, house.owner))
    assert (await document_of(run)).fields["industry"] == "About industry."


async def test_when_no_model_can_say_anything_what_was_there_is_kept(
    carrier: Carrier, house: People, demo: Demo, act: Act
) -> None:
    document = await in_database(
        lambda: documents.create("company", "Harbour", {"size": "38."}, user=house.owner, workspace=house.workspace)
    )
    demo.set(rules=[{"contains": "profile", "fault": "refusal"}])
    run = await act(document)
    assert (await ended(run)).state == RunState.PARTIAL
    rest = await in_database(Rest, house.owner)
    shown = (await in_database(rest.get, f"documents/{document.id}")).json()
    assert (shown["fields"], shown["state"]) == ({"size": "38."}, "partial")


# --- the web


FOUND = "http://harbour.test/about"


def looks_up(*calls: dict[str, Any]) -> list[dict[str, Any]]:
    """Each round the model wishes for one of these, then it has found enough."""
    asked = "Find out about this company"
    once = [{"contains": asked, "calls": [each], "times": 1} for each in calls]
    return [*once, {"contains": asked, "content": "That is it."}]


async def test_what_the_web_says_is_cited_and_nothing_else_is(
    carrier: Carrier, start: Start, demo: Demo, web: Web, settings: Settings
) -> None:
    settings.SEARXNG_URL = web.url
    web.found = [{"title": "Harbour & Daughters", "url": FOUND, "content": "Bakers since 1961."}]
    text = "They bake for forty cafés in Whitby, six nights a week. " * 5
    web.pages["harbour.test/about"] = article("Harbour & Daughters", text)
    search = {"name": "web_search", "arguments": {"query": "Harbour & Daughters Whitby"}}
    read = {"name": "web_extract", "arguments": {"url": FOUND}}
    invented = {"name": "web_extract", "arguments": {"url": "https://invented.test/x"}}
    said = profile(industry="They bake for forty cafés [1].", size="See https://invented.test/x and [4].")
    demo.set(rules=[*looks_up(search, read, invented), {"contains": "Write its profile", "content": said}])
    run = await start(kind="company", brief="Harbour & Daughters, bakers in Whitby.")
    assert (await ended(run)).state == RunState.DONE
    fields = (await document_of(run)).fields
    assert fields["industry"] == "They bake for forty cafés [1]."
    (reference,) = fields["references"]
    assert (reference["id"], reference["url"], reference["title"]) == ("1", FOUND, "Harbour & Daughters")
    assert "forty cafés" in reference["excerpt"]
    assert fields["size"] == "See invented.test and ."
    steps = await in_database(lambda: list(Step.objects.filter(run=run).order_by("id").values_list("key", "result")))
    looked: dict[str, Any] = dict(steps)
    assert looked["research-3/tool-1"]["error"]["error"] == "tool.web_not_given"
    assert not [hit for hit in web.hits() if "invented" in str(hit)]
    asked = await in_database(lambda: Call.objects.get(run=run, step="enrich"))
    assert "They bake for forty cafés in Whitby" in str(asked.messages)


async def test_without_an_engine_and_without_an_address_nothing_is_looked_up(
    carrier: Carrier, start: Start, demo: Demo, web: Web, settings: Settings
) -> None:
    settings.WEB_SEARCH = "none"
    demo.set(rules=[{"contains": "Write its profile", "content": profile()}])
    run = await start(kind="company", brief="Harbour & Daughters, bakers in Whitby.")
    assert (await ended(run)).state == RunState.DONE
    assert await in_database(lambda: set(Call.objects.filter(run=run).values_list("step", flat=True))) == {"enrich"}
    assert web.hits() == []


async def test_an_engine_that_fails_costs_the_search_alone(
    carrier: Carrier, start: Start, demo: Demo, web: Web, settings: Settings
) -> None:
    settings.SEARXNG_URL, web.engine = web.url, "html"
    search = {"name": "web_search", "arguments": {"query": "Harbour"}}
    demo.set(rules=[*looks_up(search), {"contains": "Write its profile", "content": profile()}])
    run = await start(kind="company", brief="Harbour & Daughters, bakers in Whitby.")
    assert (await ended(run)).state == RunState.DONE
    step = await in_database(lambda: Step.objects.get(run=run, key="research-1/tool-1"))
    assert step.result
    assert step.result["error"]["error"].startswith("tool.search")
