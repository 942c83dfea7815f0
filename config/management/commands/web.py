"""`manage.py web`: Daphne in this process, so that the application can begin and end with it."""

import asyncio
import logging
from argparse import ArgumentParser

# Daphne first: it installs the asyncio reactor, which nothing may have chosen before.
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.tcp import Port

from config import asgi, bodies, frames

MESSAGE_BYTES = 1024 * 1024
LET_GO_SECONDS = 3.0
CANCEL_SECONDS = 1.0
BACKLOG = 1024  # a page full of people comes back at once after a restart

logger = logging.getLogger(__name__)


class Web(Server):
    """Daphne with a beginning and an end: `asgi.startup` when the loop runs, `asgi.shutdown` before it ends."""

    failed = False

    def listen_success(self, port: Port) -> None:
        super().listen_success(port)
        self.port = port

    def begin(self) -> None:
        bodies.bound(self.http_factory)
        frames.bound(self.ws_factory)
        asyncio.ensure_future(asgi.startup()).add_done_callback(self._begun)

    def _begun(self, startup: "asyncio.Future[None]") -> None:
        if not startup.cancelled() and startup.exception():
            logger.error("The application could not start", exc_info=startup.exception())
            self.failed = True
            self.stop()

    def kill_all_applications(self) -> "Deferred[None]":
        """Daphne's own would cancel the sockets before the carrier has let go, and cancels nobody while an upload is
        half sent (TRAPS 1.2), so this one takes its place in the shutdown."""
        return Deferred.fromFuture(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        self.port.stopListening()
        try:
            async with asyncio.timeout(LET_GO_SECONDS):
                await asgi.shutdown()
        except Exception:  # whatever it was, the process still has to end
            logger.exception("The application did not end well")
        running = [task for details in self.connections.values() if (task := details.get("application_instance"))]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=CANCEL_SECONDS)


class Command(BaseCommand):
    help = "Serve pages, API and sockets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 behind a proxy on another machine")
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *, host: str, port: int, **options: object) -> None:
        endpoints = build_endpoint_description_strings(host=host, port=port)
        server = Web(
            application=asgi.application,
            endpoints=[f"{endpoint}:backlog={BACKLOG}" for endpoint in endpoints],
            websocket_max_message_size=MESSAGE_BYTES,
            websocket_max_frame_size=MESSAGE_BYTES,
            server_name="scriptorium",
        )
        reactor.callWhenRunning(server.begin)
        server.run()
        if server.failed or server.abort_start:
            raise CommandError(f"The web process could not run on {host}:{port}; the lines above say why.")
