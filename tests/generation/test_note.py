"""A note from its brief to its last word."""

import asyncio
import time

from generation import runs, sections
from generation.carrier import Carrier
from generation.documents import sections_of
from generation.manuscripts import Heading, Notice, Prose
from generation.models import Call, Document, Event, RunState, Section
from memory.base.database import db as in_database
from memory.history import By
from memory.models import Change, Proposal
from tests.generation.conftest import Demo, Start, blocks_of, count, ended, recorded_text
from tests.patience import PATIENCE_SECONDS
from tests.people import People

BRIEF = """Un cours standard sur les boucles en Python pour des élèves de première NSI.
Quatre parties : pourquoi répéter, la boucle for, la boucle while, les erreurs fréquentes."""


async def test_a_note_is_written_from_a_brief(carrier: Carrier, start: Start, demo: Demo) -> None:
    run = await start(brief=BRIEF)
    claim = await ended(run)
    assert claim.state == RunState.DONE
    blocks = await blocks_of(run)
    assert (count(blocks, Heading), count(blocks, Prose), count(blocks, Notice)) == (4, 4, 0)
    assert "boucle" in str(blocks)
    calls = await in_database(lambda: list(Call.objects.filter(run=run)))
    assert {call.state for call in calls} == {"done"}
    assert len(calls) == demo.stats()["requests"] == 5
    events = await in_database(lambda: list(Event.objects.filter(run=run).order_by("seq")))
    assert [event.seq for event in events] == list(range(1, claim.last_seq + 1))
    assert [event.type for event in events].count("done") == 1
    assert events[-1].type == "done"


async def test_the_note_is_a_document_with_its_history(carrier: Carrier, start: Start, demo: Demo) -> None:
    run = await start(brief=BRIEF)
    await ended(run)

    def look() -> tuple[Document, list[Section], set[tuple[str, str]]]:
        document = Document.objects.get(runs=run)
        authors = set(Change.objects.filter(root_id=document.id, path="content").values_list("author", "step"))
        return document, sections_of(document), authors

    document, written, authors = await in_database(look)
    assert (document.kind, document.run_id, document.brief) == ("note", run.id, BRIEF)
    assert document.title
    assert [section.key for section in written] == [f"section-{n}" for n in range(1, 5)]
    assert {section.status for section in written} == {"ready"}
    assert authors == {("recipe", f"section-{n}") for n in range(1, 5)}
    steps = await recorded_text(run)
    assert [section.fields["content"] for section in written] == [steps[section.key].strip() for section in written]
    events = await in_database(lambda: list(Event.objects.filter(run=run, type="object").order_by("seq")))
    told = {event.data["id"]: event.data["version"] for event in events}
    assert told == {str(each.id): each.version for each in (document, *written)}


async def test_what_a_person_writes_meanwhile_stands(carrier: Carrier, start: Start, house: People, demo: Demo) -> None:
    """The machine's text waits as a proposal, whoever comes first to the end."""
    demo.set(tokens_per_second=100)
    run = await start(brief=BRIEF)
    until = time.monotonic() + PATIENCE_SECONDS
    while not (planned := await in_database(lambda: list(Section.whole().filter(document=run.document_id)))):
        assert time.monotonic() < until
        await asyncio.sleep(0.02)
    first = planned[0]
    await in_database(lambda: sections.edit(first, {"content": "By hand."}, By.person(house.teammate)))
    assert (await ended(run)).state == RunState.DONE
    stands = await in_database(lambda: Section.objects.get(id=first.id))
    assert stands.fields["content"] == "By hand."
    proposal = await in_database(lambda: Proposal.objects.get(object_id=first.id))
    text = (await recorded_text(run))[first.key]
    assert proposal.values == {"content": text.strip()}


async def test_a_retry_leaves_what_people_wrote_unless_it_is_named(
    carrier: Carrier, start: Start, house: People, demo: Demo
) -> None:
    run = await start(brief=BRIEF)
    await ended(run)
    section = await in_database(lambda: Section.whole().get(document=run.document_id, key="section-2"))
    await in_database(lambda: sections.edit(section, {"content": "By hand."}, By.person(house.owner)))
    again, _ = await in_database(runs.retry, run, house.owner, ["section-2"])
    assert (await ended(again)).state == RunState.DONE
    rewritten = await in_database(lambda: Section.objects.get(id=section.id))
    assert rewritten.fields["content"] == (await recorded_text(again))["section-2"].strip()
    assert not await in_database(Proposal.objects.exists)
