"""A company: written from a brief, one field again alone; what people wrote stays, what nobody gave is taken out."""

import json
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from generation import actions, documents, exports
from generation.carrier import Carrier
from generation.models import Call, Document, Issue, Run, RunState
from generation.recipes.company.schema import TEXTS
from memory import history
from memory.base.database import db as in_database
from memory.history import By
from memory.models import Proposal
from tests.generation.conftest import Demo, Start, ended, until_asked
from tests.people import People
from tests.rest import Rest, told

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
    assert await in_database(lambda: {call.agent for call in Call.objects.filter(run=run)}) == {"analyst"}
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
    run = await start(kind="company", brief=BRIEF)
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
