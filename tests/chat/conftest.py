"""Chat stands on generation: its tests use the same demo model, carrier and runs."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chat import panel, turns
from chat.models import Message, Session
from chat.turns import Turn, Words
from generation import documents
from generation.models import Document, RunState
from memory.base.database import db as in_database
from tests.generation.conftest import carrier, demo, demo_process, ended, house, ringing, start
from tests.people import People

__all__ = ["carrier", "demo", "demo_process", "house", "ringing", "start"]

Say = Callable[..., Awaitable[Turn]]

# A connection that is reset takes along what was sent and not yet read: what is said comes before it.
UNDER_WAY = {"tokens_per_second": 300}


@pytest.fixture
def say(house: People) -> Say:
    """Say something as the owner, in a new conversation or in the one that is named."""

    async def take(text: str, **facts: Any) -> Turn:
        user = facts.pop("user", house.owner)
        words = Words(text, **{name: facts.pop(name) for name in ("files", "context", "agent") if name in facts})
        return await in_database(lambda: turns.take(user, words, workspace=house.workspace, **facts))

    return take


@pytest.fixture
def ask_panel(say: Say) -> Say:
    async def ask(text: str, **facts: Any) -> Turn:
        return await say(text, answered_by=panel.answer_by_all, **facts)

    return ask


@pytest.fixture
def course(house: People) -> Document:
    """A course of the owner's, with a description to be changed."""
    fields = {"description": "All about loops."}
    return documents.create("course", "Loops", fields, user=house.owner, workspace=house.workspace)


@pytest.fixture
def note(house: People) -> Document:
    return documents.create("note", "Loops", {}, user=house.owner, workspace=house.workspace)


async def answered(turn: Turn, state: RunState = RunState.DONE) -> Message:
    """The answer, once it has come so far."""
    claim = await ended(turn.run)
    assert claim.state == state, claim.state
    reply = await message(turn.reply)
    assert not reply.is_open, "its run has ended, and nothing was kept of it"
    return reply


async def message(known: Message) -> Message:
    whole = Message.objects.select_related("session__workspace", "session__user", "parent", "run", "call__workspace")
    return await in_database(lambda: whole.get(id=known.id))


async def session(known: Session) -> Session:
    return await in_database(lambda: Session.objects.select_related("user", "workspace").get(id=known.id))


def tools_of(reply: Message) -> list[dict[str, Any]]:
    return [part for part in reply.parts if part["type"] == "tool"]
