"""What lives in the web process beside its requests: the bell, the hub, and the carrier of chat turns."""

import asyncio

from django.conf import settings

from chat.sockets import sockets
from generation.carrier import Carrier
from generation.gateway import load_adapters
from generation.guests import guests
from generation.hub import hub
from generation.models import Queue
from memory.base.garbage import spare_what_stands
from memory.base.news import bell
from memory.base.vital import vital


class Process:
    """Opened once in the server's event loop, closed before the server stops."""

    def __init__(self) -> None:
        self.carrier: Carrier | None = None
        self.claiming: asyncio.Task[None] | None = None
        self.loading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await hub.open()
        sockets.open()
        guests.open()
        self.carrier = Carrier([Queue.WEB], settings.RUNS_PER_WEB, waited=0)
        await self.carrier.open()
        await bell.open()
        self.claiming = vital(self.carrier.claim_for_ever(), "claim")
        spare_what_stands()
        self.loading = vital(load_beside(), "load")

    async def close(self) -> None:
        """Claim no more, tell what is pending, give the runs back; another process goes on with them."""
        carrier, claiming = self.carrier, self.claiming
        self.carrier = self.claiming = None
        if self.loading:
            self.loading.cancel()
        if carrier and claiming:
            carrier.claiming = False
            await claiming
            await carrier.close()
        guests.close()
        sockets.close()
        await hub.close()
        await bell.close()


async def load_beside() -> None:
    """People come in meanwhile, and runs that wait are claimed: after a restart nothing is as urgent as that."""
    await asyncio.to_thread(load_adapters)
    spare_what_stands()
