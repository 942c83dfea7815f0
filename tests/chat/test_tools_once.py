"""A turn that breaks off between a tool and its end is gone on with: nothing is asked twice, nothing is done twice."""

import asyncio

from chat import pictures
from chat.context import Context
from generation.carrier import Carrier
from generation.models import Call, Claim, Document, Event, RunState, Section, Step
from generation.slots import LetGo
from memory.base.database import db as in_database
from tests.chat.conftest import Say, answered, tools_of
from tests.generation.conftest import Demo, reached

ASKED = "Do as I say."


async def test_a_turn_that_is_taken_over_does_nothing_twice(
    say: Say, demo: Demo, carrier: Carrier, course: Document
) -> None:
    """It is taken from its owner when its tool has written and the model is asked again; another goes on."""
    wanted = {"document": str(course.id), "type": "chapter", "fields": {"title": "More"}}
    calls = [{"name": "insert_section", "arguments": wanted}]
    demo.set(rules=[{"contains": ASKED, "calls": calls, "times": 1}, {"contains": ASKED, "content": "It is done."}])
    demo.set(first_token_ms=500)
    turn = await say(ASKED, context=[("document", course.id)])
    while not await in_database(Event.objects.filter(run=turn.run, type="tool_call_result").exists):
        await asyncio.sleep(0.02)
    carrier.carried[turn.run.id].stop(LetGo)
    reply = await answered(turn)
    assert await in_database(lambda: Claim.objects.get(run=turn.run).epoch) == 2, "it was taken over"
    assert len(tools_of(reply)) == 1
    assert await in_database(Section.objects.filter(document=course).count) == 1
    calls_made = Call.objects.filter(run=turn.run).order_by("id").values_list("step", flat=True)
    assert set(await in_database(lambda: list(calls_made))) == {"round-1", "round-2"}
    assert await in_database(calls_made.filter(step="round-1").count) == 1


async def test_what_the_model_saw_is_what_it_saw_first(
    say: Say, demo: Demo, carrier: Carrier, course: Document
) -> None:
    turn = await say(ASKED, context=[("document", course.id)])
    await reached(turn.run, RunState.DONE)
    recorded = await in_database(lambda: Step.objects.get(run=turn.run, key="context").result)
    assert recorded
    shown = Context.model_validate(recorded[""])
    assert shown.versions == {str(course.id): 1}
    reply = await answered(turn)
    assert reply.seen == {"seen": recorded[""]["seen"], "limit": shown.limit}


async def test_what_another_release_has_recorded_takes_nothing_along(
    say: Say, demo: Demo, carrier: Carrier, course: Document
) -> None:
    """A record that nobody can read any more: the page is drawn, and the answer ends, with what there is of it."""
    calls = [{"name": "read_object", "arguments": {"object": str(course.id)}}]
    demo.set(rules=[{"contains": ASKED, "calls": calls, "times": 1}, {"contains": ASKED, "content": "It is done."}])
    demo.set(first_token_ms=700)
    turn = await say(ASKED, context=[("document", course.id)])
    while not await in_database(Event.objects.filter(run=turn.run, type="tool_call_result").exists):
        await asyncio.sleep(0.02)
    steps = Step.objects.filter(run=turn.run)
    await in_database(lambda: steps.filter(key="round-1").update(result={"content": {"of": "another release"}}))
    await in_database(lambda: steps.filter(key="round-1/tool-1").update(result={"said": "something"}))
    (row,) = await in_database(lambda: pictures.drawn([turn.reply], turn.session.user))
    assert row["parts"][0]["error"]["error_code"] == "run.result_does_not_fit"
    assert row["parts"][0]["name"] == "read_object"
    reply = await answered(turn)
    assert reply.text == "It is done."
