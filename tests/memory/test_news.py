"""The bell between processes: it is heard everywhere, and it can always be closed."""

import asyncio
from typing import Any

import pytest
from redis.asyncio.client import PubSub

from memory.base.news import CHANGED, Bell
from tests.patience import PATIENCE_SECONDS


async def heard(bell: Bell) -> dict[str, Any]:
    """What the bell of another process tells this one."""
    told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    bell.listen(CHANGED, told.put_nowait)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while told.empty():  # whoever is not yet at the door hears nothing
            await asyncio.to_thread(Bell().ring, CHANGED, what="this")
            await asyncio.sleep(0.05)
    return told.get_nowait()


async def test_what_one_process_rings_another_hears() -> None:
    bell = Bell()
    await bell.open()
    assert await heard(bell) == {"what": "this"}
    await bell.close()


async def test_a_bell_closes_though_the_redis_client_lost_a_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does when one meets the end of a write; a process that was told to end stood there for ever."""
    receive = PubSub.get_message
    lost: list[PubSub] = []

    async def lose_the_first(pubsub: PubSub, **how: Any) -> Any:
        try:
            return await receive(pubsub, **how)
        except asyncio.CancelledError:
            if lost:
                raise
            lost.append(pubsub)
            return None

    monkeypatch.setattr(PubSub, "get_message", lose_the_first)
    bell = Bell()
    await bell.open()
    await heard(bell)
    closed, _ = await asyncio.wait([asyncio.create_task(bell.close())], timeout=PATIENCE_SECONDS)
    assert closed
    assert lost
