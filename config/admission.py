"""A process works on so many requests at once, each with a thread and a connection of its own; the others wait in line.

Without it clients that give up and come again, as all do when a house is slow, make it slower still, until it only
begins what nobody waits for: 200 of them kept 9 000 threads, and no request was answered any more.
"""

import asyncio
from collections import deque
from io import BytesIO

from django.core.handlers.asgi import ASGIRequest

from config.requests import App, Message, Receive, Send
from memory.answers import answer
from memory.base import admitted
from memory.base.errors import ServiceUnavailable

AT_ONCE = 32
MOST_IN_LINE = 500
BUSY_SECONDS = 2
HEALTH = "/health/"  # who asks whether we live does not wait for those who keep us from it
GONE = ("http.disconnect", "websocket.disconnect")


class Client:
    """Who asks: what it said while it stood in line is kept for the application."""

    def __init__(self, receive: Receive) -> None:
        self.hear = receive
        self.said: deque[Message] = deque()
        self.listening: asyncio.Task[None] | None = None

    def leaving(self) -> "asyncio.Task[None]":
        """Ends when the client is gone."""
        self.listening = asyncio.create_task(self.until_gone())
        return self.listening

    async def until_gone(self) -> None:
        while not self.said or self.said[-1]["type"] not in GONE:
            self.said.append(await self.hear())

    async def receive(self) -> Message:
        """For the application: from now on it hears by itself."""
        listening, self.listening = self.listening, None
        if listening:
            listening.cancel()
            await asyncio.wait([listening])
        return self.said.popleft() if self.said else await self.hear()


class Admission:
    """Requests and the beginnings of sockets. A place is held until the answer begins, or until who is asked waits for
    other processes (`admitted.wait_outside`): neither streams nor exports hold one.

    Who leaves while in line is never begun. Where the line is full a request is told `service.busy`, a socket refused.
    """

    def __init__(self, app: App, at_once: int = AT_ONCE, most_in_line: int = MOST_IN_LINE) -> None:
        self.app = app
        self.most_in_line = most_in_line
        self.places = asyncio.Semaphore(at_once)
        self.in_line = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        client = Client(receive)
        if scope["path"].startswith(HEALTH):
            await self.app(scope, receive, send)
        elif self.in_line >= self.most_in_line:
            await refuse(scope, send)
        elif await self.take_place(client):
            await self.work(scope, client, send)

    async def take_place(self, client: Client) -> bool:
        """Wait for one; False when the client left before."""
        if not self.places.locked():
            return await self.places.acquire()  # at once
        self.in_line += 1
        place = asyncio.create_task(self.places.acquire())
        leaving = client.leaving()
        is_ours = False
        try:
            await asyncio.wait([place, leaving], return_when=asyncio.FIRST_COMPLETED)
            is_ours = place.done()
        finally:
            self.in_line -= 1
            if not is_ours:
                leaving.cancel()
                if not place.cancel():  # it came when nobody waited for it any more
                    self.places.release()
        return is_ours

    async def work(self, scope: Message, client: Client, send: Send) -> None:
        is_held = True

        def give_back() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self.places.release()

        async def begin_answer(message: Message) -> None:
            give_back()
            await send(message)

        admitted.give_back.set(give_back)
        try:
            await self.app(scope, client.receive, begin_answer)
        finally:
            give_back()


async def refuse(scope: Message, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close"})  # before it is open: a refusal by HTTP
        return
    response = answer(ASGIRequest(scope, BytesIO()), ServiceUnavailable("busy", retry_after=BUSY_SECONDS))
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
