"""Calls: each is a row before its request leaves and settled however it ends; a retry or a repair is one more."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from generation import calls, claims, in_force, replay, sweep
from generation.carrier import Carrier
from generation.demo.faults import FAULTS
from generation.events import Draft, record
from generation.llm.journal import Attempt, Outcome
from generation.llm.usage import estimate_tokens
from generation.llm.values import Message, ModelRef, ModelRequest, Usage
from generation.models import Agent, Call, CallState, Queue, Run, RunState, Step
from memory.base.database import db as in_database
from tests.generation.conftest import Demo, Start, ended, recorded_text, wake
from tests.generation.test_log import fold

BRIEF = "A note on loops in Python.\nThree parts: why repeat, the for loop, the while loop."
# What the demo model plans for this brief.
FIRST_ONE, SECOND_ONE = "Write the section “Why repeat”", "Write the section “The for loop”"
SENT = Attempt(ModelRef("openai", "gpt-4.1"), 1, "first")


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    """No model rests because of the faults of another test."""
    wake()
    yield
    wake()


@pytest.fixture
def impatient(settings: Settings) -> None:
    """To be asked for before the carrier, which takes its timers along."""
    settings.MODEL_TIMEOUTS = {"connect": 2, "first_token": 1, "idle": 1, "total": 10}


async def calls_of(run: Run, step: str = "") -> list[Call]:
    some = Call.objects.filter(run=run, **({"step": step} if step else {}))
    return await in_database(lambda: list(some.order_by("created_at", "id")))


async def events_of(run: Run, type: str) -> list[dict[str, Any]]:
    seen = await in_database(replay.read, run.id, 0)
    return [event["data"] for event in seen.events if event["type"] == type]


def insert_call(run: Run, epoch: int, step: str, number: int) -> UUID:
    """A call that has left, as the engine inserts it."""
    purpose = calls.Purpose("note/section", "writer", in_force.find("note/section", "writer"), {"brief": "x"})
    request = ModelRequest((Message("user", "x" * 384),), max_tokens=500)
    with transaction.atomic():
        return calls.open_call(run, epoch, step, number, purpose, SENT, request)


def told(call: Call) -> tuple[str, str, int, str]:
    return call.model, call.reason, call.attempt, call.state


# --- before and after


async def test_every_request_is_a_row_before_it_leaves_and_settled_after(
    carrier: Carrier, start: Start, demo: Demo
) -> None:
    demo.set(first_token_ms=400)
    run = await start(brief=BRIEF)
    while not demo.stats()["in_flight"]:
        await asyncio.sleep(0.02)
    (open_one,) = await calls_of(run)
    assert (open_one.state, open_one.step, open_one.settled_at) == (CallState.SENT, "outline", None)
    assert open_one.reserved_tokens > 6_000
    demo.set(first_token_ms=0)
    assert (await ended(run)).state == RunState.DONE
    rows = {str(call.id): call for call in await calls_of(run)}
    log = {served["id"]: served for served in demo.stats()["log"]}
    assert rows.keys() == log.keys()
    for name, call in rows.items():
        assert call.created_at.timestamp() < log[name]["started"]
        assert call.state == CallState.DONE
        assert call.finish_reason == "stop"
        assert (call.tokens_in, call.tokens_out) == (log[name]["tokens_in"], log[name]["tokens_out"])
        assert not call.tokens_estimated
        assert call.cost_usd == 0
        assert call.settled_at is not None
    used = await events_of(run, "usage")
    assert sum(one["tokens_out"] for one in used) == demo.stats()["tokens_out"]


async def test_the_call_of_a_dead_owner_becomes_unknown_with_what_was_seen_of_it(start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    cursor = (await in_database(claims.take, "a:1:x", run.id, True))[0].cursor

    def insert() -> UUID:
        return insert_call(run, cursor.epoch, "one", 2)

    deltas = [Draft.of("content_delta", step="one", attempt=n, text=f"attempt {n}, some words.") for n in (1, 2, 2)]
    _, made = await in_database(lambda: record(cursor, deltas, insert))
    assert made is not None
    await in_database(lambda: Call.objects.update(created_at=timezone.now() - timedelta(minutes=1)))
    assert await in_database(calls.settle_orphans) == 0, "its owner lives"

    await in_database(sweep.release_dead, "a:1:")
    assert await in_database(calls.settle_orphans) == 1
    call = await in_database(lambda: Call.objects.get(id=made))
    assert (call.state, call.tokens_estimated) == (CallState.UNKNOWN, True)
    assert call.tokens_in == estimate_tokens("x" * 384)
    assert call.tokens_out == estimate_tokens("attempt 2, some words." * 2)
    assert call.cost_usd is not None
    assert call.cost_usd > 0
    assert await in_database(calls.settle_orphans) == 0

    # The owner was only slow: what it says it used is truer than an estimate.
    await in_database(calls.settle, made, SENT, Outcome(Usage(120, 30), None, "stop", 1, 2))
    call = await in_database(lambda: Call.objects.get(id=made))
    assert (call.state, call.tokens_in, call.tokens_out, call.tokens_estimated) == (CallState.DONE, 120, 30, False)


async def test_the_call_of_a_living_owner_is_left_alone_however_old(start: Start) -> None:
    run = await start("tests.jobs.three_steps", queue=Queue.LOW)
    cursor = (await in_database(claims.take, "a:1:x", run.id, True))[0].cursor
    await in_database(insert_call, run, cursor.epoch, "one", 1)
    await in_database(lambda: Call.objects.update(created_at=timezone.now() - timedelta(hours=1)))
    assert await in_database(calls.settle_orphans) == 0
    assert await in_database(Call.objects.filter(state=CallState.SENT).count) == 1


async def test_old_messages_are_forgotten_and_figures_stay(carrier: Carrier, start: Start, settings: Settings) -> None:
    settings.CALL_RETENTION_DAYS = 30
    old, fresh = await start(brief=BRIEF), await start(brief=BRIEF)
    await ended(old)
    await ended(fresh)
    long_ago = timezone.now() - timedelta(days=31)
    await in_database(lambda: Call.objects.filter(run=old).update(created_at=long_ago))
    assert await in_database(calls.forget_old_messages) == len(await calls_of(old))
    assert {(call.messages, call.variables) for call in await calls_of(old)} == {(None, None)}
    assert all(call.messages and call.variables for call in await calls_of(fresh))
    assert all(call.tokens_out and call.prompt_version_id for call in await calls_of(old))
    assert await in_database(calls.forget_old_messages) == 0


# --- why there is another one


async def test_a_rate_limit_is_waited_out_and_each_try_is_a_call(carrier: Carrier, start: Start, demo: Demo) -> None:
    demo.set(rules=[{"contains": SECOND_ONE, "fault": "rate_limit", "times": 2}])
    run = await start(brief=BRIEF)
    assert (await ended(run)).state == RunState.DONE
    tries = await calls_of(run, "section-2")
    assert [told(call) for call in tries] == [
        ("demo", "first", 1, "failed"),
        ("demo", "retry", 2, "failed"),
        ("demo", "retry", 3, "done"),
    ]
    assert [(call.error or {}).get("error_code") for call in tries] == ["model.rate_limited"] * 2 + [None]
    assert [call.tokens_out for call in tries[:2]] == [0, 0], "a refusal is not billed"
    waits = await events_of(run, "retry")
    assert [(wait["step"], wait["next_try"]) for wait in waits] == [("section-2", 2), ("section-2", 3)]
    assert all(wait["seconds"] >= 0.2 for wait in waits), "the provider asked for that"
    assert (await in_database(lambda: Step.objects.get(run=run, key="section-2"))).attempts == 3


async def test_when_a_model_refuses_the_next_of_the_chain_answers_and_says_so(
    carrier: Carrier, start: Start, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_WRITER_CHAIN", "demo:fault-401, demo:second")
    run = await start(brief=BRIEF)
    assert (await ended(run)).state == RunState.DONE
    assert [told(call) for call in await calls_of(run, "section-1")] == [
        ("fault-401", "first", 1, "failed"),
        ("second", "next_model", 2, "done"),
    ]
    models = [one for one in await events_of(run, "model") if one["step"] == "section-1"]
    assert [(one["model"], one["reason"]) for one in models] == [("fault-401", "first"), ("second", "next_model")]
    assert models[1]["because"]["error_code"] == "model.unauthorised"
    assert [call.model for call in await calls_of(run, "outline")] == ["demo"], "another agent, another chain"


async def test_the_chain_that_staff_gave_an_agent_is_used(carrier: Carrier, start: Start, demo: Demo) -> None:
    await in_database(Agent.objects.filter(name="writer").update, chain=["demo:fault-500-x9", "demo:third"])
    run = await start(brief=BRIEF)
    assert (await ended(run)).state == RunState.DONE
    # Sections share the model: after five failures it rests, and whoever comes later goes to the next at once.
    assert {call.model for call in await calls_of(run) if call.state == CallState.DONE} == {"demo", "third"}
    failed = [call for call in await calls_of(run) if call.model == "fault-500-x9"]
    assert {call.state for call in failed} == {CallState.FAILED}
    assert 5 <= len(failed) <= 9


async def test_what_does_not_fit_its_schema_is_repaired_by_a_second_call(
    carrier: Carrier, start: Start, demo: Demo
) -> None:
    demo.set(rules=[{"contains": "Plan the note.", "fault": "bad_schema", "times": 1}])
    run = await start(brief=BRIEF)
    assert (await ended(run)).state == RunState.DONE
    first, repair = await calls_of(run, "outline")
    assert [told(first), told(repair)] == [("demo", "first", 1, "done"), ("demo", "repair", 2, "done")]
    objection = (repair.messages or [])[-1]
    assert objection["role"] == "user"
    assert "Field required" in objection["content"]
    because = [one["because"] for one in await events_of(run, "model") if one["reason"] == "repair"]
    assert [one["error_code"] for one in because] == ["model.not_as_asked"]
    text = await recorded_text(run)
    assert fold((await in_database(replay.read, run.id, 0)).events) == text


# --- faults of the provider

HARMLESS = ""
ENDS: dict[str, str] = {
    "rate_limit": "model.rate_limited",
    "server_error": "model.server_error",
    "unavailable": "model.server_error",
    "unauthorised": "model.unauthorised",
    "unknown_model": "model.unknown_model",
    "html": "model.not_a_stream",
    "hang": "model.first_token",
    "reset": "model.reset",
    "hang_mid": "model.idle",
    "reset_mid": "model.cut",
    "cut": "model.cut",
    "clean_cut": "model.no_finish",
    "no_done": HARMLESS,
    "bad_json": "model.not_json",
    "error_event": "model.server_error",
    "null_fields": HARMLESS,
    "trickle": "model.idle",
    "empty": "model.empty",
    "length": "model.cut_at_limit",
    "tool_garbage": "model.tool_arguments",
    "nul": HARMLESS,
    "surrogate": HARMLESS,
    "huge_event": "model.event_too_large",
    "refusal": "model.content_filter",
    "bad_schema": HARMLESS,  # a section has no schema, and text that calls itself whole is believed
    "broken_schema": HARMLESS,
}


def test_every_fault_of_the_demo_has_its_end() -> None:
    assert set(ENDS) == set(FAULTS)


@pytest.mark.parametrize("fault", ENDS)
async def test_a_fault_ends_in_text_with_a_finish_reason_or_in_a_labelled_fallback(
    impatient: None, carrier: Carrier, start: Start, demo: Demo, fault: str
) -> None:
    demo.set(rules=[{"contains": SECOND_ONE, "fault": fault}])
    run = await start(brief=BRIEF)
    claim = await ended(run)
    assert demo.stats()["by_fault"].keys() == {fault}
    step = await in_database(lambda: Step.objects.get(run=run, key="section-2"))
    assert claim.state == (RunState.PARTIAL if ENDS[fault] else RunState.DONE)
    assert (step.error or {}).get("error_code", HARMLESS) == ENDS[fault]
    assert step.is_fallback == bool(ENDS[fault])
    rows = await calls_of(run)
    assert {call.state for call in rows} <= {CallState.DONE, CallState.FAILED}
    assert all(call.finish_reason == "stop" for call in rows if call.state == CallState.DONE)
    assert all((call.error or {})["error_code"].startswith("model.") for call in rows if call.state == CallState.FAILED)
    text = await recorded_text(run)
    assert fold((await in_database(replay.read, run.id, 0)).events) == text
    assert all(text.values())


async def test_halves_of_a_character_are_joined_and_what_is_none_is_dropped(
    carrier: Carrier, start: Start, demo: Demo
) -> None:
    demo.set(rules=[{"contains": FIRST_ONE, "fault": "nul"}, {"contains": SECOND_ONE, "fault": "surrogate"}])
    run = await start(brief=BRIEF)
    assert (await ended(run)).state == RunState.DONE
    text = await recorded_text(run)
    assert "\N{GRINNING FACE}" in text["section-2"]
    assert "\N{REPLACEMENT CHARACTER}" in text["section-2"], "the half that stayed alone"
    assert " nul " in text["section-1"]
    assert "\x00" not in text["section-1"]
    assert fold((await in_database(replay.read, run.id, 0)).events) == text
