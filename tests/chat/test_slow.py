"""A reader that takes nothing for a while is told so, and goes on with all it had."""

import asyncio

import pytest

from generation import mailbox
from generation.carrier import Carrier
from tests.chat.test_socket import Open, Page, open_page
from tests.generation.conftest import Demo, Start, recorded_text
from tests.generation.test_log import fold
from tests.people import People

__all__ = ["open_page"]


async def ping_rarely(page: Page) -> None:
    while True:
        await asyncio.sleep(0.4)
        await page.send(type="ping")


async def test_a_socket_that_gave_no_sign_of_life_is_told_that_it_is_behind_and_follows_again(
    open_page: Open, carrier: Carrier, start: Start, house: People, demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "CREDIT_BYTES", 3_000)
    monkeypatch.setattr(mailbox, "MOST_BYTES", 6_000)
    demo.set(tokens_per_second=300)
    runs = [await start(), await start()]
    page = await open_page(house.teammate)
    for run in runs:
        await page.send(type="follow", run=str(run.id), since=0)
    pinging: asyncio.Task[None] | None = None  # not before it has fallen behind, however slowly the texts are written
    events: dict[str, list[dict[str, object]]] = {str(run.id): [] for run in runs}
    position = dict.fromkeys(events, 0)
    while not all(told and told[-1]["type"] == "done" for told in events.values()):
        frame = await page.hear("events", "error")
        if frame["type"] == "error":
            assert frame["error_code"] == "session.behind"
            pinging = pinging or asyncio.create_task(ping_rarely(page))
            run_id = frame["details"]["run"]
            await page.send(type="follow", run=run_id, since=position[run_id])
            continue
        run_id = frame["run"]
        assert frame["after"] == position[run_id], "a hole"
        position[run_id] = frame["upto"]
        events[run_id] += frame["events"]
    assert pinging
    pinging.cancel()
    for run in runs:
        assert fold(events[str(run.id)]) == await recorded_text(run)
