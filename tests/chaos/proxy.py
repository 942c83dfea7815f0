"""A proxy in front of PostgreSQL that can lose the answer of a commit, or the commit itself, chosen by its content.

It reads the client's side of the protocol just far enough to know the statements of each transaction.
"""

import asyncio
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
READY = b"Z\x00\x00\x00\x05"  # ReadyForQuery: the server has answered
COMMIT = re.compile(rb"^\s*(COMMIT|END)\b", re.IGNORECASE)
BEGIN = re.compile(rb"^\s*(BEGIN|START)\b", re.IGNORECASE)
ROLLBACK = re.compile(rb"^\s*ROLLBACK(?!\s+TO)", re.IGNORECASE)


@dataclass
class Trap:
    """For the commit of a transaction (or the statement of its own) that holds `content`, after `skip` others.

    `landed`: the server commits and its answer is lost; otherwise the commit is lost on its way.
    """

    content: bytes
    landed: bool
    skip: int = 0
    fired: threading.Event = field(default_factory=threading.Event)

    def takes(self, said: bytes) -> bool:
        if self.fired.is_set() or self.content not in said:
            return False
        self.skip -= 1
        if self.skip >= 0:
            return False
        self.fired.set()
        return True


class Proxy:
    """Listens in `folder` from `start` to `stop`, in a thread of its own."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self.server = server / SOCKET
        self.traps: list[Trap] = []
        self.links: set[Link] = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self.listening = threading.Event()

    def start(self) -> None:
        self.thread.start()
        self.listening.wait(5)

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def arm(self, trap: Trap) -> Trap:
        self.traps = [*(one for one in self.traps if not one.fired.is_set()), trap]
        return trap

    def disarm(self) -> None:
        self.traps = []

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        path = str(self.folder / SOCKET)
        server = self.loop.run_until_complete(self.loop.create_unix_server(lambda: Link(self), path, backlog=256))
        self.listening.set()
        self.loop.run_forever()
        server.close()
        for link in list(self.links):
            link.drop()
        self.loop.run_until_complete(asyncio.sleep(0))  # transports say goodbye in the next turn
        self.loop.close()


class Link(asyncio.Protocol):
    """One client, and its connection to the server."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.client: asyncio.Transport | None = None
        self.server: asyncio.Transport | None = None
        self.waiting = bytearray()  # what came before the server was reached
        self.reader = Statements()
        self.doomed = False
        self.connecting: asyncio.Task[object] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.client = transport
        self.proxy.links.add(self)
        self.connecting = self.proxy.loop.create_task(self.connect())

    async def connect(self) -> None:
        try:
            await self.proxy.loop.create_unix_connection(lambda: Answers(self), str(self.proxy.server))
        except OSError:  # the server is away: so are we
            self.drop()

    def reached(self, server: asyncio.Transport) -> None:
        self.server = server
        if self.client is None or self.client.is_closing():
            server.abort()
        elif self.waiting:
            server.write(bytes(self.waiting))

    def data_received(self, data: bytes) -> None:
        for said in self.reader.feed(data):
            for trap in self.proxy.traps:
                if trap.takes(said):
                    self.doomed = True
                    if not trap.landed:
                        return self.drop()
        if self.server:
            self.server.write(data)
        else:
            self.waiting += data
        return None

    def answered(self, data: bytes) -> None:
        if not self.doomed and self.client:
            self.client.write(data)
        elif READY in data:
            self.drop()

    def connection_lost(self, error: Exception | None) -> None:
        self.drop()

    def drop(self) -> None:
        self.proxy.links.discard(self)
        for transport in (self.client, self.server):
            if transport:
                transport.abort()


class Answers(asyncio.Protocol):
    def __init__(self, link: Link) -> None:
        self.link = link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.link.reached(transport)

    def data_received(self, data: bytes) -> None:
        self.link.answered(data)

    def connection_lost(self, error: Exception | None) -> None:
        if self.link.client:
            self.link.client.close()  # what the server said last still arrives


class Statements:
    """The client's bytes as the texts of transactions, each given when its commit is on its way."""

    def __init__(self) -> None:
        self.rest = bytearray()
        self.started = False
        self.prepared: dict[bytes, bytes] = {}
        self.said: list[bytes] = []
        self.in_transaction = False

    def feed(self, data: bytes) -> list[bytes]:
        self.rest += data
        ended = []
        while (message := self.message()) is not None:
            said = self.read(*message)
            if said is not None:
                ended.append(said)
        return ended

    def message(self) -> tuple[int, bytes] | None:
        head = 1 if self.started else 0  # the first message has no type
        if len(self.rest) < head + 4:
            return None
        end = head + int.from_bytes(self.rest[head : head + 4])
        if len(self.rest) < end:
            return None
        kind, body = (self.rest[0] if head else 0), bytes(self.rest[head + 4 : end])
        del self.rest[:end]
        self.started = True
        return kind, body

    def read(self, kind: int, body: bytes) -> bytes | None:
        """What was said in the transaction that this message commits, if it commits one."""
        match chr(kind):
            case "P":
                name, text = body.split(b"\0")[:2]
                self.prepared[name] = text
            case "B":
                name = body.split(b"\0")[1]
                self.said.append(self.prepared.get(name, b""))
            case "Q":
                self.said.append(body.rstrip(b"\0"))
                return self.ended()
            case "S":
                return self.ended()
        return None

    def ended(self) -> bytes | None:
        last = self.said[-1] if self.said else b""
        if BEGIN.match(last):
            self.in_transaction = True
        if self.in_transaction and not COMMIT.match(last) and not ROLLBACK.match(last):
            return None
        said, self.said, self.in_transaction = b"\n".join(self.said), [], False
        return None if ROLLBACK.match(last) else said
