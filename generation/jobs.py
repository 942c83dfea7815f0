"""The one RQ job: a horse with one carrier. It takes the nudged run at once, others of its queue as they wait."""

import asyncio
import signal
import time
from uuid import UUID

import structlog
from django.conf import settings

from generation.carrier import Carrier
from memory.base.database import forget_executor
from memory.base.garbage import spare_what_stands
from memory.base.news import bell
from memory.base.vital import vital

log = structlog.get_logger()

LOOK_SECONDS = 0.1


def carry(queue: str, run_id: str) -> None:
    """Carry the run, and up to RUNS_PER_WORKER of the queue's, until none is left. Finding nothing, it ends."""
    forget_executor()
    spare_what_stands()
    asyncio.run(carry_runs(queue, UUID(run_id)))


async def carry_runs(queue: str, run_id: UUID) -> None:
    leaving = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leaving.set)
    carrier = Carrier([queue], settings.RUNS_PER_WORKER)
    await carrier.open()
    try:
        await carrier.claim(run_id)
        await carry_on(carrier, leaving)
    finally:
        await carrier.close()
        await bell.close()


async def carry_on(carrier: Carrier, leaving: asyncio.Event) -> None:
    """Claim and carry until nothing is left, the time is over, or we are told to leave."""
    if not carrier.carried:
        return
    await bell.open()
    claiming = vital(carrier.claim_for_ever(), "claim")
    leave_at = time.monotonic() + settings.CARRY_SECONDS
    while not leaving.is_set() and (carrier.carried or not claiming.done()):
        if time.monotonic() > leave_at:
            carrier.leave()
        if not carrier.carried:
            carrier.claiming = False  # what the last look still claims is carried to its end
        await asyncio.sleep(LOOK_SECONDS)
    carrier.claiming = False
    await claiming
