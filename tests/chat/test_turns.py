"""A turn: something is said, answered, recorded."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chat import turns
from chat.models import Message, MessageState
from chat.turns import Turn, Words
from generation import documents
from generation.carrier import Carrier
from generation.models import Document, RunState
from memory.base.database import db as in_database
from tests.generation.conftest import ended
from tests.people import People

Say = Callable[..., Awaitable[Turn]]


@pytest.fixture
def say(house: People) -> Say:
    async def take(text: str, **facts: Any) -> Turn:
        user = facts.pop("user", house.owner)
        words = Words(text, **{name: facts.pop(name) for name in ("files", "context", "agent") if name in facts})
        return await in_database(lambda: turns.take(user, words, workspace=house.workspace, **facts))

    return take


async def answered(turn: Turn) -> Message:
    claim = await ended(turn.run)
    assert claim.state == RunState.DONE, turn.run.id
    return await in_database(lambda: Message.objects.select_related("session", "call").get(id=turn.reply.id))


async def test_what_is_said_is_answered(say: Say, carrier: Carrier) -> None:
    turn = await say("What is a loop in Python?")
    reply = await answered(turn)
    assert reply.state == MessageState.DONE
    assert reply.text
    assert [part["type"] for part in reply.parts] == ["text"]
    assert reply.usage["model"] == "demo"


async def test_a_description_is_changed(say: Say, carrier: Carrier, house: People) -> None:
    note = await in_database(
        lambda: documents.create(
            "course", "Loops", {"description": "Long."}, user=house.owner, workspace=house.workspace
        )
    )
    turn = await say('Change the description to "Loops, in short."', context=[("document", note.id)])
    reply = await answered(turn)
    print(reply.parts)
    changed = await in_database(lambda: Document.objects.get(id=note.id))
    assert changed.fields["description"] == "Loops, in short."
