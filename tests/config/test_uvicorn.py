"""The whole application under a server that is not Daphne: its lifespan starts the carrier, its sockets follow."""

import json
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect

from generation import runs
from generation.models import Queue, Run
from generation.orders import Order
from generation.registry import recipe_of
from memory import tokens
from memory.base.database import db as in_database
from tests.config.test_servers import serving
from tests.generation.conftest import Demo, recorded_text
from tests.generation.conftest import demo as demo
from tests.generation.conftest import demo_process as demo_process
from tests.generation.conftest import house as house
from tests.generation.test_log import fold
from tests.people import People


async def followed(socket: ClientConnection, run_id: UUID) -> list[dict[str, object]]:
    """All events of the run, as they come."""
    await socket.send(json.dumps({"type": "follow", "run": str(run_id), "since": 0}))
    events: list[dict[str, object]] = []
    while not events or events[-1]["type"] != "done":
        frame = json.loads(await socket.recv())
        assert frame["type"] == "events", frame
        events += frame["events"]
    return events


async def test_a_note_is_written_and_followed_under_uvicorn(
    house: People, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_BASE_URL", demo.url)
    demo.set(tokens_per_second=400)
    _, secret = await in_database(tokens.issue, house.teammate, "follower", ["read"])
    with serving("uvicorn") as (port, _):
        run: Run = await in_database(start_note, house)
        async with connect(f"ws://127.0.0.1:{port}/ws/") as socket:
            await socket.send(json.dumps({"type": "token", "token": secret}))
            assert json.loads(await socket.recv())["type"] == "accepted"
            events = await followed(socket, run.id)
    assert events[-1]["data"] == {"state": "done"}
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert fold(events) == await recorded_text(run)


def start_note(house: People) -> Run:
    order = Order("Three sections on loops in Python.")
    return runs.start(recipe_of("note"), order, user=house.owner, workspace=house.workspace, queue=Queue.WEB)[0]
