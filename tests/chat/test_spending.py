"""What an answer takes, and where it ends: the models that were asked, budgets, rates; each told in page and API."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from chat.models import Message
from generation.carrier import Carrier
from generation.models import RunState
from memory.base.database import db as in_database
from tests.chat.conftest import Say, answered, message
from tests.chat.test_pages import HTMX, page
from tests.generation.conftest import Demo, ended
from tests.people import People
from tests.rest import Rest

QUESTION = "What is a loop in Python?"
SPENT = "Your budget for today is spent."


@pytest.fixture
def owner(house: People) -> Client:
    return house.client(house.owner)


@pytest.fixture
def rest(house: People) -> Rest:
    return Rest(house.owner)


# --- who answers


async def test_a_model_that_did_not_answer_is_named_in_the_margin(
    say: Say, carrier: Carrier, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_ASSISTANT_CHAIN", "demo:fault-401, demo:second")
    turn = await say(QUESTION)
    reply = await answered(turn)
    took = {name: reply.usage[name] for name in ("model", "instead_of", "failures", "calls")}
    assert took == {"model": "second", "instead_of": "fault-401", "failures": 1, "calls": 2}
    shown = await in_database(page, owner, turn.session)
    assert "in place of fault-401, which did not answer" in shown
    assert "after 1 failed attempt" in shown


async def test_a_model_that_rests_is_named_too(say: Say, carrier: Carrier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_ASSISTANT_CHAIN", "nobody:first, demo:second")
    reply = await answered(await say(QUESTION))
    assert (reply.usage["model"], reply.usage["instead_of"], reply.usage["calls"]) == ("second", "first", 1)


async def test_who_answers_in_whose_place_is_told_while_it_is_written(
    say: Say, carrier: Carrier, demo: Demo, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_ASSISTANT_CHAIN", "demo:fault-401, demo:second")
    demo.set(tokens_per_second=20)
    turn = await say("Explain loops in Python in about 400 words.")
    while "in place of fault-401" not in (shown := await in_database(page, owner, turn.session)):
        assert (await message(turn.reply)).is_open, "it has ended before anything was told"
    assert "Being written" in shown
    demo.set(tokens_per_second=0)
    await answered(turn)


# --- budgets


async def test_a_spent_budget_is_told_and_the_question_stays(
    say: Say, carrier: Carrier, owner: Client, rest: Rest, settings: Settings
) -> None:
    settings.BUDGET_USER_DAY_TOKENS = 10
    turn = await say(QUESTION)
    assert (await ended(turn.run)).state == RunState.FAILED
    reply = await message(turn.reply)
    assert reply.error
    assert reply.error["error_code"] == "budget.user_day"
    shown = await in_database(page, owner, turn.session)
    assert SPENT in shown
    told = (await in_database(rest.get, f"chat/messages/{turn.reply.id}")).json()
    assert (told["state"], told["error"]["error_code"]) == ("failed", "budget.user_day")
    assert 0 < told["error"]["retry_after"] <= 86_400
    # More was given: the same question is answered.
    settings.BUDGET_USER_DAY_TOKENS = 0
    again = await in_database(rest.post, f"chat/messages/{turn.reply.id}/regenerate", {})
    assert again.status_code == 202
    reply = await message(Message(id=again.json()["reply"]))
    assert reply.run
    await ended(reply.run)
    assert (await message(reply)).state == "done"


async def test_what_one_has_spent_is_not_what_another_has(
    say: Say, carrier: Carrier, house: People, settings: Settings
) -> None:
    reply = await answered(await say(QUESTION))
    spent = reply.usage["tokens_in"] + reply.usage["tokens_out"]
    settings.BUDGET_USER_DAY_TOKENS = spent + 9_000
    assert (await answered(await say(QUESTION, user=house.teammate))).state == "done"
    settings.BUDGET_USER_DAY_TOKENS = spent
    turn = await say(QUESTION)
    assert (await ended(turn.run)).state == RunState.FAILED


# --- rates


@pytest.fixture
def counted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """One write a minute for an address, counted afresh."""
    settings.RATE_LIMIT_ENABLED, settings.RATE_LIMIT_RPM = True, 1
    settings.RATELIMIT_CACHE_PREFIX = f"rl:{uuid4()}:"
    # A test that runs over the end of a window would count from anew.
    monkeypatch.setattr("django_ratelimit.core.time.time", lambda: 1_800_000_000)


def test_who_speaks_too_often_is_told_when_to_come_back(rest: Rest, counted: None) -> None:
    first = rest.post("chat/messages", {"text": QUESTION})
    assert (first.status_code, first.headers["X-RateLimit-Limit"], first.headers["X-RateLimit-Remaining"]) == (
        202,
        "1",
        "0",
    )
    refused = rest.post("chat/messages", {"text": "And in Ruby?"})
    assert (refused.status_code, refused.json()["error_code"]) == (429, "limit.requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.json()["retry_after"] == int(refused.headers["Retry-After"])
    assert Message.objects.count() == 2


def test_a_page_tells_it_in_words(owner: Client, house: People, counted: None) -> None:
    for _ in range(2):
        sent: Any = owner.post("/chat/send/", {"text": QUESTION}, headers=HTMX)
    assert sent.status_code == 429
    assert "Too many requests. Nothing is lost." in sent.content.decode()
    # A stranger is another user, but comes from the same address.
    assert house.client(house.stranger).post("/chat/send/", {"text": QUESTION}, headers=HTMX).status_code == 429
