"""A note from its brief to its last word."""

from generation.carrier import Carrier
from generation.models import Call, Event, RunState
from generation.recipes.note.recipe import markdown
from memory.base.database import db as in_database
from tests.generation.conftest import Demo, Start, ended

BRIEF = """Un cours standard sur les boucles en Python pour des élèves de première NSI.
Quatre parties : pourquoi répéter, la boucle for, la boucle while, les erreurs fréquentes."""


async def test_a_note_is_written_from_a_brief(carrier: Carrier, start: Start, demo: Demo) -> None:
    run = await start(brief=BRIEF)
    claim = await ended(run)
    assert claim.state == RunState.DONE
    text = await in_database(markdown, run)
    assert text.count("\n## ") == 4
    assert "boucle" in text
    calls = await in_database(lambda: list(Call.objects.filter(run=run)))
    assert {call.state for call in calls} == {"done"}
    assert len(calls) == demo.stats()["requests"] == 5
    events = await in_database(lambda: list(Event.objects.filter(run=run).order_by("seq")))
    assert [event.seq for event in events] == list(range(1, claim.last_seq + 1))
    assert [event.type for event in events].count("done") == 1
    assert events[-1].type == "done"
