"""The connection under one answer, with the rude ends that a web framework hides: reset, hang-up, silence."""

import asyncio
import socket
import struct

from aiohttp import web

NO_LINGER = struct.pack("ii", 1, 0)


class BrokenError(Exception):
    """A fault has ended the answer; nothing more is to be written."""


class Line:
    """Writes one response. `streaming` tells events from a plain JSON body."""

    def __init__(self, request: web.Request, *, streaming: bool) -> None:
        self._request = request
        self.streaming = streaming
        kind = "text/event-stream" if streaming else "application/json"
        self.response = web.StreamResponse(headers={"Content-Type": kind, "Cache-Control": "no-store"})

    async def open(self) -> None:
        """Gets the head ready; it leaves with the first bytes of the body."""
        self.response.enable_chunked_encoding()
        await self.response.prepare(self._request)

    async def write(self, data: bytes) -> None:
        """Sends bytes as one chunk. Raises ConnectionError when the client has gone."""
        if data:
            await self.response.write(data)

    def reset(self) -> None:
        """Ends the connection with RST, as a crashed peer or a balancer does."""
        transport = self._transport()
        # Without this the kernel would close politely, with FIN.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        transport.abort()
        raise BrokenError

    def hang_up(self) -> None:
        """Ends the connection with FIN after what was sent, in the middle of the body."""
        self._transport().close()
        raise BrokenError

    async def silence(self) -> None:
        """Sends nothing until the client goes away."""
        await asyncio.Event().wait()

    def _transport(self) -> asyncio.Transport:
        transport = self._request.transport
        if transport is None:
            raise ConnectionResetError("the client has gone")
        return transport
