"""A turn: something is said, answered, recorded; one after another, and not twice."""

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from chat import messages, pictures, sessions, titling, turns
from chat.models import Message, MessageState, Session, SessionState
from chat.turns import Turn, Words
from generation import runs
from generation.carrier import Carrier
from generation.flush import connect
from generation.ledger import Cancelled
from generation.models import Claim, Event, Run, RunState, Step
from memory.base.database import db as in_database
from memory.base.errors import Conflict, LimitReached, NotFound, ScriptoriumError, SessionError
from tests.chat.conftest import UNDER_WAY, Say, answered, message, session
from tests.generation.conftest import Demo, ended, reached, state_of
from tests.generation.test_log import fold
from tests.people import People

QUESTION = "What is a loop in Python?"


async def shown_state(turn: Turn) -> str:
    """As everybody is told it."""
    reply = await message(turn.reply)
    (drawn,) = await in_database(lambda: pictures.drawn([reply], turn.session.user))
    return str(drawn["state"])


async def streamed(turn: Turn) -> dict[str, str]:
    """The text of each step, as its followers were told."""
    events = Event.objects.filter(run=turn.run).order_by("seq").values("type", "data")
    return fold([dict(event) for event in await in_database(lambda: list(events))])


async def sent(reply: Message) -> list[dict[str, str]]:
    """What the model was given for this answer."""
    call = reply.call
    return list(call.messages or []) if call else []


async def test_what_is_said_is_answered(say: Say, carrier: Carrier) -> None:
    turn = await say(QUESTION)
    reply = await answered(turn)
    assert reply.state == MessageState.DONE
    assert "Demo model text" in reply.text
    assert [part["type"] for part in reply.parts] == ["reasoning", "text"]
    assert reply.usage["model"] == "demo"
    assert reply.usage["calls"] == 1
    assert reply.call_id is not None


async def test_the_words_of_an_answer_are_those_that_were_streamed(say: Say, carrier: Carrier) -> None:
    turn = await say(QUESTION)
    reply = await answered(turn)
    assert (await streamed(turn))["round-1"].strip() == reply.text


async def test_a_conversation_is_named_after_its_first_exchange(say: Say, carrier: Carrier) -> None:
    turn = await say(QUESTION)
    assert turn.session.title == QUESTION
    await answered(turn)
    naming = await in_database(lambda: Run.objects.get(kind="title"))
    await ended(naming)
    named = await session(turn.session)
    assert named.title not in ("", QUESTION)
    assert not named.is_named
    await answered(await say("And in Ruby?", session=named))
    assert await in_database(lambda: Run.objects.filter(kind="title").count()) == 1


async def test_the_name_a_person_gave_stays(say: Say, carrier: Carrier) -> None:
    turn = await say(QUESTION)
    await in_database(lambda: sessions.change(turn.session, title="Mine"))
    await answered(turn)
    assert (await session(turn.session)).title == "Mine"
    assert not await in_database(lambda: Run.objects.filter(kind="title").exists())


async def test_the_model_is_told_what_was_said_before(say: Say, carrier: Carrier) -> None:
    first = await answered(await say(QUESTION))
    second = await answered(await say("And how do I leave it?", session=first.session))
    said = [(each["role"], each["content"]) for each in (await sent(second))[1:]]
    assert said == [("user", QUESTION), ("assistant", first.text), ("user", "And how do I leave it?")]


async def test_a_name_that_was_given_meanwhile_stays(say: Say, carrier: Carrier) -> None:
    turn = await say(QUESTION)
    await in_database(lambda: sessions.change(turn.session, title="Mine"))
    await in_database(transaction.atomic(titling.entitle), turn.session.id, "Of loops in Python")
    assert (await session(turn.session)).title == "Mine"


# --- one after another


async def test_a_second_message_waits_for_the_first_answer(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(first_token_ms=300)
    first = await say(QUESTION)
    second = await say("And in Ruby?", session=first.session)
    assert await shown_state(second) == "waiting"
    claim = await state_of(second.run)
    assert (claim.state, claim.reason) == (RunState.WAITING, "turn")
    await answered(first)
    demo.set(first_token_ms=300)
    while await shown_state(second) == "waiting":
        await asyncio.sleep(0.02)
    assert await shown_state(second) == "writing", "what is being answered waits no more"
    reply = await answered(second)
    assert (await sent(reply))[2]["content"] == (await message(first.reply)).text, "it knows the answer it waited for"


async def test_of_a_hundred_at_once_each_waits_for_the_one_before(
    say: Say, settings: Settings, carrier: Carrier
) -> None:
    settings.TURNS_OPEN_PER_USER = 100
    first = await say(QUESTION)
    others = await asyncio.gather(*(say(f"Number {n}?", session=first.session) for n in range(30)))
    for turn in (first, *others):
        await ended(turn.run)
    times = await in_database(
        lambda: list(Run.objects.filter(line=first.session.id).order_by("id").values_list("started_at", "finished_at"))
    )
    assert all(begun and end and begun >= end for (_, end), (begun, _) in pairwise(times))


async def test_who_waits_behind_a_stopped_answer_is_next(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(first_token_ms=5_000)
    first = await say(QUESTION)
    second = await say("And in Ruby?", session=first.session)
    await reached(first.run, RunState.RUNNING)
    demo.set(first_token_ms=0)
    await in_database(runs.cancel, first.run, first.session.user)
    await answered(first, RunState.CANCELLED)
    await answered(second)


async def test_who_was_left_standing_is_found(say: Say, carrier: Carrier) -> None:
    """As if the end before it had been lost on the way."""
    first = await say(QUESTION)
    await answered(first)
    second = await say("And in Ruby?", session=first.session)
    await answered(second)
    third = await say("And in C?", session=first.session)
    await ended(third.run)
    stuck = await in_database(lambda: Claim.objects.get(run=third.run))
    await in_database(
        lambda: Claim.objects.filter(run=third.run).update(state=RunState.WAITING, reason="turn", epoch=stuck.epoch + 1)
    )
    await reached(third.run, RunState.DONE)


async def test_what_waits_can_be_withdrawn(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(first_token_ms=300)
    first = await say(QUESTION)
    second = await say("Never mind this.", session=first.session)
    third = await say("And in Ruby?", session=first.session)
    withdrawn = await in_database(lambda: turns.withdraw(messages.visible(second.session.user, second.message.id)))
    assert withdrawn
    assert withdrawn.text == "Never mind this."
    reply = await answered(third)
    branch = await in_database(lambda: messages.branch(reply.id, 10))
    assert [each.id for each in branch] == [
        each.id for each in (first.message, first.reply, third.message, third.reply)
    ]
    assert not await in_database(lambda: Message.objects.filter(id=second.message.id).exists())


async def test_a_withdrawn_edit_leaves_what_was_asked_first(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(first_token_ms=600)
    first = await say(QUESTION)
    edited = await in_database(lambda: turns.edit(messages.visible(first.session.user, first.message.id), Words("C?")))
    assert await shown_state(edited) == "waiting"
    withdrawn = await in_database(lambda: turns.withdraw(messages.visible(first.session.user, edited.reply.id)))
    assert withdrawn
    assert withdrawn.text == "C?"
    reply = await answered(first)
    assert (await session(first.session)).leaf_id == reply.id
    assert await in_database(Message.objects.count) == 2


async def test_one_more_answer_that_is_withdrawn_leaves_the_others(say: Say, carrier: Carrier, demo: Demo) -> None:
    first = await say(QUESTION)
    await answered(first)
    demo.set(first_token_ms=600)
    await say("And in Ruby?", session=first.session)
    again = await in_database(lambda: turns.regenerate(messages.visible(first.session.user, first.reply.id)))
    after = await say("And now?", session=await session(first.session))
    assert after.message.parent_id == again.reply.id
    assert await in_database(lambda: turns.withdraw(messages.visible(first.session.user, again.reply.id))) is None
    assert await in_database(lambda: [each.id for each in messages.branch(after.reply.id, 9)]) == [
        each.id for each in (first.message, first.reply, after.message, after.reply)
    ]
    assert (await session(first.session)).leaf_id == after.reply.id
    await answered(after)


async def test_a_panel_that_waits_is_withdrawn_whole(
    say: Say, ask_panel: Say, carrier: Carrier, demo: Demo, house: People
) -> None:
    demo.set(first_token_ms=600)
    first = await say(QUESTION)
    panel = await ask_panel("All of you?", session=first.session)
    with pytest.raises(NotFound):
        await in_database(lambda: turns.withdraw(messages.visible(house.teammate, panel.message.id)))
    withdrawn = await in_database(lambda: turns.withdraw(messages.visible(first.session.user, panel.message.id)))
    assert withdrawn
    assert withdrawn.text == "All of you?"
    assert (await session(first.session)).leaf_id == first.reply.id
    assert await in_database(Message.objects.count) == 2
    await answered(first)


async def test_what_is_being_answered_is_not_withdrawn(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(first_token_ms=500)
    turn = await say(QUESTION)
    await reached(turn.run, RunState.RUNNING)
    with pytest.raises(SessionError) as refused:
        await in_database(lambda: turns.withdraw(messages.visible(turn.session.user, turn.message.id)))
    assert refused.value.code == "session.being_answered"
    await answered(turn)


# --- stopping, failing


async def test_a_stopped_answer_keeps_what_was_said(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(tokens_per_second=200)
    turn = await say("Explain loops in Python in about 900 words.")
    while not await in_database(Event.objects.filter(run=turn.run, type="content_delta").exists):
        await asyncio.sleep(0.02)
    outbox = carrier.carried[turn.run.id].running.ledger.outbox
    with connect("test") as sql, sql.transaction():
        # Nothing more of it can be written down: what is told last is still on its way when it is stopped.
        sql.execute("SELECT FROM generation_claim WHERE run_id = %s FOR UPDATE", [turn.run.id])
        while not outbox.entries:
            await asyncio.sleep(0.02)
        carrier.carried[turn.run.id].stop(Cancelled)
        await asyncio.sleep(0.1)
    reply = await answered(turn, RunState.CANCELLED)
    assert reply.state == MessageState.STOPPED
    assert reply.text
    assert reply.text == (await streamed(turn))["round-1"].strip()


async def test_a_failed_answer_says_why_and_another_can_be_asked_for(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(rules=[{"contains": QUESTION, "fault": "401", "times": 1}])
    reply = await answered(await say(QUESTION), RunState.FAILED)
    assert reply.state == MessageState.FAILED
    assert reply.error is not None
    assert reply.error["error_code"] == "model.unauthorised"
    again = await answered(await in_database(turns.regenerate, reply))
    assert again.state == MessageState.DONE
    assert again.parent_id == reply.parent_id


async def test_a_broken_attempt_is_no_part_of_the_answer(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(rules=[{"contains": QUESTION, "fault": "cut", "times": 1}])
    turn = await say(QUESTION)
    reply = await answered(turn)
    attempts = await in_database(lambda: Step.objects.get(run=turn.run, key="round-1").attempts)
    assert attempts == 2
    assert reply.text.count("Demo model text") == 1


async def test_what_a_failed_answer_had_said_is_kept(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(rules=[{"contains": QUESTION, "fault": "cut", "times": None}], **UNDER_WAY)
    reply = await answered(await say(QUESTION), RunState.FAILED)
    broken = [part["text"] for part in reply.parts]
    assert [part["type"] for part in reply.parts] == ["broken"] * reply.usage["failures"]
    assert len(broken) == 3
    assert all(broken)
    assert reply.text == ""


async def test_an_answer_of_a_conversation_is_not_retried_elsewhere(say: Say, carrier: Carrier, demo: Demo) -> None:
    demo.set(rules=[{"contains": QUESTION, "fault": "401", "times": None}])
    turn = await say(QUESTION)
    await answered(turn, RunState.FAILED)
    with pytest.raises(ScriptoriumError) as refused:
        await in_database(runs.retry, turn.run, turn.session.user)
    assert refused.value.code == "run.of_a_turn"


# --- once


async def test_the_same_key_is_the_same_turn(say: Say, carrier: Carrier) -> None:
    first, second = [await say(QUESTION, key="one") for _ in range(2)]
    assert (first.is_new, second.is_new) == (True, False)
    assert (first.message.id, first.run.id) == (second.message.id, second.run.id)
    with pytest.raises(Conflict) as refused:
        await say("Something else?", key="one")
    assert refused.value.code == "conflict.key_reused"
    assert await in_database(Session.objects.count) == 1


async def test_the_same_key_at_once_is_one_turn(say: Say) -> None:
    taken = await asyncio.gather(*(say(QUESTION, key="one") for _ in range(5)))
    assert len({turn.run.id for turn in taken}) == 1
    assert await in_database(Session.objects.count) == 1


# --- limits


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "validation.message_empty"),
        (" \n ", "validation.message_empty"),
        ("x" * 50_001, "validation.message_too_long"),
        ("a\x00b", "validation.characters"),
    ],
)
async def test_what_cannot_be_said_is_refused(say: Say, text: str, code: str) -> None:
    with pytest.raises(ScriptoriumError) as refused:
        await say(text)
    assert refused.value.code == code
    assert not await in_database(Session.objects.exists)


async def test_nobody_waits_for_more_answers_than_they_may(say: Say, settings: Settings) -> None:
    settings.TURNS_OPEN_PER_USER = 2
    first = await say(QUESTION)
    await say("And in Ruby?", session=first.session)
    with pytest.raises(LimitReached) as refused:
        await say("And in C?")
    assert refused.value.code == "limit.turns_open"


async def test_answers_do_not_count_among_open_runs(say: Say, settings: Settings, start: object) -> None:
    settings.RUNS_OPEN_PER_USER = 1
    await say(QUESTION)
    await start("tests.jobs.three_steps")  # type: ignore[operator]


# --- dormancy


async def test_a_quiet_conversation_is_dormant_until_somebody_goes_on(say: Say, carrier: Carrier) -> None:
    first = await answered(await say(QUESTION))
    other = await answered(await say(QUESTION))
    long_ago = now() - timedelta(minutes=31)
    await in_database(lambda: Session.objects.filter(id=first.session_id).update(active_at=long_ago))
    assert await in_database(sessions.rest_quiet) is False
    states = [(await session(each.session)).state for each in (first, other)]
    assert states == [SessionState.DORMANT, SessionState.ACTIVE]
    await answered(await say("And now?", session=await session(first.session)))
    assert (await session(first.session)).state == SessionState.ACTIVE


async def test_who_is_being_answered_is_not_put_to_sleep(say: Say) -> None:
    turn = await say(QUESTION)
    await in_database(lambda: Session.objects.update(active_at=now() - timedelta(days=1)))
    await in_database(sessions.rest_quiet)
    assert (await session(turn.session)).state == SessionState.ACTIVE


async def test_a_teammate_and_a_stranger_say_nothing_here(say: Say, house: People) -> None:
    turn = await say(QUESTION)
    for other in (house.teammate, house.stranger):
        with pytest.raises(ScriptoriumError) as refused:
            await in_database(sessions.visible, other, turn.session.id)
        assert refused.value.code == "not_found.session"


async def test_words_are_kept_as_they_were_typed(say: Say) -> None:
    assert Words("  a\r\nb  ").cleaned().text == "a\nb"
