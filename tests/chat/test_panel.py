"""The panel: three answers at once, each by itself, and what they come to."""

import asyncio

from chat import messages, panel, turns
from chat.models import Form, Message, MessageState
from chat.turns import Turn
from generation.carrier import Carrier
from generation.models import Call, RunState, Step, StepState
from memory.base.database import db as in_database
from tests.chat.conftest import Say, answered, message
from tests.generation.conftest import Demo, ended
from tests.people import People
from tests.rest import Rest, told

QUESTION = "Should we index everything?"


async def answers(turn: Turn) -> dict[str, Message]:
    found = await in_database(lambda: list(Message.objects.filter(run=turn.run).order_by("id")))
    return {each.agent: each for each in found}


async def test_three_answer_side_by_side(ask_panel: Say, carrier: Carrier) -> None:
    turn = await ask_panel(QUESTION)
    assert (await ended(turn.run)).state == RunState.DONE
    found = await answers(turn)
    assert list(found) == ["anima", "neo", "nexus"]
    assert {each.state for each in found.values()} == {MessageState.DONE}
    assert len({each.text for each in found.values()}) == 3
    assert all(each.parent_id == turn.message.id and each.form == Form.PANEL for each in found.values())
    calls = await in_database(lambda: dict(Call.objects.filter(run=turn.run).values_list("agent", "step")))
    assert calls == {agent: f"{agent}/round-1" for agent in found}


async def test_a_failed_one_is_marked_and_the_others_stand(ask_panel: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(rules=[{"contains": "You are Neo", "fault": "401", "times": None}])
    turn = await ask_panel(QUESTION)
    assert (await ended(turn.run)).state == RunState.PARTIAL
    found = await answers(turn)
    assert [each.state for each in found.values()] == [MessageState.DONE, MessageState.FAILED, MessageState.DONE]
    assert (found["neo"].error or {})["error_code"] == "model.unauthorised"


async def test_when_all_fail_the_run_has_failed(ask_panel: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(rules=[{"contains": QUESTION, "fault": "401", "times": None}])
    turn = await ask_panel(QUESTION)
    assert (await ended(turn.run)).state == RunState.FAILED
    assert {each.state for each in (await answers(turn)).values()} == {MessageState.FAILED}


async def test_who_has_answered_when_the_panel_is_stopped_has_answered(
    ask_panel: Say, carrier: Carrier, demo: Demo
) -> None:
    demo.set(rules=[{"contains": "Neo", "fault": "hang", "times": None}])
    turn = await ask_panel(QUESTION)

    def spoken() -> int:
        return Step.objects.filter(run=turn.run, key__endswith="round-1", state=StepState.DONE).count()

    while await in_database(spoken) < 2:
        await asyncio.sleep(0.02)
    await in_database(lambda: turns.stop(turn.reply, turn.session.user))
    assert (await ended(turn.run)).state == RunState.CANCELLED
    replies = await in_database(lambda: list(Message.objects.filter(run=turn.run).order_by("id")))
    assert {each.agent: each.state for each in replies} == {"anima": "done", "neo": "stopped", "nexus": "done"}


async def test_any_answer_can_be_gone_on_with(ask_panel: Say, say: Say, carrier: Carrier) -> None:
    turn = await ask_panel(QUESTION)
    await ended(turn.run)
    neo = (await answers(turn))["neo"]
    await in_database(lambda: messages.show(messages.visible(turn.session.user, neo.id)))
    reply = await answered(await say("Go on.", session=turn.session))
    branch = await in_database(lambda: messages.branch(reply.id, 10))
    assert [each.id for each in branch[:2]] == [turn.message.id, neo.id]
    call = (await message(reply)).call
    assert call
    assert call.messages
    assert call.messages[2]["content"] == neo.text


async def test_they_are_put_together_on_request(ask_panel: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(rules=[{"contains": "You are Neo", "fault": "401", "times": None}])
    turn = await ask_panel(QUESTION)
    await ended(turn.run)
    made = await in_database(lambda: panel.synthesise(messages.visible(turn.session.user, turn.reply.id)))
    one = await answered(made)
    assert (one.form, one.agent, one.parent_id) == (Form.SYNTHESIS, "nexus", turn.message.id)
    call = (await message(one)).call
    assert call
    assert call.messages
    assert "These did not answer: neo." in call.messages[0]["content"]
    assert call.messages[1]["content"].count("<answer by=") == 2


async def test_of_one_answer_nothing_is_put_together(
    ask_panel: Say, carrier: Carrier, demo: Demo, house: People
) -> None:
    demo.set(rules=[{"contains": f"You are {name}", "fault": "401", "times": None} for name in ("Neo", "Nexus")])
    turn = await ask_panel(QUESTION)
    await ended(turn.run)
    owner = await in_database(Rest, house.owner)
    refused = await in_database(owner.post, f"chat/messages/{turn.reply.id}/synthesis")
    assert told(refused) == (409, "session.no_panel")


async def test_a_panel_is_asked_by_rest_and_is_the_askers_alone(house: People, carrier: Carrier) -> None:
    owner, *others = [await in_database(Rest, each) for each in (house.owner, house.teammate, house.stranger)]
    asked = await in_database(owner.post, "panels", {"text": QUESTION})
    assert asked.status_code == 202
    path = f"chat/messages/{asked.json()['reply']}"
    for other in others:
        assert told(await in_database(other.get, path)) == (404, "not_found.message")
        assert told(await in_database(other.post, f"{path}/synthesis")) == (404, "not_found.message")
