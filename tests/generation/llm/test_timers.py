"""One timer for a whole stream: it names what did not come, and takes nobody else's cancellation for its own."""

import asyncio

import pytest

from generation.llm.timers import StreamClock
from generation.llm.values import Timeouts
from memory.base.errors import ModelTimeout

NEVER = 60.0


def clock(first_token: float = NEVER, idle: float = NEVER, total: float = NEVER) -> StreamClock:
    return StreamClock(Timeouts(connect=NEVER, first_token=first_token, idle=idle, total=total))


async def test_what_did_not_come_is_named() -> None:
    with pytest.raises(ModelTimeout) as refusal:
        await clock(first_token=0.01).wait(asyncio.sleep(NEVER))
    assert refusal.value.code == "model.first_token"
    with pytest.raises(ModelTimeout) as refusal:
        await clock(total=0.01).wait(asyncio.sleep(NEVER))
    assert refusal.value.code == "model.total"


async def test_content_moves_the_deadline_and_its_absence_is_noticed() -> None:
    ours = clock(first_token=1.0, idle=1.0)
    for _ in range(4):
        await ours.wait(asyncio.sleep(0.3))
        ours.content()
    with pytest.raises(ModelTimeout) as refusal:
        await ours.wait(asyncio.sleep(NEVER))
    assert refusal.value.code == "model.idle"


async def test_what_lingers_is_given_up_before_the_old_deadline() -> None:
    ours = clock()
    await ours.wait(asyncio.sleep(0))
    ours.linger(0.01)
    with pytest.raises(ModelTimeout) as refusal:
        await ours.wait(asyncio.sleep(NEVER))
    assert refusal.value.code == "model.total"


async def test_what_the_reader_does_between_two_waits_is_not_counted() -> None:
    ours = clock(first_token=0.02, idle=0.02)
    await ours.wait(asyncio.sleep(0))
    ours.content()
    await asyncio.sleep(0.1)  # the timer rings, and nobody waits
    ours.content()
    assert await ours.wait(asyncio.sleep(0, "here")) == "here"
    with pytest.raises(ModelTimeout):
        await ours.wait(asyncio.sleep(NEVER))


async def test_who_gives_the_stream_up_is_not_told_of_a_timeout() -> None:
    ours = clock(first_token=0.01)

    async def refuses_for_a_while() -> None:
        try:
            await asyncio.sleep(NEVER)
        except asyncio.CancelledError:
            await asyncio.sleep(0.1)
            raise

    waiting = asyncio.ensure_future(ours.wait(refuses_for_a_while()))
    await asyncio.sleep(0.05)  # its time is up, and then it is cancelled, too
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert waiting.cancelled()


async def test_an_error_that_comes_with_the_end_of_time_leaves_no_cancellation_behind() -> None:
    async def breaks() -> None:
        try:
            await asyncio.sleep(NEVER)
        except asyncio.CancelledError:
            raise ConnectionError from None

    with pytest.raises(ConnectionError):
        await clock(first_token=0.01).wait(breaks())
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0


async def test_a_stream_that_is_over_leaves_no_timer() -> None:
    ours = clock()
    await ours.wait(asyncio.sleep(0))
    assert ours._timer
    ours.stop()
    assert ours._timer is None
